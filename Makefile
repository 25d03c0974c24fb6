# Two commands matter: `make run` and `make test`. Both build .venv first, once; stamps make the next run instant.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := setup
.DELETE_ON_ERROR:

PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3.14 python3; do \
  if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then command -v $$name; break; fi; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
CODE := schemas producers streams consumers deploy tests
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
PURE := $(VENV)/pure-tests.log
PEERS := .venv-peers
BENCH ?=
NEED_MB := 1500
CHAOS ?= --kills 220 --seed 7

.PHONY: setup help run test chaos bench lint fmt lock clean

setup: $(DEV) help ## .venv with everything (plain make)

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: $(RUNTIME) ## the whole bus on this machine, with the demonstration; Ctrl-C stops it
	@exec $(BIN)/samspil up --clock events --demo

test: lint chromium ## lint, types, layers and every test, on real Kafka and PostgreSQL
	@$(MAKE) --no-print-directory -j2 pure services

# The pure tests take one core for minutes, the others wait for services most of the time: so both at once.
.PHONY: pure services
pure: $(DEV)
	@$(BIN)/python -m pytest -q tests/unit > $(PURE) 2>&1 || { cat $(PURE); exit 1; }
	@echo && echo "== the pure tests: $$(tail -n 1 $(PURE))"

services: $(DEV)
	@$(BIN)/python -m pytest tests/acceptance tests/contract tests/integration

chaos: $(DEV) ## the proof under failure, about 20 min; CHAOS="--kills 40 --brokers 3" for another
	@$(BIN)/python -m tests.chaos $(CHAOS)

lint: $(DEV) ## ruff, mypy and the arrows between the packages
	@echo "== ruff" && $(BIN)/ruff check $(CODE) && $(BIN)/ruff format --check $(CODE)
	@echo "== mypy" && $(BIN)/mypy
	@echo "== import-linter" && $(BIN)/lint-imports

fmt: $(DEV) ## format and mend what ruff can
	@$(BIN)/ruff format $(CODE) && $(BIN)/ruff check --fix $(CODE)

lock: $(DEV) ## new lock files from pyproject.toml, with the registry's hashes
	@deploy/lock

bench: $(RUNTIME) $(PEERS)/.ready ## the bus beside other ways to do the same, about half an hour; BENCH="--quick" for a look
	@$(BIN)/samspil bench $(BENCH)

clean: ## .venv, caches and the embedded default's data
	@if [ -x $(BIN)/samspil ]; then $(BIN)/samspil down || true; fi
	@rm -rf $(VENV) $(PEERS) .samspil .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.PHONY: chromium
chromium:
	@if command -v chromium chromium-browser google-chrome >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "== Chromium for the browser tests (once, about a minute)"; \
	  (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium) >/dev/null \
	  || { echo "Chromium could not be installed: install the package chromium, then run make test again." >&2; exit 1; }; \
	else echo "Chromium is missing: install the package chromium, then run make test again." >&2; exit 1; fi

$(VENV)/bin/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	|| { echo "Python 3.11 or newer is missing: install it, or name one with make PYTHON=/path/to/python3 ..." >&2; exit 1; }
	@free=$$(df -Pm . | awk 'NR==2 {print $$4}'); [ "$$free" -ge $(NEED_MB) ] \
	|| { echo "The disk is nearly full: $$free MB free here, about $(NEED_MB) MB are needed." >&2; exit 1; }
	@echo "== Python environment in $(VENV)"
	@"$(PYTHON)" -m venv $(VENV) \
	|| { rm -rf $(VENV); echo "Python's venv module is missing: on Debian install the package python3-venv." >&2; exit 1; }

$(RUNTIME): requirements.txt pyproject.toml | $(VENV)/bin/python
	@echo "== Dependencies (once, a minute or two)"
	@$(PIP) install --quiet --progress-bar off --require-hashes -r requirements.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements-dev.txt $(RUNTIME)
	@echo "== Dependencies of the tests (once)"
	@$(PIP) install --quiet --progress-bar off --require-hashes -r requirements-dev.txt
	@touch $@

$(PEERS)/.ready: requirements-peers.txt | $(VENV)/bin/python
	@echo "== Environment of the frameworks that are measured beside the bus, in $(PEERS) (once)"
	@rm -rf $(PEERS) && "$(PYTHON)" -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip --disable-pip-version-check install --quiet --progress-bar off --require-hashes -r $<
	@touch $@
