# Every target is a script that also runs by itself: `python3 scripts/demo.py`.
PYTHON ?= python3
.PHONY: demo test test-long lint format dev smoke screenshots contracts isolation bench bench-data chaos wheel lock

demo: ## prepare everything and start the demo; Ctrl-C ends it. ARGS="--port 8000" passes arguments on
	@$(PYTHON) scripts/demo.py $(ARGS)

test: ## everything that gates: checks, all tests, browser and installation too
	@$(PYTHON) scripts/test.py $(ARGS)

test-long: ## the rest: further Pythons, PostgreSQL 15, fuzzing; names what this machine lacks
	@$(PYTHON) scripts/test_long.py

lint: ## ruff, mypy, import contracts, licences, vue-tsc, ESLint, Vitest
	@$(PYTHON) scripts/lint.py

format: ## bring all sources into form
	@$(PYTHON) scripts/format.py

dev: ## the demo with reload of server and pages
	@$(PYTHON) scripts/dev.py $(ARGS)

smoke: ## play a customer's story through a fresh demo and a real browser
	@$(PYTHON) scripts/smoke.py

screenshots: ## write the pictures of README and documentation
	@$(PYTHON) scripts/screenshots.py

contracts: ## write .importlinter from the folders
	@$(PYTHON) scripts/contracts.py

isolation: ## the tests that one tenant cannot see another
	@$(PYTHON) scripts/test.py isolation

chaos: ## the tests that kill, with the long ones; MINUTES=30 for how long the storm lasts
	@HUITOUKE_CHAOS_MINUTES=$(or $(MINUTES),3) $(PYTHON) scripts/test.py --long chaos

bench: ## NAME=ingest for one; QUICK=1 for at most a minute each
	@$(PYTHON) scripts/bench.py $(NAME)

bench-data: ## NAME=ingest: only make the data that it measures on
	@$(PYTHON) scripts/bench.py --data $(NAME)

wheel: ## one wheel with the pages inside, in dist/
	@$(PYTHON) scripts/wheel.py

lock: ## write the Python lock files again
	@$(PYTHON) scripts/lock.py
