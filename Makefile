# `make demo` and `make test` work on a bare clone with Python 3.11+ and make, in any order.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JUDGE := build/datumaro
NO_JUDGE := datumaro, which judges the CVAT files that we write, could not be installed into $(JUDGE); \
	pip says why above. It needs a package index and 600 MB of disk. The gates without it: \
	make lint types imports docs unit wheel
DEMO := build/demo
SOURCE := tests/fixtures/coco/street/input/instances.json
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test lint types imports docs unit judge wheel bench clean

demo: $(VENV)/.installed
	@mkdir -p $(DEMO)
	$(BIN)/labelconv convert $(SOURCE) $(DEMO)/mal.ndjson --to labelbox
	$(BIN)/labelconv check $(DEMO)/mal.ndjson
	@echo "The first line of $(DEMO)/mal.ndjson:"
	@head -n 1 $(DEMO)/mal.ndjson | cut -c 1-160

test: lint types imports docs unit judge wheel

lint: $(VENV)/.developed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.developed
	$(BIN)/mypy
	$(BIN)/mypy --strict tests/typing_api.py

imports: $(VENV)/.developed
	$(BIN)/lint-imports --no-cache

docs: $(VENV)/.developed
	$(BIN)/python tools/generate_docs.py --check

unit: $(VENV)/.developed
	HYPOTHESIS_PROFILE=ci $(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term

# Datumaro needs older libraries than our other judges, so it has an environment of its own.
judge: $(VENV)/.developed $(JUDGE)/.installed
	$(BIN)/python tools/judge_cvat.py $(JUDGE)/bin/python

# The wheel, built and installed in a clean environment, does the main job there.
wheel: $(VENV)/.developed
	rm -rf build/wheel build/wheel-venv
	$(BIN)/python -m build --wheel --no-isolation --outdir build/wheel .
	$(PYTHON) -m venv build/wheel-venv
	build/wheel-venv/bin/python -m pip install --quiet build/wheel/*.whl
	cd build && wheel-venv/bin/labelconv formats
	cd build && wheel-venv/bin/labelconv convert ../$(SOURCE) wheel/mal.ndjson --to labelbox --quiet
	cd build && wheel-venv/bin/labelconv check wheel/mal.ndjson

bench: $(VENV)/.developed
	$(BIN)/python benchmarks/run.py

$(JUDGE)/.installed: Makefile
	$(PYTHON) -m venv $(JUDGE)
	@$(JUDGE)/bin/python -m pip install --quiet 'datumaro>=1.13' || { echo >&2 "$(NO_JUDGE)"; exit 1; }
	@touch $@

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.developed: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --group dev --group judges --editable '.[remote,test]'
	@touch $@

clean:
	rm -rf $(VENV) build .hypothesis .mypy_cache .ruff_cache .pytest_cache .coverage*
