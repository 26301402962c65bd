# Every target makes its own environment; nothing needs to be installed before `make demo`.

PYTHON ?= python3
PYTEST_ARGS ?=

BIN := .venv/bin
VENV := .venv/.installed
NODE_MODULES := tests/rendering/node_modules/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow lint format render clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: $(VENV) ## derive, check and typeset the whole catalog into latex_out/
	@$(BIN)/derive demo

test: $(VENV) ## the tests (PYTEST_ARGS="-k sigmoid" for some of them)
	@$(BIN)/pytest -n auto --dist worksteal $(PYTEST_ARGS)

# pytest exits with 5 where it finds no test to run.
test-slow: $(VENV) ## the tests that take more than a few seconds
	@$(BIN)/pytest -m slow $(PYTEST_ARGS) || [ $$? -eq 5 ]

lint: $(VENV) ## ruff, mypy and the import contracts
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV) ## mend what ruff can mend
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

render: $(VENV) $(NODE_MODULES) ## KaTeX, MathJax and pdflatex on everything emitted
	@$(BIN)/pytest -m rendering tests/rendering $(PYTEST_ARGS)

clean: ## remove what the other targets made
	rm -rf .venv tests/rendering/node_modules dist build
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find derive tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps keep a second run from installing again.
$(VENV): pyproject.toml constraints.txt
	@echo "installing into .venv (once; about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

$(NODE_MODULES): tests/rendering/package-lock.json
	@cd tests/rendering && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
