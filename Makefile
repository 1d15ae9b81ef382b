# `make demo` and `make test` set themselves up: Debian 12 or the like, Python 3.11+, git and make are all they need.
PYTHON ?= python3
CORES ?= 2
BIN := .venv/bin
DEMO := workflow/overlays/demo.yaml

.PHONY: demo test test-all lint format docs reproduce publish clean

demo: .venv/installed  ## the whole study of seven methods on small digits, in minutes
	$(BIN)/snakemake --cores $(CORES) --configfile $(DEMO) --quiet rules
	@$(BIN)/sagan-div summary --overlay $(DEMO)

test: .venv/installed  ## what every change must pass
	$(BIN)/pytest -m "not slow" --numprocesses $(CORES) --dist loadfile

test-all: .venv/installed  ## also the long ones
	$(BIN)/pytest --numprocesses $(CORES) --dist loadfile

lint: .venv/installed  ## formats, types and the workflow's own lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check workflow
	$(BIN)/snakemake --lint

format: .venv/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt workflow

docs: .venv/installed  ## the site of docs/, into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

reproduce: .venv/installed  ## compute the study of params.yaml, then record it
	$(BIN)/snakemake --cores $(CORES)
	$(BIN)/dvc repro

publish:  ## copy what docs/results shows of the study of record
	cp results/report.html $(addprefix results/figures/,fid.png samples-mnist.png samples-fashion-mnist.png floor-mnist.png floor-fashion-mnist.png) docs/results/

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "sagan-div needs Python 3.11 or newer; name one with PYTHON=..."; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "Python's venv is missing: apt-get install python3-venv"; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps -e .
	touch $@

clean:  ## what can be made again; data and results stay
	rm -rf .venv .snakemake logs scratch site .pytest_cache .mypy_cache .ruff_cache results/demo
