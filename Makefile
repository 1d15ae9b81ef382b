# `make demo` and `make test` set themselves up: Debian 12 or the like, Python 3.11+, git and make are all they need.
# A study needs requirements.lock alone; tests, lint and documents need requirements-dev.lock on top (CONTRIBUTING.md: sizes).
PYTHON ?= python3
CORES ?= 2
# TORCH=cpu leaves out CUDA's libraries, on a machine without a GPU
CPU_WHEELS ?= https://download.pytorch.org/whl/cpu
BIN := .venv/bin
DEMO := workflow/overlays/demo.yaml
PYTEST := $(BIN)/pytest --cov=sagan_div --cov-report=term:skip-covered --numprocesses $(CORES) --dist loadfile

.PHONY: demo test test-all lint format lock docs dag reproduce publish clean

demo: .venv/installed  ## the whole study of seven methods on small digits, in minutes
	$(BIN)/snakemake --cores $(CORES) --configfile $(DEMO) --quiet rules
	@$(BIN)/sagan-div summary --overlay $(DEMO)

test: .venv/installed-dev  ## what every change must pass
	$(PYTEST) -m "not slow"

test-all: .venv/installed-dev  ## also the long ones
	$(PYTEST)

lint: .venv/installed-dev  ## formats, types, spelling and the workflow's own lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check workflow
	$(BIN)/snakemake --lint
	$(BIN)/codespell

format: .venv/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt workflow

lock: .venv/installed-dev  ## both locks anew from pyproject.toml; versions that stand in them stay
	$(BIN)/python .ci/lock

docs: .venv/installed-dev  ## the site of docs/, into site/
	$(BIN)/sphinx-build -W --keep-going -q -n -d site/.doctrees -b html docs site

dag: .venv/installed  ## the picture of the rules in the README; needs Graphviz
	$(BIN)/snakemake --rulegraph | grep -v 'label = "study"\|-> 0$$' | sed 's/, color = .*"]/]/' | tred | \
	  dot -Grankdir=LR -Gbgcolor=transparent -Nshape=box -Nstyle=rounded,filled -Nfillcolor='#eef3fb' -Ncolor='#4c72b0' \
	    -Nfontname=Helvetica -Ecolor='#7f7f7f' -Tsvg > docs/images/dag.svg

reproduce: .venv/installed  ## compute the study of params.yaml, then record it
	$(BIN)/snakemake --cores $(CORES)
	$(BIN)/dvc repro

publish:  ## copy what docs/results shows of the study of record
	cp results/report.html $(addprefix results/figures/,fid.png samples-mnist.png samples-fashion-mnist.png real-vs-real.png) docs/results/

.venv/installed: requirements.lock pyproject.toml  ## what a study needs
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "sagan-div needs Python 3.11 or newer; name one with PYTHON=..."; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "Python's venv is missing: apt-get install python3-venv"; exit 2; }
	$(PYTHON) -m venv .venv
ifeq ($(TORCH),cpu)  # the same versions; what the lock has for Linux alone are CUDA's libraries
	@$(BIN)/python -m pip install --quiet --retries 1 --no-deps --index-url $(CPU_WHEELS) $$(sed -nE 's/^torch(vision)?==.*/&+cpu/p' requirements.lock) || \
	  { echo "$(CPU_WHEELS) cannot be reached or lacks these versions; leave out TORCH=cpu, or name a mirror of it with CPU_WHEELS=..."; exit 2; }
	grep -v 'sys_platform == "linux"' requirements.lock | $(BIN)/python -m pip install --quiet --no-deps -r /dev/stdin
else
	$(BIN)/python -m pip install --quiet -r requirements.lock
endif
	$(BIN)/python -m pip install --quiet --no-deps -e .
	touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock
	$(BIN)/python -m pip install --quiet -r requirements-dev.lock
	touch $@

clean:  ## what can be made again; data and results stay
	rm -rf .venv .snakemake logs scratch site .pytest_cache .mypy_cache .ruff_cache results/demo
