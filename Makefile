# Insula: `make help` explains every target.

# Any Python from 3.11 on; the first that is new enough wins.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done || true)
VENV := .venv/bin
DEV := exec $(VENV)/python -m devserver
PYTEST_ARGS ?=
DEMO_ARGS ?=

# PORT= and INSULA_DATA= given to make reach every command.
export PORT INSULA_DATA RELOAD

.DEFAULT_GOAL := help

.PHONY: help
help: ## show this
	@echo "make run PORT=8000 INSULA_DATA=.data   starts Insula; the targets:"
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/  \1\t\2/' | expand -t 18

.PHONY: install
install: ## install the locked requirements into .venv (every target does it when needed)
	@test -n "$(PYTHON)" || { echo "Insula needs Python 3.11 or newer, and none was found on PATH."; exit 1; }
	@exec $(PYTHON) devserver/bootstrap.py

# ---- running

.PHONY: run
run: export INSULA_STARTED_AT := $(shell date +%s)
run: export INSULA_STOP_WITH_PARENT := 1
run: install ## start everything and print where it is (RELOAD=1 restarts on changed files)
	@$(DEV) run

.PHONY: demo
demo: install ## drive the main job against a running Insula, or one started for it
	@$(DEV) demo -- $(DEMO_ARGS)

.PHONY: shell
shell: install ## a Django shell on the data directory
	@$(DEV) services -- $(VENV)/python manage.py shell

.PHONY: psql
psql: install ## an SQL prompt on the data directory's database
	@$(DEV) services -- psql

.PHONY: screenshots
screenshots: install ## a picture of every page (light, dark, phone, right-to-left) into screenshots/
	@$(DEV) against -- $(VENV)/python -m devserver.screenshots

# ---- changing

.PHONY: test
test: install ## the whole suite on servers of its own (PYTEST_ARGS="-k invoice -n 0")
	@$(DEV) test -- $(PYTEST_ARGS)

.PHONY: flows-single
flows-single: export ROLLOUT_MODE := SINGLE_TENANT
flows-single: install ## the flows on the running product once more, where everybody shares one workspace
	@$(DEV) test -- tests/flows -n 0 $(PYTEST_ARGS)

.PHONY: lint
lint: install ## style, formatting, types, import contracts: all four, even when one finds something
	@status=0; \
	$(VENV)/ruff check . || status=1; \
	$(VENV)/ruff format --check . || status=1; \
	$(VENV)/python -m devserver --settings config.settings.test environment -- $(VENV)/mypy || status=1; \
	$(VENV)/lint-imports || status=1; \
	exit $$status

.PHONY: format
format: install ## put code into its one style
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

.PHONY: migrations
migrations: install ## write migrations for changed models
	@$(DEV) services -- $(VENV)/python manage.py makemigrations

.PHONY: bench
bench: install ## measure speed (tests/bench) on servers of its own
	@$(PYTHON) devserver/bootstrap.py requirements/bench.txt
	@$(DEV) test -- tests/bench -n 0 -o python_files='bench_*.py' --timeout 600 -q --disable-warnings $(PYTEST_ARGS)

.PHONY: fuzz
fuzz: export INSULA_FUZZ_OPERATIONS ?= 70000
fuzz: install ## 210,000 interleaved operations of many tenants on three ways to the database
	@$(DEV) test -- tests/isolation/test_fuzz.py -n 0 -q --disable-warnings $(PYTEST_ARGS)

.PHONY: contract
contract: export INSULA_CONTRACT_EXAMPLES ?= 20
contract: install ## call every API operation many times, as its document allows and forbids, as each role
	@$(DEV) test -- tests/api/test_contract.py -n 0 -q --disable-warnings $(PYTEST_ARGS)

.PHONY: lock
lock: install ## compile requirements/*.in into the hash-locked *.txt
	@for name in base dev bench; do \
		$(VENV)/uv pip compile --quiet --generate-hashes --python-version 3.11 --no-emit-index-url \
			requirements/$$name.in -o requirements/$$name.txt || exit 1; done

.PHONY: inventory
inventory: install ## write what the product is made of, with licences, to dist/sbom.json (CycloneDX)
	@mkdir -p dist && $(VENV)/python -m devserver.inventory > dist/sbom.json && echo dist/sbom.json

# ---- cleaning

.PHONY: clean
clean: ## delete caches, pictures and what killed test runs left
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage staticfiles screenshots dist .data/test
	@find . -path ./.venv -prune -o -name __pycache__ -type d -exec rm -rf {} +

.PHONY: clean-data
clean-data: install ## delete the data directory: database, files, secrets
	@$(DEV) remove

.PHONY: clean-all
clean-all: clean-data clean ## delete all that make has made, .venv too
	@rm -rf .venv
