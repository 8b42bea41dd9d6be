# Two commands are enough: `make run` and `make test`. Each makes its own environment first.
# On make's command line:  make run DURATION=60 SEED=7   make run REPLAY="day1.gz day2.gz" SPEED=20
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DEV    := $(VENV)/.installed-dev
BOOKS  := $(VENV)/.installed-notebooks
PEERS  := .cache/peers/.installed
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

export NUMBA_CACHE_DIR ?= $(CURDIR)/.cache/numba
# One BLAS thread a process: on a busy core more threads are slower by orders of magnitude.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1

RUN_FLAGS := $(if $(DURATION),--duration $(DURATION)) $(if $(SEED),--seed $(SEED)) \
             $(foreach f,$(REPLAY),--replay $(f)) $(if $(SPEED),--speed $(SPEED)) \
             $(if $(DAMAGE),--damage $(DAMAGE))

SOAK_FLAGS := $(if $(SOAK_S),--seconds $(SOAK_S)) $(if $(SYMBOLS),--symbols $(SYMBOLS)) $(if $(RATE),--rate $(RATE))

FUZZ_FLAGS := $(if $(FRAMES),--frames $(FRAMES)) $(if $(SEED),--seed $(SEED)) $(if $(DATA),--data $(DATA)) \
              $(foreach v,$(VENUE),--venue $(v))

# Tests that need the machine for themselves: whole systems of processes, and their pace.
ALONE := tests/system tests/soak tests/docs

# The last line of a run is JSON for whoever reads it: make is not to speak behind it.
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.PHONY: help run paper test test-fast check format bench bench-peers notebooks soak soak-exchange fuzz schema lock setup clean

help:             ## this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(STAMP)     ## trade on paper against the mock exchange; DURATION= SEED= REPLAY= SPEED= DAMAGE=
	@$(BIN)/tidewire compile
	@$(BIN)/tidewire run --config config/system.json --config config/demo.json $(RUN_FLAGS)

paper: $(STAMP)   ## the same system on Binance's public feed, paper execution
	@$(BIN)/tidewire compile
	@$(BIN)/tidewire run --config config/system.json $(RUN_FLAGS)

test: $(DEV) check  ## set up, check, and run every test
	@$(BIN)/tidewire compile
	$(BIN)/python -m pytest -m "not slow" -n auto $(PYTEST_FLAGS)
	$(BIN)/python -m pytest -m slow -n 2 $(foreach t,$(ALONE),--ignore=$(t)) $(PYTEST_FLAGS)
	$(BIN)/python -m pytest -m slow $(ALONE) $(PYTEST_FLAGS)

test-fast: $(DEV) ## the tests that take seconds
	$(BIN)/python -m pytest -m "not slow" -n auto $(PYTEST_FLAGS)

check: $(DEV)     ## ruff, mypy strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV)    ## let ruff fix what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEV)     ## measure, as ratios to a floor taken in the same run
	@$(BIN)/tidewire compile
	$(BIN)/python -m benchmarks

notebooks: $(BOOKS) ## run every notebook, or NAMES=, and write what they show to notebooks/executed
	@$(BIN)/tidewire compile
	@$(BIN)/python -m notebooks.runner $(NAMES)

soak: $(STAMP)    ## feed SYMBOLS= at RATE= frames/s for SOAK_S= seconds; exit code 0 only when nothing is lost and memory is flat
	@$(BIN)/tidewire compile
	@$(BIN)/python -m benchmarks.soak $(SOAK_FLAGS)

soak-exchange: $(STAMP) ## trade at the mock exchange for SOAK_S= seconds behind a warm-up; exit code 0 only when its memory is flat
	@$(BIN)/tidewire compile
	@$(BIN)/python -m benchmarks.mock_exchange.soak $(if $(SOAK_S),--seconds $(SOAK_S))

fuzz: $(DEV)      ## throw FRAMES= mutated frames at every venue or VENUE=, by SEED=; DATA= is a folder of recorded market data
	@$(BIN)/tidewire compile
	@$(BIN)/python -m tests.fuzz $(FUZZ_FLAGS)

bench-peers: $(PEERS) ## install, apart from ours, what `make bench` measures ours beside (cryptofeed, nautilus_trader)

schema: $(STAMP)  ## write config/system.schema.json and docs/configuration.md anew
	$(BIN)/tidewire config schema > config/system.schema.json
	$(BIN)/tidewire config docs > docs/configuration.md

lock: $(DEV)      ## resolve the dependencies anew, with hashes (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	    --upgrade -q pyproject.toml requirements/runtime.in -o requirements/runtime.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	    --upgrade -q pyproject.toml --extra notebooks requirements/runtime.in -c requirements/runtime.txt \
	    -o requirements/notebooks.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	    --upgrade -q pyproject.toml --extra notebooks requirements/runtime.in requirements/dev.in -c requirements/runtime.txt \
	    -c requirements/notebooks.txt -o requirements/dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	    --upgrade -q requirements/peers.in -o requirements/peers.txt

setup: $(STAMP)   ## make the environment and nothing else

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Tidewire needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Set PYTHON=/path/to/python3.11")'
	@echo "[setup] making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(STAMP): $(VENV)/bin/python requirements/runtime.txt pyproject.toml
	@echo "[setup] installing locked dependencies"
	@$(PIP) install --require-hashes -r requirements/runtime.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): $(STAMP) requirements/dev.txt
	@echo "[setup] installing the test tools"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

$(BOOKS): $(STAMP) requirements/notebooks.txt
	@echo "[setup] installing what the notebooks need"
	@$(PIP) install --require-hashes -r requirements/notebooks.txt
	@touch $@

$(PEERS): requirements/peers.txt | $(VENV)/bin/python
	@echo "[setup] making .cache/peers"
	@$(BIN)/python -m venv .cache/peers
	@.cache/peers/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/peers.txt
	@touch $@

clean:            ## remove the environment, caches and run state
	rm -rf $(VENV) .cache state .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
