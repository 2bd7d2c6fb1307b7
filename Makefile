# Needs python3 (3.11 or newer, with its venv module) and make; all else comes from requirements.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
BENCH := bench/.venv
BENCH_READY := $(BENCH)/ready
# Real extracts for `make bench`; rows that want them say so where there are none.
ROLLBY_BENCH_DATA ?= $(wildcard ../shared/data)
export ROLLBY_BENCH_DATA
PROVE_FACTOR ?= 20
FUZZ_S ?= 60
DAY_S ?= 240

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format lock clean golden bench bench-quick prove fuzz day dist reference

help:
	@echo "make demo    set up .venv and run the main job on the embedded city"
	@echo "make test    set up .venv and run every check and test"
	@echo "make bench   measure against other routers (15 minutes; ARGS=\"--rows search\" for a part)"
	@echo "make bench-quick  the same in a minute or two"
	@echo "make fuzz    damaged messages through every reader of a feed, a minute each (FUZZ_S=600)"
	@echo "make day     a simulated day through real doors, screens, a kill, a report (minutes; DAY_S=240)"
	@echo "make prove   the equality proofs, drawn out for an hour"
	@echo "make setup   set up .venv"
	@echo "make format  put the code in shape"
	@echo "make golden  record anew what the hand-worked stops come out as"
	@echo "make reference  write docs/reference/ anew from the code"
	@echo "make lock    choose the newest versions of all libraries"
	@echo "make dist    wheel, sdist and the list of what they are made of (SBOM), into dist/"
	@echo "make clean   remove .venv, caches and the demo's maps"

setup: $(READY)

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "rollby needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 demo"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing. On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	@echo "Setting up $(VENV) (once; a few minutes) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@echo "Compiling the router (once; a minute) ..."
	@$(BIN)/python -c "import geo.past_day, geo.router, geo.snap, geo.standing"
	@touch $(READY)

demo: $(READY)
	@$(BIN)/rollby demo

test: check

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto

prove: $(READY)
	ROLLBY_PROVE_FACTOR=$(PROVE_FACTOR) $(BIN)/pytest -n auto --hypothesis-profile=prove tests/geo tests/data

day: $(READY)
	ROLLBY_REQUIRE_SERVERS=1 ROLLBY_DAY_S=$(DAY_S) $(BIN)/pytest -n 0 -s tests/day

fuzz: $(READY)
	PYTHONPATH=. $(BIN)/python scripts/fuzz.py $(FUZZ_S)

bench: $(BENCH_READY)
	@$(BENCH)/bin/python -m bench $(ARGS)

bench-quick: $(BENCH_READY)
	@$(BENCH)/bin/python -m bench --quick $(ARGS)

$(BENCH_READY): requirements.txt bench/requirements.txt
	@echo "Setting up $(BENCH) (once; a few minutes) ..."
	@$(PYTHON) -m venv --clear $(BENCH)
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt
	@touch $(BENCH_READY)

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

golden: $(READY)
	$(BIN)/python -m tests.golden.cases

dist: $(READY)
	$(BIN)/python -m hatchling build -d dist
	PYTHONPATH=. $(BIN)/python scripts/sbom.py dist

reference: $(READY)
	PYTHONPATH=. $(BIN)/python scripts/make_reference.py

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-emit-find-links --no-header

lock: $(READY)
	$(BIN)/$(LOCK) --extra dev --upgrade pyproject.toml --output-file requirements.txt
	$(BIN)/$(LOCK) --no-annotate --extra build --constraint requirements.txt pyproject.toml --output-file deploy/requirements.txt

clean:
	rm -rf $(VENV) $(BENCH) bench/out demo dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
