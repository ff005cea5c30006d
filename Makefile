# Needs Python 3.11+, git and make. All else comes from the package mirrors that pip, uv and npm are
# set up with.
UV := $(shell command -v uv || echo .cache/uv/bin/uv)
PYTHON := .venv/bin/python
# One environment for this repository's tools, one for the platform in template/.
VENV := $(UV) venv --quiet --allow-existing --python python3
INSTALL := $(UV) pip install --quiet --require-hashes
COPIER := .venv/bin/copier
PIN := $(UV) pip compile -q --universal --generate-hashes --no-annotate --no-header \
  --no-emit-index-url -o constraints.txt pyproject.toml
DEMO ?= .demo/acme

# The tests start Python hundreds of times: keep the compiled modules.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test bench lint constraints clean
help:  ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: .venv/ready  ## Create a customer's project from this template and run it until Ctrl-C
	@test -e $(DEMO)/.copier-answers.yml || $(COPIER) copy --trust --defaults --quiet --vcs-ref HEAD . $(DEMO)
	@PATH="$(CURDIR)/.cache/uv/bin:$$PATH" $(MAKE) --no-print-directory -C $(DEMO) dev

test: .venv/ready template/.venv/ready  ## Test the template and generated projects (ARGS: for pytest)
	@.ci/packages
	@$(PYTHON) -m pytest -n 2 --dist loadfile --durations 25 $(ARGS)

lint: .venv/ready template/.venv/ready  ## Check style, types and declared dependencies, here and in template/
	@$(PYTHON) -m ruff check . && $(PYTHON) -m ruff format --check . && $(PYTHON) -m mypy
	@cd template && .venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy
	@.ci/imports

bench: .venv/ready  ## Measure this template beside the alternatives
	@$(PYTHON) -m tests.bench

constraints:  ## Pin and hash all packages again: here, in the template and of the update engine
	$(PIN) --group dev
	$(PIN) --group dev --directory template $(foreach part,api langgraph shared tools,--no-emit-package platform-$(part))
	$(PIN) --directory extensions/update

clean:  ## Remove environments and caches, but no project
	rm -rf .venv .cache template/.venv

.cache/uv/bin/uv:
	python3 -m venv .cache/uv
	.cache/uv/bin/pip install --quiet 'uv>=0.13'

.venv/ready: constraints.txt | $(UV)
	$(VENV) .venv
	$(INSTALL) --python .venv/bin/python -r constraints.txt
	@touch $@

template/.venv/ready: template/constraints.txt | $(UV)
	$(VENV) template/.venv
	$(INSTALL) --python template/.venv/bin/python -r template/constraints.txt
	$(UV) pip install --quiet --python template/.venv/bin/python --no-deps -e template/scripts/customer-tools
	@touch $@
