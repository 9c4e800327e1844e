# make demo, make test: two commands on a fresh machine. `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 3000
BIN := .venv/bin
SETUP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test infra-test lint docs bench audit lambda ui sandbox clean setup requirements

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(SETUP) ## the environment in .venv, from pinned and hashed requirements

$(SETUP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "db-admin-report needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Installing into .venv (once, about a minute) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt \
	  2> >(grep -v 'is ignored: it is' >&2)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e . \
	  2> >(grep -v 'is ignored: it is' >&2)
	@touch $@

demo: $(SETUP) ## a whole report in a local AWS: evidence in .sandbox/evidence/
	@$(BIN)/python -m sandbox run --copy-reports .sandbox/evidence --expect-exit 3 -- $(BIN)/db-admin-report generate

test: $(SETUP) ## every test, with the coverage gate
	@$(BIN)/python -m sandbox.setup
	@$(BIN)/coverage erase
	@$(BIN)/pytest --cov --cov-report=term

infra-test: $(SETUP) ## every stack rendered with Pulumi's mocks, policies linted
	@$(BIN)/pytest tests/infra -W ignore::DeprecationWarning

lint: $(SETUP) ## ruff, mypy --strict, import rules, generated documents
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m docs.generate --check

docs: $(SETUP) ## the documents that are made from code: rules, the reader's rights
	@$(BIN)/python -m docs.generate

bench: $(SETUP) ## the figures the docs name, with the method
	@$(BIN)/python -m sandbox.setup
	@$(BIN)/python -m benchmarks

audit: $(SETUP) ## known vulnerabilities, risky code, secrets in files, the Dockerfile
	@$(BIN)/python -m audit

lambda: $(SETUP) ## dist/worker_lambda.zip
	@$(BIN)/python -m infra.lambda_package

ui: $(SETUP) ## sandbox and Dagster UI on 127.0.0.1:3000 (or PORT=...), with three reports in it
	@$(BIN)/python -m sandbox ui --port $(PORT)

sandbox: $(SETUP) ## the sandbox in the foreground; prints the environment for the CLI
	@$(BIN)/python -m sandbox

requirements: ## pin again after a change of pyproject.toml (needs uv)
	@for extra in dev deployed pipeline worker; do \
	  uv pip compile --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-annotate \
	    --quiet pyproject.toml --extra $$extra -o requirements/$$extra.txt; done
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-annotate \
	    --quiet requirements/sandbox-aws.in -o requirements/sandbox-aws.txt
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-annotate \
	    --quiet requirements/audit.in -o requirements/audit.txt

clean: ## everything that was made here
	rm -rf .venv .sandbox dist build *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache .coverage* .import_linter_cache
