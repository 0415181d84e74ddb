# Everything starts from `setup`, which makes .venv with plain pip; each target is complete on a fresh machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup demo test coverage fuzz kill check bench package docs clean

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

# TASK=pneumothorax or TASK=embolism for the others.
TASK ?=
demo: setup
	$(BIN)/wetread demo $(TASK) -o $(if $(TASK),demo-$(TASK),demo) --seed 0

test: setup
	$(BIN)/pytest -q -n 2

# The same tests, and which lines of the package none of them reaches.
coverage: setup
	$(BIN)/pytest -q -n 2 --cov=wetread --cov-report=term:skip-covered

# Damaged and hostile files through everything that reads files; ends with 1 where one is not a state.
MUTANTS ?= 4500
SEED ?= 0
WETREAD_DATA ?= ../shared/data
fuzz: setup
	$(BIN)/python tests/fuzz/fuzz.py --mutants $(MUTANTS) --seed $(SEED) --data $(WETREAD_DATA)

# Commands killed at random moments and called again: files as undisturbed, nothing left over.
kill: setup
	rm -rf .kill && $(BIN)/python tests/kill/kill.py --folder .kill --seed $(SEED)

check: setup
	$(BIN)/ruff format --check src tests bench docs/hooks
	$(BIN)/ruff check src tests bench docs/hooks
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	$(BIN)/python -m bench

# The wheel and the sdist, each tried in an empty environment; EXTRA=learn with torch.
EXTRA ?=
package: setup
	$(BIN)/python tests/package/package.py --folder .package --extra "$(EXTRA)"

# The documentation, into site/; a warning is an error.
docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "site/index.html"

clean:
	rm -rf demo demo-* site bench/work .kill .package dist .pytest_cache .mypy_cache .ruff_cache
