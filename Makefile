# Keelson: `make demo` and `make test` work on a machine that has Python 3.11 and nothing else. `make help` lists all.
.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := /bin/bash
# The system's Python 3.11 where there is one: Debian's is built with profiles and takes a fifth less time than one compiled at home.
PYTHON ?= $(or $(wildcard /usr/bin/python3.11),python3)
BIN := .venv/bin
# Test processes at once: two more than cores, because a fifth of their time they wait for sockets, sleeps and PostgreSQL,
# and no more than memory likes.
JOBS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$(( n > 6 ? 8 : n + 2 )))
# A test in a browser keeps half a core busy, the rest it waits: for pages, and for what moves to stand still.
BROWSERS ?= $(JOBS)
APPS := launcher crm clients leads support kyc compliance trading wallet ib prop monitoring risk portal reports sandbox
# A deployment's settings, with secrets that nobody uses.
DEPLOYMENT = DJANGO_SETTINGS_MODULE=crm.settings.production SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_hex(40))') \
	KEELSON_FIELD_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_hex(32))') \
	KEELSON_SEAL_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_hex(32))') KEELSON_TRUSTED_PROXIES=1 REDIS_URL=redis://localhost:6379/0 \
	EMAIL_URL=smtp+tls://user:password@mail.example.com:587 KEELSON_HOSTS=crm.example.com KEELSON_BASE_URL=https://crm.example.com KEELSON_LIVE_URL=https://crm.example.com
# Compiled once and kept, whatever the machine's default: tests start a hundred processes, and each would compile it all again.
unexport PYTHONDONTWRITEBYTECODE
# Memory in pages of 2 MB where the kernel gives them (Linux, glibc 2.35): a process walks 250 MB of objects, and with pages of 4 KB it
# spends a fifth to a third of its time on finding them. Python's own allocator can't ask for such pages, glibc's can.
export PYTHONMALLOC ?= malloc
export GLIBC_TUNABLES ?= glibc.malloc.hugetlb=1
# Where libraries are that were unpacked without root (deploy/bootstrap.py); absent on most machines.
-include var/system.mk

.PHONY: help install servers demo run test unit browser smoke production mutants lint format bench screenshots messages lock stop clean

help: ## show this list
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 14

install: ## install what Keelson and its tests need (every target below does so first)
	@$(PYTHON) deploy/bootstrap.py
servers: ## install what `make production` needs besides
	@$(PYTHON) deploy/bootstrap.py --servers

# A sub-make reads var/system.mk anew after the installation wrote it.
demo: ## install, start everything, load a demo brokerage, print the address and logins; Ctrl-C stops
	@$(PYTHON) deploy/bootstrap.py --runtime-only && $(MAKE) --no-print-directory _demo
_demo:
	@exec $(BIN)/python -m launcher.supervisor --demo

run: ## install and start everything without demo data; Ctrl-C stops
	@$(PYTHON) deploy/bootstrap.py --runtime-only && $(MAKE) --no-print-directory _run
_run:
	@exec $(BIN)/python -m launcher.supervisor

# $(call tests,WHICH,PROCESSES,WHERE,NAME): what fails among others is run once more by itself, and named either way. On a machine
# that somebody else keeps busy a deadline may pass; a fault that comes back alone is a fault. By itself: after all that runs beside it.
ALONE := var/alone.lock
define tests
	flock --shared $(ALONE) $(BIN)/pytest -q -n $(2) --dist worksteal -m "$(1)" -o cache_dir=.pytest_cache/$(4) $(3) $(PYTEST_ARGS) || { \
		status=$$?; [ $$status -eq 1 ] || exit $$status; \
		echo "Once more, by itself, what failed above. What passes now is unsteady: mend it all the same."; \
		flock $(ALONE) $(BIN)/pytest -v -n 0 -m "$(1)" -o cache_dir=.pytest_cache/$(4) --last-failed --last-failed-no-failures none $(3); }
endef

test: ## install, check style, types and layers, run all tests, browser tests included
	@$(PYTHON) deploy/bootstrap.py && $(MAKE) --no-print-directory _test
# Everything runs beside one another: who waits for pages, sleeps and steps before leaves the cores to the tests without a browser,
# which are kept back a little (UNIT_NICE), for they alone never wait. BESIDE: targets besides. Checks that fail end the tests.
UNIT_NICE ?= 5
_test:
	@nice $(MAKE) --no-print-directory _lint & lint=$$!; \
		$(BIN)/python -m tests.ready || { status=$$?; kill $$lint; exit $$status; }; \
		parts=(); for target in $(BESIDE) _browser; do $(MAKE) --no-print-directory $$target & parts+=($$!); done; \
		nice -n $(UNIT_NICE) $(MAKE) --no-print-directory _unit & parts+=($$!); \
		wait $$lint || { status=$$?; kill "$${parts[@]}"; wait "$${parts[@]}"; exit $$status; }; \
		failed=0; for part in "$${parts[@]}"; do wait $$part || failed=$$?; done; exit $$failed

unit: ## the tests without a browser
	@$(PYTHON) deploy/bootstrap.py && $(MAKE) --no-print-directory _unit
_unit:
	$(call tests,not browser,$(JOBS),--ignore=tests/browser,unit)

browser: ## the tests in a browser
	@$(PYTHON) deploy/bootstrap.py && $(MAKE) --no-print-directory _browser
_browser:
	$(call tests,browser,$(BROWSERS),tests/browser,browser)

smoke: ## the whole journey, headless, against a fresh temporary instance
	@$(PYTHON) deploy/bootstrap.py && $(MAKE) --no-print-directory _smoke
_smoke:
	flock --shared $(ALONE) $(BIN)/python -m tests.smoke

production: ## install as on servers of one's own: a plain owner, TLS, dump, restore, proofs
	@$(PYTHON) deploy/bootstrap.py --servers && $(MAKE) --no-print-directory _production
_production:
	flock --shared $(ALONE) $(BIN)/python -m tests.production

mutants: ## put faults into the code, one at a time, and count those the tests see; MODULES="ib wallet/bonuses" SAMPLE=30 MINUTES=60
	@$(PYTHON) deploy/bootstrap.py && $(MAKE) --no-print-directory _mutants
_mutants:
	@test -d var/mutants/tools/cosmic_ray || $$(ls var/bootstrap/uv-*/bin/uv | head -1) pip install --quiet --python $(BIN)/python \
		--target var/mutants/tools --require-hashes -r requirements/mutants.txt
	@PYTHONPATH=var/mutants/tools $(BIN)/python -m tests.mutants

lint: ## style, types, layers, migrations, deployment settings
	@$(PYTHON) deploy/bootstrap.py && $(MAKE) --no-print-directory _lint
_lint:
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/djlint --lint --quiet templates
	$(BIN)/lint-imports --no-cache | tail -8; exit $${PIPESTATUS[0]}
	$(BIN)/mypy --no-error-summary $(APPS) tests/smoke
	@$(DEPLOYMENT) $(BIN)/python manage.py check --deploy --fail-level WARNING

format: install ## put Python and templates into shape
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench: ## every benchmark, quick sizes; NAME=web SIZE=full for one at full size
	@$(PYTHON) deploy/bootstrap.py && $(MAKE) --no-print-directory _bench
_bench:
	@for name in $(or $(NAME),$$($(BIN)/python manage.py bench | cut -d' ' -f1)); do \
		$(BIN)/python manage.py bench $$name --size $(or $(SIZE),quick) || exit 1; done

screenshots: ## take the pictures of docs/screenshots anew
	@$(PYTHON) deploy/bootstrap.py && $(MAKE) --no-print-directory _screenshots
_screenshots:
	$(BIN)/python -m tests.screenshots

css: install ## cut Tabler's stylesheet down to the classes that pages use, again
	$(PYTHON) deploy/purge_css.py

messages: install ## collect the texts to translate into the catalogues, and compile these
	$(BIN)/python manage.py compile_locale --extract

lock: install ## pin all requirements anew, with hashes
	uv=$$(ls var/bootstrap/uv-*/bin/uv | head -1); \
	flags="--universal --python-version 3.11 --generate-hashes --no-emit-index-url --quiet"; \
	$$uv pip compile pyproject.toml --extra embedded --extra mt5 --extra exports $$flags -o requirements/base.txt && \
	$$uv pip compile pyproject.toml --extra embedded --extra mt5 --extra exports --group dev $$flags -c requirements/base.txt -o requirements/dev.txt && \
	$$uv pip compile --group pyproject.toml:mutants $$flags -c requirements/dev.txt -o requirements/mutants.txt

stop: ## stop what runs on var/, wherever it was started
	@$(BIN)/python -m launcher.supervisor stop

clean: ## remove what was installed; the data under var/ stays
	rm -rf .venv var/bootstrap var/sysroot var/system.mk var/test var/staticfiles* .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
