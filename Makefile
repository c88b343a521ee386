# make help    lists what there is. Each target sets up all that it needs, in .venv, the first time it is called.

BIN := .venv/bin
ARGS ?=
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test check panel watch lab clean

help:  ## list these targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

demo: export name := demo-$(shell date +%m%d-%H%M%S)
demo:  ## run a real swarm on real data for a minute, print its findings, write its report
	@.ci/venv demo
	cd notebooks && ../$(BIN)/jupyter swarm papers add module:sklearn.preprocessing module:sklearn.svm notes/*.md
	cd notebooks && ../$(BIN)/jupyter swarm run wine.py --name $$name --maximize accuracy --budget 60s --agents 16 --wait
	cd notebooks && ../$(BIN)/jupyter swarm report $$name

test: check  ## what continuous integration runs: check, then every test (ARGS="-k name" for some, JOBS=1 one by one)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

check:  ## style, types, and the one import direction; of the panel likewise
	@.ci/venv test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python labextension/build.py check

panel:  ## build the panel (labextension/) if its sources have changed
	@.ci/venv demo

watch:  ## build it whenever a file of it changes; reload the browser then
	@.ci/venv demo
	$(BIN)/python labextension/build.py watch

lab:  ## open JupyterLab on the quickstart
	@.ci/venv demo
	$(BIN)/jupyter lab notebooks/quickstart.ipynb

clean:  ## remove the environment, caches, and what swarms left in notebooks/
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist notebooks/.swarm
	rm -rf labextension/node_modules labextension/.yarn labextension/lib labextension/.eslintcache jupyter_swarm/labextension
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
