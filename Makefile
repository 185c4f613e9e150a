# `make install` once, then the rest. Everything stays in this folder: .venv, .kafka, .truyvet.
.DEFAULT_GOAL := help
.PHONY: help install demo test lint format faults bench lock clean

BIN := .venv/bin

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

install: ## Python packages, Kafka's jars, and a look at Java, Maven and redis-server
	@deploy/install.sh

demo: install ## the main job on a made-up province: Kafka, Redis, workers and page come up, a case is traced
	@$(BIN)/truyvet demo

test: install lint ## every test but the long ones (faults, bench)
	@tests/run.sh

lint: install ## style, types, and the one-way order of the packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: install ## put the code in the common form
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

faults: install ## kills, pauses, broker outages, full disks: minutes
	$(BIN)/pytest -m faults

bench: install ## the measurements of the README
	$(BIN)/truyvet bench

lock: ## requirements.lock anew from pyproject.toml
	@deploy/lock.sh

clean: ## away with everything that was made, the demo's data too
	rm -rf .venv .kafka .truyvet build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
