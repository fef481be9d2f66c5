#!/usr/bin/env bash
# What the composite action runs: the gate, its page as the job's summary, its exit code as output.
# Reads BASELINE, MODELS, IMPORT, TREE, GATE, BUDGET, ACCEPT and HARNESS from the environment.
set -euo pipefail
set -f # names and patterns are the gate's to read, not the shell's to expand

refuse() { # what never began is neither a pass nor a regression, for which 1 stands
  echo "exit-code=2" >>"$GITHUB_OUTPUT"
  echo "::error title=Nothing judged::$1"
  exit 2
}

output="$(pwd)/reports"
rm -f "$output"/regression.{md,html,json,xml} # of an earlier step: never to be taken for this one's
[ -n "${BASELINE:-}" ] || refuse "no baseline was given; on this event the expression may be empty"
tree="$(cd "${TREE:-.}" 2>/dev/null && pwd)" || refuse "there is no folder ${TREE:-.}"
# A revision by its hash: a branch may be called like a folder of the harness, where the gate runs.
revision="$(git -C "$tree" rev-parse --verify --quiet "$BASELINE^{commit}")" ||
  refuse "$BASELINE is no revision of $tree; check out with a fetch-depth that reaches it (0: all)"

python="${PYTHON:-$RUNNER_TEMP/regress/bin/python}"
options=(--baseline "$revision" --repository "$tree" --output "$output" --budget "${BUDGET:-10}")
if [ -n "${GATE:-}" ]; then
  [ -f "$GATE" ] || refuse "there is no file $GATE"
  options+=(--gate "$(realpath "$GATE")")
else
  options+=(--import "${IMPORT:-}")
  for model in ${MODELS:-}; do options+=(--model "$model"); done
fi
for name in ${ACCEPT:-}; do options+=(--accept "$name"); done

code=0
(cd "$HARNESS" && OMP_NUM_THREADS=1 "$python" -m bench regress "${options[@]}") || code=$?
if [ -f "$output/regression.md" ]; then
  cat "$output/regression.md" >>"$GITHUB_STEP_SUMMARY"
elif [ "$code" -le 1 ]; then # a verdict without a report is none: the gate broke off
  code=2
fi
echo "exit-code=$code" >>"$GITHUB_OUTPUT"
case "$code" in
  0) ;;
  1) echo "::error title=Regression::the working tree is worse than $BASELINE; see the summary" ;;
  3) echo "::error title=Other machine::the baseline was measured on another machine" ;;
  4) echo "::error title=Too noisy::neither a pass nor a regression; the summary says what could not be told" ;;
  2)
    if [ -f "$output/regression.md" ]; then
      echo "::error title=Data missing::not all could be measured; the summary says what, and how to go on without"
    else
      echo "::error title=Nothing judged::the gate could not be run; see its log"
    fi
    ;;
  *) echo "::error title=Nothing judged::the gate ended with $code; see its log" ;;
esac
exit "$code"
