# Every target makes what it needs; SUITE= picks the suite, FRESH=1 starts from empty results.
SUITE ?= quick
MINUTES ?= 9
BASELINE ?= HEAD
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready
BENCH := $(BIN)/python -m bench
# as bench/__main__.py has it, for the tests too
export GOMP_SPINCOUNT ?= 1000
FRESH_FOLDER := results/fresh-$(basename $(notdir $(SUITE)))-$(shell date +%Y%m%d-%H%M%S)
FRESH_RESULTS := $(if $(FRESH),export BENCH_RESULTS=$(FRESH_FOLDER);)

.DEFAULT_GOAL := help
.PHONY: setup test regress chaos lint reproduce-table figures claims control study verify test-tex test-browser bench simulate scale cluster gpu gpu-pack data clean help

help: ## list the targets
	@echo "MedSpectral Bench. make TARGET [SUITE=name] [FRESH=1]; suites: $(basename $(notdir $(wildcard suites/*.toml)))"
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1@\2/' | awk -F@ '{printf "%-18s%s\n", $$1, $$2}'

setup: $(STAMP) ## make .venv from pyproject.toml and constraints.txt, once

reproduce-table: $(STAMP) ## train and measure what is missing of SUITE (default quick), draw its tables
	@$(FRESH_RESULTS) $(BENCH) run "$(SUITE)"; trained=$$?; \
	[ $$trained -le 1 ] || exit $$trained; \
	$(BENCH) measure "$(SUITE)"; measured=$$?; \
	[ $$measured -le 1 ] || exit $$measured; \
	$(BENCH) report "$(SUITE)" --show && exit $$((trained | measured))

figures: $(STAMP) ## draw the figures of SUITE (default quick) from its records, and its page, index.html
	@$(BENCH) figures "$(SUITE)" && $(BENCH) page "$(SUITE)"

claims: $(STAMP) ## judge the paper's claims by the records, draw reports/claims.md and claims.html
	@$(BENCH) claims

control: $(STAMP) ## what the harness can detect: train what is missing of the control and cues suites, draw reports/control.md
	@$(BENCH) run control --workers 2 && $(BENCH) run cues --workers 2 && $(BENCH) control

study: $(STAMP) ## what choosing the checkpoint on test adds to a score; draw reports/selection.md
	@$(BENCH) study selection

verify: $(STAMP) ## recompute every score and table from the stored predictions; name what moved
	@$(BENCH) verify

test: $(STAMP) ## run the tests, then by themselves those that read the clock
	@$(BIN)/python -m pytest -q -m "not alone" -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder; \
	side_by_side=$$?; $(BIN)/python -m pytest -q -m alone && exit $$side_by_side

test-tex: $(STAMP) ## compile every table of a suite with pdflatex, lualatex and bibtex
	@$(BIN)/python -m pytest -q -m tex

test-browser: $(STAMP) ## the HTML pages in Chromium (Debian, Ubuntu: apt install chromium chromium-driver)
	@$(BIN)/python -m pytest -q -m browser tests/bench/report/page

lint: $(STAMP) ## ruff, mypy --strict, the import floors
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

bench: $(STAMP) ## put the timer on trial, then time models against their rivals (RACES="name …", default all); floors must hold; then the parts alone
	@$(BENCH) trust && $(BENCH) race $(RACES) && $(BENCH) engine feeding overhead resume
	@mkdir -p results/history/micro && OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q benchmarks --benchmark-columns=median,iqr,rounds \
	  --benchmark-json=results/history/micro/$$(git rev-parse --short=12 HEAD).json && $(BENCH) regress --draw

regress: $(STAMP) ## is the working tree worse than BASELINE (default HEAD)? cost, accuracy, run time; BUDGET=minutes
	@$(BENCH) regress --baseline "$(BASELINE)" $(if $(BUDGET),--budget $(BUDGET))

simulate: $(STAMP) ## put the statistics on trial: worlds with a known truth; no limit may be missed
	@$(BENCH) simulate

scale: $(STAMP) ## what tables and figures take from 1,000 and 20,000 made-up records (SHAPES="name …", default all)
	@$(BIN)/python -m bench.report.scale $(SHAPES)

chaos: $(STAMP) ## kill a real suite 100 times at random moments; its bits must not change
	@$(BENCH) engine chaos --kills 100

gpu: $(STAMP) ## on a CUDA machine, for MINUTES (default 9): kernels, costs, races, trainings; goes on in the next call
	@$(BENCH) gpu --minutes $(MINUTES)

gpu-pack: $(STAMP) ## prepare .gpu/ for a CUDA machine without a network, print the command to run there
	@$(BENCH) gpu --pack

cluster: $(STAMP) ## the tests that start and kill Ray nodes and a Slurm; minutes
	@BENCH_CLUSTER_TESTS=1 $(BIN)/python -m pytest -q tests/bench/cluster

data: $(STAMP) ## list the data sets; `python -m bench data NAME` loads one
	@$(BENCH) data

clean: ## remove caches and the virtual environment; results/ stays
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info build
	@find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "setup: $(PYTHON) is missing or older than 3.11; install Python 3.11 or newer, or name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "setup: $(PYTHON) cannot make virtual environments; install its venv package (Debian, Ubuntu: apt install python3-venv)" >&2; exit 2; }
	@echo "setup: installing into .venv (about 6 GB with the CUDA build of PyTorch) ..."
	@$(PYTHON) -m venv .venv && $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[bench,dev]' || { \
	  echo "setup: pip could not install the packages; it needs a package index (network) or pip's own configuration naming one. Nothing else was changed; run make again." >&2; exit 2; }
	@touch $@
