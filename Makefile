# `make run` plays, `make test` checks. Both set themselves up: a virtual environment and a locked install in .venv.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# Settings of Python and its tools in the caller's environment are meant for other projects: a PIP_USER installs elsewhere,
# a PYTHONPATH brings other modules. What says from where packages come stays, and so does pip's own configuration.
SOURCES := INDEX_URL EXTRA_INDEX_URL FIND_LINKS NO_INDEX TRUSTED_HOST CERT CLIENT_CERT PROXY TIMEOUT DEFAULT_TIMEOUT RETRIES \
	RESUME_RETRIES CACHE_DIR NO_CACHE_DIR KEYRING_PROVIDER USE_FEATURE USE_DEPRECATED NO_INPUT CONFIG_FILE
unexport $(filter-out $(SOURCES:%=PIP_%),$(filter PIP_%,$(.VARIABLES)))
unexport $(filter PYTHON% VIRTUAL_ENV CONDA_% SETUPTOOLS_% DISTUTILS_% DIST_EXTRA_CONFIG UV_PYTHON% UV_PROJECT% \
	UV_SYSTEM_% UV_CONSTRAINT UV_OVERRIDE UV_CONFIG_FILE,$(.VARIABLES))
export PYTHONNOUSERSITE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
# Said here since a file of pip's configuration may say otherwise; what has no opposite is said on the command line.
export PIP_USER := 0
export PIP_REQUIRE_VIRTUALENV := 0
export PIP_REQUIRE_HASHES := 0
export PIP_DRY_RUN := 0
export PIP_CONSTRAINT := /dev/null

# A bet costs a quarter less CPU on an interpreter that was built with optimisations (docs/performance-log.md). Distributions'
# are, but one compiled by hand often is not: then another goes first. PYTHON=... takes any that is fit.
# An environment that is there stays as it is: `make clean` first.
PYTHONS := python3 /usr/bin/python3 python3.13 python3.12 python3.11
ifndef PYTHON
PYTHON := $(shell for one in $(PYTHONS); do \
	$$one -I taptrade/interpreter.py fit && break; [ $$? = 3 ] && slow=$${slow:-$$one}; one=$${slow:-python3}; done >/dev/null 2>&1; echo $$one)
endif
# Tools run as modules: the folder's name stands in the first line of a script, where a quote in it cannot be read.
BIN := .venv/bin
ROOMS := functions runtime jobs taptrade
KILLS ?= 200
# Tests wait for processes half of their time. A file stays with one worker, so that its tests share what they start.
WORKERS ?= -n 4 --dist loadfile --no-loadscope-reorder
LOADTEST_ARGS ?= --users 20 --spawn-rate 5 --run-time 60s

# The interpreter that made .venv may be gone, or be another one by now, and the folder may have been moved or copied.
QUESTION := $(if $(wildcard .venv/.run),installed,$(if $(wildcard $(BIN)/python),made))
ifneq ($(QUESTION),)
ifneq ($(filter-out help clean,$(MAKECMDGOALS)),)
ifneq ($(shell $(BIN)/python -I taptrade/interpreter.py $(QUESTION) >/dev/null 2>&1 || [ $$? = 3 ] && echo ours),ours)
$(error .venv was made for another folder, or by a Python that has gone or changed; `make clean`, then the same again)
endif
endif
endif

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

.PHONY: run
run: .venv/.run ## start everything; Ctrl-C stops it
	@exec $(BIN)/python -I -u -m taptrade up

.PHONY: dev
dev: .venv/.run ## start everything and take up changed sources at once; errors are shown here and as the answer
	@exec $(BIN)/python -I -u -m taptrade up --reload

.PHONY: check
check: .venv/.dev format-check lint types ## the quick checks, in a minute: format, lint, types and the unit tests
	@echo "== unit tests"; $(BIN)/python -m pytest -q -m unit -n 2 --dist loadfile --no-loadscope-reorder $(TESTS)

.PHONY: test
test: .venv/.dev format-check lint types security tests ## every check and every test

.PHONY: tools
tools: .venv/.dev ## install the tools that format, check and test, and run none of them

.PHONY: format
format: .venv/.dev ## format the sources
	@$(BIN)/python -m ruff format -q . && $(BIN)/python -m ruff check -q --fix-only .

.PHONY: format-check
format-check: .venv/.dev
	@echo "== format"; $(BIN)/python -m ruff format --check .

.PHONY: lint
lint: .venv/.dev ## lint
	@echo "== lint"; $(BIN)/python -m ruff check .

.PHONY: types
types: .venv/.dev ## check the types, strictly
	@echo "== types"; $(BIN)/python -m mypy

.PHONY: security
security: .venv/.dev ## scan for unsafe code
	@echo "== security"; $(BIN)/python -m bandit -q -c pyproject.toml -r $(ROOMS)

.PHONY: tests
tests: .venv/.dev build/node/.installed ## run the tests (TESTS="tests/runtime/game -k payout")
	@echo "== tests"; $(BIN)/python -m pytest -q $(WORKERS) $(TESTS)

.PHONY: coverage
coverage: .venv/.dev build/node/.installed ## run the tests, leave build/coverage.json, fail where too little was reached
	@rm -rf build/coverage && mkdir -p build/coverage
	@$(BIN)/python -m coverage run -m pytest -q $(WORKERS) $(TESTS)
	@$(BIN)/python -m coverage combine -q && $(BIN)/python -m coverage json -q -o build/coverage.json
	@$(BIN)/python -m coverage report
	@$(BIN)/python -m tests.coverage_gates

.PHONY: audit-deps
audit-deps: .venv/.release ## look up known holes in the locked packages (needs the network)
	@$(BIN)/python -m pip_audit --strict --require-hashes --disable-pip -r requirements-dev.lock

.PHONY: release
release: .venv/.release ## wheel, container context, SBOM, audit of dependencies and notes into build/release (AUDIT=no leaves the audit out)
	@$(BIN)/python -m release $(if $(filter no,$(AUDIT)),--no-audit)

.PHONY: changelog
changelog: .venv/.dev ## put the fragments of changes/ into CHANGELOG.md, under the version of taptrade/__init__.py
	@$(BIN)/python -m release.changelog

.PHONY: chaos
chaos: .venv/.dev ## kill and break under load, then count (KILLS=200, API_WORKERS=2); leaves build/chaos.json
	@$(BIN)/python -m tests.chaos.run --kills $(KILLS) $(if $(API_WORKERS),--workers $(API_WORKERS))

.PHONY: chaos-writers
chaos-writers: .venv/.dev ## break two PostgreSQLs and two writers under load, then count (FAULTS=33, RATE=100, SEED=); needs PostgreSQL
	@$(BIN)/python -m tests.chaos.two_writers.run $(if $(FAULTS),--faults $(FAULTS)) $(if $(RATE),--rate $(RATE)) $(if $(SEED),--seed $(SEED))

# Patroni belongs to no release of ours. Its server runs as another user, who must be able to run this Python too.
PATRONI := build/patroni
$(PATRONI)/.done: tests/chaos/failover/requirements.txt
	@/usr/bin/python3 -m venv --clear $(PATRONI)
	@$(PATRONI)/bin/python -m pip install -q -r tests/chaos/failover/requirements.txt
	@touch $@

.PHONY: chaos-cluster
chaos-cluster: .venv/.dev $(PATRONI)/.done ## break three machines with two PostgreSQLs under Patroni, and count (FAULTS=200 RATE=300 SEED=1; root, etcd)
	@$(BIN)/python -m tests.chaos.failover.run --patroni $(PATRONI)/bin/patroni --faults $(or $(FAULTS),200) \
		--rate $(or $(RATE),300) $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(WRITE),--write)

.PHONY: cluster-drill
cluster-drill: .venv/.dev ## break the containers of compose.cluster.yaml as they run here, under load, and count (URL= ONLY="primary" RATE=20; root)
	@$(BIN)/python -m tests.cluster.run $(if $(URL),--url $(URL)) $(if $(RATE),--rate $(RATE)) $(if $(ONLY),--only $(ONLY))

.PHONY: drill
drill: .venv/.dev ## lose the machine under load, restore from the replica elsewhere, and count (ROUNDS=10)
	@$(BIN)/python -m tests.chaos.drill $(if $(ROUNDS),--rounds $(ROUNDS))

.PHONY: power-cuts
power-cuts: .venv/.dev ## cut the power at any moment under load, and count (CUTS=1000; needs strace); leaves build/power-cuts.json
	@$(BIN)/python -m tests.chaos.power.cuts $(if $(CUTS),--cuts $(CUTS))

.PHONY: cert
cert: .venv/.run ## a certificate of this machine for development, in build/tls
	@$(BIN)/python -m taptrade.certificate build/tls

.PHONY: deploy-drill
deploy-drill: .venv/.dev ## let releases take over under load, forth and back, and count (TIMES=2)
	@$(BIN)/python -m tests.systemd.run $(if $(TIMES),--times $(TIMES))

.PHONY: loadtest
loadtest: .venv/.dev ## players who sign in and tap, for a minute; starts a server if none runs
	@$(BIN)/python -m locust -f loadtest/locustfile.py --headless --only-summary $(LOADTEST_ARGS)

.PHONY: bench
bench: .venv/.dev ## signed bets through the real system at fixed rates (RATES=3000, GESTURE=10), or against another build (AGAINST=REV ROUNDS=6)
	@$(BIN)/python -m loadtest $(if $(AGAINST),against --revision $(AGAINST),bench) $(if $(RATES),--rates $(RATES)) \
		$(if $(GESTURE),--gesture $(GESTURE)) $(if $(ROUNDS),--rounds $(ROUNDS))

.PHONY: bench-guard
bench-guard: .venv/.dev ## before a release: this build's ratios against the last one's (RECORD=1 AGAINST=REV writes them; RUN=build/against.json)
	@$(BIN)/python -m loadtest guard $(if $(RECORD),--record) $(if $(AGAINST),--revision $(AGAINST)) \
		$(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(RUN),--run $(RUN))

.PHONY: soak
soak: .venv/.dev ## a steady rate for long, watched for what grows (MINUTES=30 RATE=500); leaves build/soak.json
	@$(BIN)/python -m loadtest soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(RATE),--rate $(RATE))

.PHONY: spike
spike: .venv/.dev ## from nothing to 5,000 bets a second in ten seconds, and back
	@$(BIN)/python -m loadtest spike

.PHONY: bench-streams
bench-streams: .venv/.dev ## thousands of readers of the stream while bets are placed (CLIENTS=5000, CROWD=price)
	@$(BIN)/python -m loadtest streams $(if $(CLIENTS),--clients $(CLIENTS)) $(if $(CROWD),--crowd $(CROWD))

.PHONY: bench-growth
bench-growth: .venv/.dev ## the writer's commits as the tables grow (ROWS=20000000)
	@$(BIN)/python -m loadtest growth $(if $(ROWS),--rows $(ROWS))

.PHONY: bench-sizes
bench-sizes: .venv/.dev ## single steps against how many accounts, entries and open bets there are (ACCOUNTS=10000000)
	@$(BIN)/python -m loadtest sizes $(if $(ACCOUNTS),--accounts $(ACCOUNTS))

.PHONY: bench-history
bench-history: .venv/.dev ## seven days of ticks: room, pages of prices and candles, trimming (HOURS=24)
	@$(BIN)/python -m loadtest history $(if $(HOURS),--hours $(HOURS))

.PHONY: self-closing
self-closing: .venv/.dev ## what the house's own count of its bets closes, and when (RECORDINGS="FILE ..." YEARS=1000)
	@$(BIN)/python -m loadtest.self_closing $(RECORDINGS) $(if $(YEARS),--years $(YEARS))

.PHONY: page-figures
page-figures: .venv/.dev ## how fast the page is in a browser, and how heavy; leaves build/page/figures.json (URL=http://127.0.0.1:8000)
	@$(BIN)/python -m tests.page.figures $(if $(URL),--url $(URL))

# The JavaScript clients that tests make and run; without npm, or where it reaches nothing, these tests are left out.
build/node/.installed: tests/clients/package.json tests/clients/package-lock.json
	@rm -rf build/node && mkdir -p build/node && cp $^ build/node
	@if command -v npm >/dev/null; then echo "installing the packages of JavaScript clients into build/node"; \
		npm ci --prefix build/node --silent --ignore-scripts --no-fund --no-audit && touch $@ || rm -rf build/node/node_modules; fi
	@[ -e $@ ] || echo "WARNING: no npm packages: the tests that JavaScript clients play in are left out" >&2

LOCK = $(BIN)/python -m uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header --annotation-style line $(if $(UPGRADE),--upgrade)
.PHONY: lock
lock: .venv/.dev ## write the lock files anew; UPGRADE=1 takes newer releases
	@$(LOCK) --group build -o requirements-build.lock
	@$(LOCK) --group cluster -o cluster/requirements.lock
	@$(LOCK) pyproject.toml -o requirements.lock
	@$(LOCK) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	@$(LOCK) pyproject.toml --group dev --group release -c requirements-dev.lock -o requirements-release.lock

.PHONY: clean
clean: ## remove the environment and what the checks left; the data folder stays
	@rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A bare Debian has python3 and pip but not ensurepip, so the environment is made without pip and filled from outside.
$(BIN)/python:
	@case "$$PWD" in *[:\$$]*) echo "make: the path of this folder has a colon or a dollar sign, and no virtual" \
		"environment can be filled there; move it" >&2; exit 1;; esac
	@wrong=$$("$(PYTHON)" -I taptrade/interpreter.py fit 2>/dev/null) || [ $$? = 3 ] || { echo "make: $(PYTHON)" \
		"$${wrong:-cannot be run, or is far too old}; install such a Python, or name one: PYTHON=/path/to/python3" >&2; exit 1; }
	@rm -rf .venv && "$(PYTHON)" -I -m venv --without-pip .venv

# Every package has a wheel but crontab, which is pure Python: the locked setuptools builds it, as it builds the project.
PIP = "$(PYTHON)" -I -m pip --python $(BIN)/python install -q --no-build-isolation --use-pep517 \
	--prefix "$$PWD/.venv" --root / --target '' --no-binary :none: --only-binary :none:
LOCKED = $(PIP) --require-hashes
.venv/.run: requirements-build.lock requirements.lock pyproject.toml | $(BIN)/python
	@echo "installing the locked packages into .venv"
	@$(LOCKED) -r requirements-build.lock
	@$(LOCKED) -r requirements.lock
	@$(PIP) --no-deps --no-index -e .
	@printf '%s\n' '#!/bin/sh' 'exec "$$(dirname "$$(readlink -f "$$0")")/python" -I -u -m taptrade "$$@"' >$(BIN)/taptrade
	@chmod +x $(BIN)/taptrade
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.run
	@echo "installing the tools for tests into .venv"
	@$(LOCKED) -r requirements-dev.lock
	@touch $@

.venv/.release: requirements-release.lock .venv/.dev
	@echo "installing the tools for releases into .venv"
	@$(LOCKED) -r requirements-release.lock
	@touch $@
