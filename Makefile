# Two commands: `make demo` and `make test`. Bare `make` prints this list.
#
# Everything runs in .venv, made once from the hashed lock by .ci/install.py with nothing but
# python3, its venv module and the package index that pip is configured for.

PYTHON ?= python3
BIN    := .venv/bin
STAMP  := .venv/.installed
T      ?=
# At the end of `make test`: all of it, and the cores where a gap is a hole in the wall.
COVER_ALL   ?= 95
COVER_CORES ?= 100
CORES  ?= policies/*,guard/masking/*,guard/quotas.py,guard/admission/*,guard/ledger/*

# A caller without a home still needs a place for caches.
ifeq ($(strip $(HOME)),)
export HOME := $(CURDIR)/.venv/home
endif
# Not the caller's: an environment of theirs must not leak into ours.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: help demo test check external prove fmt bench lock clean
.DELETE_ON_ERROR:

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## (.*)/  make \1\t\2/' | expand -t 16

$(STAMP): requirements-dev.txt pyproject.toml .ci/install.py .ci/uv.txt
	@mkdir -p "$(HOME)"
	@$(PYTHON) .ci/install.py
	@touch $@

demo: $(STAMP) ## a support floor, an insider, and what stops her: about a minute, then a console
	@$(BIN)/guard demo $(ARGS)

test: $(STAMP) ## every test in its quick form, with coverage; T=tests/unit/guard runs a part
ifneq ($(strip $(T)),)
	$(BIN)/python -m pytest -m "not slow" $(T)
else
	$(BIN)/coverage erase
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow" --cov --cov-report=
	$(BIN)/coverage report --fail-under=$(COVER_ALL)
	@echo "the cores:"
	$(BIN)/coverage report --include='$(CORES)' --fail-under=$(COVER_CORES)
endif

check: $(STAMP) ## format, lint, spelling, room contracts, types, dependencies, migrations, the wheel
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/lint-imports
	$(BIN)/python .ci/lint_house.py
	$(BIN)/mypy
	$(BIN)/deptry .
	$(BIN)/python .ci/migrations.py
	$(BIN)/python .ci/wheel.py

external: ## fetch what judges the log and is not ours: Go and its log code; without them those tests are skipped
	tests/external/install || echo 'no Go to be had: its tests are skipped'

prove: $(STAMP) ## every claim at its full count, slow tests included, then the demo once
	RECORDGUARD_FULL=1 $(BIN)/python -m pytest -n 2 --dist worksteal
	$(BIN)/guard demo --once

fmt: $(STAMP) ## rewrite the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP) ## measure this machine; docs/performance.md says what the rows mean
	@for script in benchmarks/*.py; do \
		case "$$script" in */__init__.py) continue;; esac; \
		echo "== $$script"; $(BIN)/python "$$script" || exit 1; \
	done

lock: $(STAMP) ## renew the hashed locks from pyproject.toml
	$(BIN)/python .ci/lock.py

clean: ## remove what was made here, the environment and caches included, never the data folder
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .schemathesis dist build
	rm -f .coverage .coverage.*
