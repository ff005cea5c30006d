# Everything needs Python 3.11+, git and make; the rest comes from the package mirrors that pip and npm
# are set up with.
UV := $(shell command -v uv || echo .cache/uv/bin/uv)
RUN := $(UV) run --no-project --python .venv/bin/python
PIN := -q --universal --generate-hashes --no-annotate --no-header --no-emit-index-url --group dev \
  -o constraints.txt pyproject.toml
DEMO ?= .demo/acme

.PHONY: help demo test bench lint constraints clean
help:  ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: .venv/ready  ## Create a customer's project from this template and run it until Ctrl-C
	@$(RUN) tests/demo.py $(DEMO)

test: .venv/ready  ## Test the template and what it generates
	@$(RUN) tests/system_packages.py
	@$(RUN) -m pytest -n 2 --dist loadgroup $(ARGS)

lint: .venv/ready  ## Check the style and types of the template's own code
	@$(RUN) -m ruff check . && $(RUN) -m ruff format --check . && $(RUN) -m mypy

bench: .venv/ready  ## Measure, side by side with the alternatives
	@$(RUN) -m tests.bench

constraints:  ## Pin and hash all packages again, here and in the template
	$(UV) pip compile $(PIN)
	$(UV) pip compile $(PIN) --directory template $(foreach part,api langgraph shared tools,--no-emit-package platform-$(part))

clean:  ## Remove what the other targets made, but no project
	rm -rf .venv .cache

.cache/uv/bin/uv:
	python3 -m venv .cache/uv
	.cache/uv/bin/pip install --quiet 'uv>=0.13'

.venv/ready: constraints.txt | $(UV)
	$(UV) venv --quiet --allow-existing --python python3 .venv
	$(UV) pip install --quiet --python .venv/bin/python --require-hashes -r constraints.txt
	@touch $@
