# Everything a developer or operator does; `make help` lists it. Each target sets up what it needs.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
STRICT ?= 0
AT_ONCE ?= -n auto --dist loadfile
QUICK ?= 0
TOPIC ?=
LIVE ?= 0
STACK ?= paperpost
export PAPERPOST_STRICT := $(STRICT)

.PHONY: help
help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

.PHONY: setup
setup: $(VENV)/ready ## the environment (.venv) alone

# Python 3.13 from PATH or among pyenv's versions, else any python3 that is at least 3.11. Each is
# asked to start first: pyenv's shims exist for versions that are not switched on.
$(VENV)/ready: requirements/dev.txt
	@python=; \
	 for candidate in python3.13 "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.13*/bin/python3.13 python3 python3.12 python3.11; do \
	   if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi; \
	 done; \
	 [ -n "$$python" ] || { echo "make setup: no Python 3.11 or newer with its venv module found (Debian: apt-get install python3-venv)" >&2; exit 1; }; \
	 echo "Setting up $(VENV) with $$("$$python" --version) (once, about a minute) …"; \
	 rm -rf $(VENV); "$$python" -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

.PHONY: run
run: setup ## the laptop cloud with the sample day (LIVE=1: today's arXiv; PORT=8000)
	@$(BIN)/paperpost local --port $(PORT) $(if $(filter 1,$(LIVE)),--live)

.PHONY: test
test: check ## everything CI runs (STRICT=1: a missing outside tool fails)
	@$(BIN)/python -m paperpost_cli.proofs --quick
	@$(BIN)/python -m pytest -q $(AT_ONCE)

.PHONY: quick
quick: setup ## the pure tests, any system, under 30 s
	@$(BIN)/python -m pytest -q $(AT_ONCE) tests/unit

.PHONY: check
check: setup ## lint, types, import rules, template
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/cfn-lint template.yaml monitoring.yaml

SAM := .sam/bin/sam
export SAM_CLI_TELEMETRY := 0

# SAM CLI pins its own boto3 and is large: an environment of its own.
.sam/ready: $(VENV)/ready requirements/sam.txt
	@rm -rf .sam; $(BIN)/python -m venv .sam
	@.sam/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/sam.txt
	@touch $@

.PHONY: build
build: .sam/ready ## sam build, then byte code that a read-only package can use
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(SAM) build $(BUILD_ARGS)
	@$(BIN)/python -m compileall -q --invalidation-mode unchecked-hash .aws-sam/build/*/

.PHONY: deploy
deploy: build ## deploy to the AWS account of your credentials (docs/deploy.md)
	@$(SAM) deploy --guided $(DEPLOY_ARGS)

.PHONY: prove
prove: setup $(if $(filter 1,$(QUICK)),,.schemathesis/ready) ## the proofs behind the promises (TOPIC=run, QUICK=1 for a short form)
	@$(BIN)/python -m paperpost_cli.proofs $(if $(TOPIC),--topic $(TOPIC)) $(if $(filter 1,$(QUICK)),--quick)

.PHONY: screenshots
screenshots: setup ## the pictures of docs/screenshots, from the sample day (needs Chromium)
	@$(BIN)/python -m paperpost_cli.screenshots

# atheris has wheels for Linux on x86-64 alone: beside the environment, not in it.
.fuzz/ready: $(VENV)/ready requirements/fuzz.txt
	@rm -rf .fuzz; $(BIN)/python -m pip install -qq --disable-pip-version-check --only-binary :all: --require-hashes \
	  --target .fuzz -r requirements/fuzz.txt \
	  || { echo "make fuzz: atheris has no wheel for this machine (it has for Linux on x86-64)" >&2; exit 1; }
	@touch $@

.PHONY: fuzz
fuzz: .fuzz/ready ## coverage-guided fuzzing of what reads arXiv, 2 min (QUICK=1: seconds)
	@PYTHONPATH=.fuzz:tests $(BIN)/python -m fuzz.run $(if $(filter 1,$(QUICK)),--quick)

# schemathesis wants newer packages than the emulator pins: an environment of its own.
.schemathesis/ready: $(VENV)/ready requirements/schemathesis.txt
	@rm -rf .schemathesis; $(BIN)/python -m venv .schemathesis
	@.schemathesis/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/schemathesis.txt
	@touch $@

.PHONY: lock
lock: setup ## renew the lock files from pyproject.toml
	@$(BIN)/python -m pip install -qq --disable-pip-version-check uv
	@$(BIN)/uv pip compile -q --upgrade pyproject.toml --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --custom-compile-command "make lock" -o requirements/dev.txt
	@$(BIN)/uv pip compile -q --upgrade pyproject.toml --group runtime-provided --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --custom-compile-command "make lock" -c requirements/dev.txt \
	  --no-emit-package boto3 --no-emit-package botocore --no-emit-package s3transfer -o functions/requirements.txt
	@for purpose in sam fuzz schemathesis; do \
	   $(BIN)/uv pip compile -q --upgrade requirements/$$purpose.in --universal --python-version 3.11 \
	     --generate-hashes --no-emit-index-url --custom-compile-command "make lock" -o requirements/$$purpose.txt; \
	 done
