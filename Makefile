# The project's commands. `make run` and `make test` do all set-up on a fresh machine with Python 3.11+, make and git.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
NAME ?= accuracy
LOCALE ?= de
BIN := .venv/bin
MANAGE := $(BIN)/python manage.py

.PHONY: run test test-both lint bench messages clean help

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-8s %s\n", $$1, $$2}'

# The set-up is done again only when what it depends on has changed.
.venv/installed: pyproject.toml constraints.txt tools/install
	@PYTHON="$(PYTHON)" tools/install
	@touch $@

.venv/installed-dev: .venv/installed
	@tools/install dev
	@touch $@

run: .venv/installed ## Start the site and its worker; prints the address and the demo sign-in
	@$(MANAGE) run --host "$(HOST)" --port "$(PORT)"

test: .venv/installed-dev ## Run every test
	@$(MANAGE) run --prepare
	@$(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)

test-both: .venv/installed-dev ## Run the suite on SQLite and, at POSTGRES_URL, on PostgreSQL (not the browser tests again)
	@$(MAKE) --no-print-directory test
	@DATABASE_URL="$$POSTGRES_URL" $(BIN)/python -m pytest -n auto --dist loadgroup -m "not browser and not engine"

lint: .venv/installed-dev ## Check format, types, imports, migrations and production settings
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@PYTHONPATH=.:site $(BIN)/lint-imports
	@$(MANAGE) makemigrations --check --dry-run
	@SITE_URL=https://easyautoml.example.org ALLOWED_HOSTS=easyautoml.example.org $(MANAGE) check --deploy --fail-level WARNING

bench: .venv/installed-dev ## Measure side by side: make bench NAME=accuracy|serving|solving|training|pages|ingest|unseen
	@$(BIN)/python benchmarks/$(NAME).py $(ARGS)

messages: .venv/installed-dev ## Collect the texts for translators: make messages LOCALE=de
	@mkdir -p site/locale
	@$(MANAGE) makemessages --locale "$(LOCALE)" --no-obsolete --ignore .venv --ignore build

clean: ## Remove everything that a start makes (accounts and data too)
	rm -rf .venv var test-output
