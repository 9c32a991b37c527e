# `make run` and `make test` do all that they need first; `make help` lists the rest.

PYTHON ?= python3
BIN := .venv/bin
PROCESSES ?= auto
CHROMIUMS := chromium chromium-browser google-chrome
FIREFOXES := firefox firefox-esr

.DEFAULT_GOAL := help
.PHONY: help setup run check test soak bench audit lock page chromium firefox clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*##/\1#/p' $(MAKEFILE_LIST) | awk -F'#' '{printf "make %-8s %s\n", $$1, $$2}'

setup: .venv/.installed page  ## install the dependencies into .venv and static/, and build the page

run: setup  ## run Mailpulse on this machine, with a demo campaign; ARGS="--port 9000" adds options
	@$(BIN)/python -m dashboard up --demo $(ARGS)

check: setup .venv-checkov/.installed  ## check format, lint, types, imports, templates, AsyncAPI; makes no AWS calls
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@$(MAKE) --no-print-directory .checked/templates .checked/asyncapi .checked/page

# Slow checks run again only if one of their inputs has changed.
.checked/templates: $(wildcard infrastructure/*) requirements-checkov.txt requirements-dev.txt
	$(BIN)/cfn-lint infrastructure/*.yaml
	.venv-checkov/bin/checkov --directory infrastructure --framework cloudformation \
		--skip-download --compact --quiet
	@mkdir -p $(@D) && touch $@

.checked/asyncapi: $(shell find docs/asyncapi* tests/messages tests/support tests/unit/test_asyncapi* \
		chalicelib app.py requirements*.txt -type f -not -name '*.pyc')
	$(BIN)/python -m pytest -q tests/unit/test_asyncapi*.py
	@mkdir -p $(@D) && touch $@

.checked/page: $(shell find static -type f -not -path '*/node_modules/*' -not -path '*/dist/*')
	cd static && npm run --silent check
	@mkdir -p $(@D) && touch $@

test: check chromium firefox tests/dynalite/node_modules/.package-lock.json  ## check, then every test: unit, integration, end to end, browser
	cd static && npm test --silent
	$(BIN)/python -m pytest -q -n $(PROCESSES) --dist loadscope --no-loadscope-reorder

soak: check  ## kill each command at each of its calls; count a million events, and 100,000 on the emulator, with faults; takes hours
	$(BIN)/python bench/interruptions.py
	HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest -q --timeout 3600 tests/laws
	$(BIN)/python bench/soak.py memory
	$(BIN)/python bench/soak.py emulator

bench: setup  ## compare performance and rules for bots with other implementations; ROWS="decode" or "bots" selects rows
# First, because the other rows end `make` if one misses its target.
ifneq ($(filter bots,$(or $(ROWS),bots)),)
	$(BIN)/python bench/bots.py --no-perturbations --campaigns 2
endif
ifneq ($(ROWS),bots)
	$(BIN)/python bench/run.py $(filter-out bots,$(ROWS))
endif

audit: setup chromium bench/lighthouse/node_modules/.package-lock.json  ## measure the page: Lighthouse, a burst of pushes, memory, time to the first number
	$(BIN)/python bench/page.py

# One lock for each platform and version of Python: docs/decisions/0022-dependencies-are-locked.md.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes

lock: .venv/.installed  ## lock the packages in requirements*.in, with hashes; UPGRADE=--upgrade also upgrades transitive dependencies
	$(LOCK) $(UPGRADE) --output-file requirements.txt requirements.in
	$(LOCK) $(UPGRADE) --output-file requirements-dev.txt requirements-dev.in
	$(LOCK) $(UPGRADE) --output-file requirements-checkov.txt requirements-checkov.in

bench/lighthouse/node_modules/.package-lock.json: bench/lighthouse/package-lock.json
	cd bench/lighthouse && npm ci --no-audit --no-fund --silent
	@touch $@

# An in-memory server needs no native module, so no install script has to run.
tests/dynalite/node_modules/.package-lock.json: tests/dynalite/package-lock.json
	cd tests/dynalite && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

clean:  ## remove everything that `make` created; keeps the data in .mailpulse
	rm -rf .venv .venv-checkov .checked static/node_modules static/dist bench/lighthouse/node_modules \
		tests/dynalite/node_modules .mypy_cache .ruff_cache .pytest_cache \
		.import_linter_cache .hypothesis

# Each Python is tested before it is used: pyenv has shims for versions that it cannot run, and
# Debian's Python has no ensurepip without the package python3-venv.
SUITABLE := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 15))

.venv/.installed: requirements-dev.txt pyproject.toml
	@$(BIN)/python -c '$(SUITABLE)' 2>/dev/null || { \
		for python in $(PYTHON) python3.13 python3.12 python3.11 python3.14; do \
			if $$python -c '$(SUITABLE)' 2>/dev/null; then break; fi; python=; \
		done; \
		if [ -z "$$python" ]; then \
			echo "Mailpulse needs Python 3.11, 3.12, 3.13 or 3.14 with venv, and none was found." \
				"Install one (Debian: apt-get install python3 python3-venv), or pass its path:" \
				"make PYTHON=/path/to/python3.12" >&2; \
			exit 1; \
		fi; \
		echo "Creating .venv with $$python …" >&2; \
		$$python -m venv --clear .venv; \
	}
	@echo "Installing Python packages into .venv …" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--no-deps --no-build-isolation --config-settings editable_mode=compat --editable .
	@touch $@

# Its dependencies conflict with those of requirements-dev.txt: it pins a different boto3.
.venv-checkov/.installed: requirements-checkov.txt | .venv/.installed
	@echo "Installing checkov into .venv-checkov …" >&2
	@$(BIN)/python -m venv --clear .venv-checkov
	@.venv-checkov/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes -r requirements-checkov.txt
	@touch $@

page: .venv/.installed
	@$(BIN)/python -m dashboard.deploy.frontend

chromium:
	$(call installed,Chromium,$(CHROMIUMS),chromium)

firefox:
	$(call installed,Firefox,$(FIREFOXES),firefox-esr)

# Its name, the programs of which one is needed, and Debian's package.
define installed
	@found() { for name in $(2); do command -v $$name && return; done; false; }; \
	found >/dev/null && exit; \
	if [ -f /etc/debian_version ] && [ "$$(id -u)" = 0 ]; then \
		echo "Installing $(1) …" >&2; \
		apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
			apt-get -qq -y install --no-install-recommends $(3); \
		found >/dev/null && exit; \
	fi; \
	echo "The page is tested in $(1), and none of $(2) is on PATH." \
		"Install one (Debian: apt-get install $(3)) and run this again." >&2; \
	exit 1
endef
