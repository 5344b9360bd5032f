# Everything starts here: `make` lists the targets. Paths are relative, so any folder name will do.
SHELL := /bin/sh
.SHELLFLAGS := -eu -c
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := help
.PHONY: help setup up test check lint types imports web-check unit-platform unit-features format bench drill spark soak clean lock dev

PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# What `make check` leaves to `make test`: whole systems, real crashes, whatever asks for a database server (each
# test then gets a database of its own, half a second), long looks at properties.
SLOW_FOLDERS := browser flows properties services bench
FOUNDATION := platform audit access status console
# Tests wait for servers and browsers about as long as they compute.
TEST_PROCESSES ?= 2
# What `make soak` does: processes killed under load, seconds without PostgreSQL, minutes of all fault tests after that.
SOAK_ROUNDS ?= 100
SOAK_OUTAGE ?= 600
SOAK_MINUTES ?= 0

help: ## list these targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: ## install into .venv and build the web app
	@$(PYTHON) scripts/setup.py runtime web

up: setup ## start everything at http://localhost:8000; Ctrl-C stops it
	@exec $(BIN)/tianfu up

dev:
	@$(PYTHON) scripts/setup.py runtime dev web

test: ## set up what the tests need, then run all of them
	@$(PYTHON) scripts/setup.py runtime dev web browser
	@$(MAKE) -j2 --output-sync=target lint types imports web-check
	@echo "test: unit, property, flow and browser tests, in $(TEST_PROCESSES) processes"
	@$(PYTEST) -q -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

check: dev ## the fast part of the tests, without servers, under a minute once warm
	@$(MAKE) -j2 --output-sync=target unit-platform unit-features lint types imports

lint:
	@echo "test: lint and format"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .

types:
	@echo "test: types"
	@$(BIN)/mypy --no-error-summary

imports:
	@echo "test: import contracts"
	@out=$$($(BIN)/lint-imports 2>&1) || { echo "$$out"; exit 1; }

web-check:
	@$(PYTHON) scripts/setup.py web-check

# Two halves, so that two cores share them; a new folder under tests/ falls into the second by itself.
QUICK := $(PYTEST) -q -m "not slow and not server" --hypothesis-profile=quick -p no:cacheprovider
unit-platform:
	@echo "test: unit tests of the foundation"
	@$(QUICK) $(FOUNDATION:%=tests/%)

unit-features:
	@echo "test: unit tests of the features"
	@$(QUICK) $(SLOW_FOLDERS:%=--ignore=tests/%) $(FOUNDATION:%=--ignore=tests/%)

format: dev ## put every file in the one format
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

bench: setup ## measure every budget against a baseline in the same run
	@$(PYTHON) scripts/setup.py bench
	@$(BIN)/tianfu bench
	@$(BIN)/tianfu bench trace

drill: setup ## screen simulated outbreaks of 20 seeds and score the funnel against the truth
	@$(BIN)/tianfu synth drill --seeds 20 --out var/drill

spark: setup ## install what `tianfu trace files --engine spark` needs
	@$(PYTHON) scripts/setup.py spark

soak: dev ## kill SOAK_ROUNDS processes under load, then take PostgreSQL away
	@$(BIN)/python scripts/soak.py --rounds $(SOAK_ROUNDS) --outage $(SOAK_OUTAGE) --minutes $(SOAK_MINUTES)

clean: ## remove what setup made; var/ with its data stays
	@rm -rf .venv web/node_modules web/dist web/dist-report .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build
	@find src -name '*.egg-info' -type d -prune -exec rm -rf {} +
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: dev ## resolve the lock files anew from requirements/*.in
	@$(BIN)/python scripts/lock.py
