# The house's front door. `make help` lists what there is.
PYTHON ?= python3
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS ?= 1

UV := .venv/bootstrap/bin/uv
ENCLAVE := .venv/enclave/bin/p4dp-enclave
TESTS := .venv/tests/bin
BESIDE := -n logical --maxprocesses 4 --dist loadgroup
SDK_SOURCES := $(shell find p4dp_sdk -type f ! -path '*/__pycache__/*' 2>/dev/null | sed 's/ /\\ /g')

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

up: setup ## start the enclave; Ctrl-C stops all of it
	@exec $(ENCLAVE) up

setup: $(ENCLAVE) .venv/identity/.ready .venv/workspace/.sdk ## make the environments from their locks
	@:

test: setup .venv/tests/.ready .venv/spark/.ready browser java check ## everything that proves the product (half an hour or more)
	@$(TESTS)/python -m pytest $(BESIDE)

test-fast: setup .venv/tests/.ready ## the tests that start no enclave
	@$(TESTS)/python -m pytest $(BESIDE) -m "not enclave and not bench"

check: .venv/tests/.ready ## lint, format, types, import contracts
	@$(TESTS)/ruff check .
	$(TESTS)/ruff format --check .
	$(TESTS)/mypy
	$(TESTS)/lint-imports --no-cache

fix: .venv/tests/.ready ## format, and mend what can be mended
	@$(TESTS)/ruff check --fix .
	$(TESTS)/ruff format .
	PYTHONPATH=tests/docs $(TESTS)/python -m notebooks fix

bench: setup .venv/tests/.ready ## figures, recorded and never asserted (long)
	@$(TESTS)/python -m pytest tests/benchmarks -m bench -s

docs: .venv/tests/.ready ## write the generated reference pages
	@PYTHONPATH=.:tests/docs $(TESTS)/python -m reference

lock: .venv/bootstrap/.ready ## compile the locks anew
	@$(UV) pip compile -q --upgrade --generate-hashes --no-header --python-version 3.11 --override images/overrides.txt tests/requirements.in -o tests/requirements.txt
	for each in bootstrap enclave workspace; do
	  $(UV) pip compile -q --upgrade --generate-hashes --no-header --python-version 3.11 --override images/overrides.txt -c tests/requirements.txt images/$$each/requirements.in -o images/$$each/requirements.txt
	done
	for each in identity spark; do
	  $(UV) pip compile -q --upgrade --generate-hashes --no-header --python-version 3.11 images/$$each/requirements.in -o images/$$each/requirements.txt
	done

browser: ## Chromium for the journeys, from Debian
	@command -v chromium >/dev/null && exit 0
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	  echo "Installing Chromium for the browser tests…"
	  apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium fonts-dejavu-core >/dev/null
	else
	  echo "The browser tests need Chromium: run 'sudo apt-get install chromium', then 'make test' again." >&2; exit 1
	fi

java: ## Java for Spark, from Debian
	@command -v java >/dev/null && exit 0
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	  echo "Installing Java for the tests on Spark…"
	  apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends openjdk-17-jre-headless >/dev/null
	else
	  echo "The tests on Spark need Java: run 'sudo apt-get install openjdk-17-jre-headless', then 'make test' again." >&2; exit 1
	fi

clean: ## remove the environments (never the data in .p4dp)
	@rm -rf .venv dist

.venv/bootstrap/.ready: images/bootstrap/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; this is $$($(PYTHON) --version). Try 'make PYTHON=python3.11 …'." >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv/bootstrap || { echo "Python's venv module is missing: run 'sudo apt-get install python3-venv'." >&2; exit 1; }
	.venv/bootstrap/bin/pip install -q --disable-pip-version-check --require-hashes -r $<
	touch $@

.venv/%/.ready: images/%/requirements.txt .venv/bootstrap/.ready
	@echo "Making the $* environment…"
	$(UV) venv -q --allow-existing --python $(PYTHON) .venv/$*
	$(UV) pip install -q --python .venv/$*/bin/python --no-deps --compile-bytecode --require-hashes -r $<
	touch $@

.venv/tests/.ready: tests/requirements.txt .venv/bootstrap/.ready
	@echo "Making the tests' environment…"
	$(UV) venv -q --allow-existing --python $(PYTHON) .venv/tests
	$(UV) pip install -q --python .venv/tests/bin/python --no-deps --compile-bytecode --require-hashes -r $<
	touch $@

# The SDK reaches a workspace as its wheel and nothing else.
.venv/workspace/.sdk: .venv/workspace/.ready pyproject.toml README.md $(SDK_SOURCES)
	@rm -rf dist
	SOURCE_DATE_EPOCH=1600000000 .venv/bootstrap/bin/python -m hatchling build -t wheel >/dev/null 2>&1
	$(UV) pip install -q --python .venv/workspace/bin/python --no-deps --compile-bytecode --reinstall dist/p4dp_sdk-*.whl
	touch $@

$(ENCLAVE): .venv/enclave/.ready Makefile
	@printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s/.venv/enclave/bin/python" -m hub_config.cli "$$@"\n' "$(CURDIR)" "$(CURDIR)" > $@
	chmod 755 $@

.PHONY: help up setup test test-fast check fix bench docs lock browser java clean
.SECONDARY:
