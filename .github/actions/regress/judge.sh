#!/usr/bin/env bash
# What the composite action runs: the gate, its page as the job's summary, its exit code as output.
# Reads BASELINE, MODELS, IMPORT, TREE, GATE, BUDGET, ACCEPT and HARNESS from the environment.
set -euo pipefail

python="${PYTHON:-$RUNNER_TEMP/regress/bin/python}"
instrument="$(cd "$HARNESS" && pwd)"
tree="$(cd "${TREE:-.}" && pwd)"
output="$(pwd)/reports"
options=(--baseline "$BASELINE" --repository "$tree" --output "$output" --budget "${BUDGET:-10}")

if [ -n "${GATE:-}" ]; then
  options+=(--gate "$(realpath "$GATE")")
else
  options+=(--import "$IMPORT")
  for model in $MODELS; do options+=(--model "$model"); done
fi
set -f # a pattern is the gate's to match, not the shell's
for name in ${ACCEPT:-}; do options+=(--accept "$name"); done
set +f

code=0
(cd "$instrument" && OMP_NUM_THREADS=1 "$python" -m bench regress "${options[@]}") || code=$?
echo "exit-code=$code" >>"$GITHUB_OUTPUT"
if [ -f "$output/regression.md" ]; then cat "$output/regression.md" >>"$GITHUB_STEP_SUMMARY"; fi
case "$code" in
  0) ;;
  1) echo "::error title=Regression::the working tree is worse than $BASELINE; see the summary" ;;
  3) echo "::error title=Other machine::the baseline was measured on another machine" ;;
  4) echo "::error title=Too noisy::neither a pass nor a regression; run it again on a quiet machine" ;;
  *) echo "::error title=Nothing judged::the gate could not be run; see its log" ;;
esac
exit "$code"
