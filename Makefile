# One word for each thing that people do with this repository; `make` alone lists them.

PACKAGES := shared/servicekit shared/events shared/nnlib services/gateway services/inference services/monitor
VENV := .venv
PYTHON_HERE := $(VENV)/bin/python
PIP := $(PYTHON_HERE) -m pip install --quiet --disable-pip-version-check --no-input

# Tests of which several files run at once, each with one thread for its matrices: more would wait for one another.
# Those under load or through outages are kept from the others, and what measures has the machine for itself.
SIDE_BY_SIDE := OPENBLAS_NUM_THREADS=1 $(PYTHON_HERE) -m pytest --dist=loadfile --maxprocesses=4
ALONE := tests/containers tests/browser/test_sliders.py tests/e2e/test_overload.py tests/e2e/test_soak.py

export PATH := $(PATH):$(CURDIR)/$(VENV)/bin
export REVISION := $(or $(REVISION),$(shell git rev-parse --short=12 HEAD 2>/dev/null),unknown)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test check audit format train bench screenshots up down lock

help: ## List these words
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-13s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup ## Start Redis and the three services here, on http://127.0.0.1:8080 (PORT=); Ctrl-C stops them
	@exec $(PYTHON_HERE) deploy/local/start.py

setup: $(VENV)/.run frontend/node_modules/.installed ## Install what running needs into .venv and frontend/node_modules

test: $(VENV)/.dev setup ## Run every test that this machine can; CI=true makes a skipped one a failure
	@status=0; \
	$(SIDE_BY_SIDE) --numprocesses=auto shared services training || status=$$?; \
	$(SIDE_BY_SIDE) --numprocesses=auto tests --ignore=tests/e2e $(ALONE:%=--ignore=%) || status=$$?; \
	$(SIDE_BY_SIDE) --numprocesses=3 tests/e2e $(ALONE:%=--ignore=%) || status=$$?; \
	$(PYTHON_HERE) -m pytest $(ALONE) || status=$$?; \
	npm --prefix frontend test || status=$$?; exit $$status

check: $(VENV)/.dev ## Look for lint, formatting and type errors
	$(VENV)/bin/ruff check . deploy/cloudrun/deploy requirements/audit
	$(VENV)/bin/ruff format --check . deploy/cloudrun/deploy requirements/audit
	$(VENV)/bin/mypy $(foreach package,$(PACKAGES),--package $(notdir $(package)))
	$(VENV)/bin/mypy deploy/local deploy/load training benchmarks
	$(VENV)/bin/mypy --scripts-are-modules deploy/cloudrun/deploy requirements/audit

audit: $(VENV)/audit/.installed $(VENV)/.run ## Look for known vulnerabilities in what the locks name (asks the package indexes)
	$(PYTHON_HERE) requirements/audit $(VENV)/audit/bin/pip-audit

format: $(VENV)/.dev ## Format the code
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

train: $(VENV)/.dev ## Train the models again, up to 90 minutes; Ctrl-C and go on later (DATA= names the data folder)
	$(PYTHON_HERE) -m training.train

bench: $(VENV)/.dev setup ## Measure latency and throughput
	PYTHONPATH=deploy/local $(PYTHON_HERE) -m benchmarks

screenshots: $(VENV)/.dev setup ## Take the pictures of the README
	PYTHONPATH=deploy/local $(PYTHON_HERE) -m tests.browser.screenshots

up: ## Build and start the containers (docker compose), on http://127.0.0.1:8080 (PORT=)
	@docker compose up --build --wait || { \
	  docker compose logs --no-color --tail 1000 2>&1 | grep -v '"logger": "access"' | tail -n 20; \
	  echo "catnet: not all of it came up; above is what its parts said last" >&2; exit 1; }
	@echo; echo "catnet is ready"; echo "  predict    http://127.0.0.1:$${PORT:-8080}/"; echo "  dashboard  http://127.0.0.1:$${PORT:-8080}/dashboard"

down: ## Stop and remove the containers; their data stays (docker compose down --volumes removes it too)
	docker compose down

lock: $(VENV)/.dev ## Write requirements/*.txt anew
	requirements/lock

# The steps below are done again only when what they come from has changed.

$(PYTHON_HERE):
	@for python in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11); do \
	  if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then exec $$python -m venv $(VENV); fi; \
	done; \
	echo "catnet: needs Python 3.11 or later with its venv module (Debian, Ubuntu: apt install python3-venv); PYTHON= names one" >&2; exit 1

$(VENV)/.run: requirements/run.txt $(PACKAGES:=/pyproject.toml) | $(PYTHON_HERE)
	@echo "Installing the packages of requirements/run.txt"
	@$(PIP) --require-hashes --requirement requirements/run.txt
	@$(PIP) --no-deps --no-build-isolation $(addprefix --editable ,$(PACKAGES))
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@echo "Installing the packages of requirements/dev.txt"
	@$(PIP) --require-hashes --requirement requirements/dev.txt
	@touch $@

$(VENV)/audit/.installed: requirements/audit.txt | $(PYTHON_HERE)
	@echo "Installing the packages of requirements/audit.txt"
	@$(PYTHON_HERE) -m venv $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --requirement requirements/audit.txt
	@touch $@

frontend/node_modules/.installed: frontend/package.json frontend/package-lock.json | $(PYTHON_HERE)
	@echo "Installing the packages of frontend/package-lock.json"
	@command -v npm >/dev/null || $(PIP) --require-hashes --requirement requirements/nodejs.txt
	@npm ci --prefix frontend --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel error
	@touch $@
