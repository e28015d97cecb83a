# Two commands set everything up on a machine with Python 3.11 or newer: make run, make test.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: run test train selection benchmark soak kill service reload cluster bodies corrections german clean

run: $(VENV)/.run
	$(BIN)/python -m classifier classify notebooks/postings.csv
	$(BIN)/python -m classifier serve

test: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m classifier label Lönechef  # trains the model once, before two workers need it
	$(BIN)/python -m pytest --numprocesses 2

train: $(VENV)/.run
	$(BIN)/python -m classifier train

selection: $(VENV)/.run  # slow: fits all rivals of the estimator
	$(BIN)/python -c "from classifier import paths, selection; selection.select(paths.training_data(), paths.models(), progress=print)"

benchmark: $(VENV)/.run  # slow: trains fastText, labels a million rows
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[benchmarks]'
	OMP_NUM_THREADS=1 PYTHONPATH=. $(BIN)/python tests/benchmarks/benchmark.py

soak: $(VENV)/.run  # slow: labels ten million rows and watches the memory
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[benchmarks]'
	PYTHONPATH=. $(BIN)/python tests/benchmarks/soak.py

kill: $(VENV)/.run  # slow: kills a run over two million rows twenty times
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[benchmarks]'
	PYTHONPATH=. $(BIN)/python tests/benchmarks/kill.py

service: $(VENV)/.run  # slow: loads the service, overloads it, and watches it for ten minutes
	PYTHONPATH=. $(BIN)/python tests/benchmarks/service.py

reload: $(VENV)/.run  # exchanges models under load, ten times
	PYTHONPATH=. $(BIN)/python tests/benchmarks/reload.py

cluster: $(VENV)/.run  # slow: labels 2 GB of Parquet, plainly and by Dask
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dask]'
	PYTHONPATH=. $(BIN)/python tests/benchmarks/cluster.py

bodies: $(VENV)/.test  # slow: sends the service fifty thousand bodies
	PYTHONPATH=. $(BIN)/python tests/benchmarks/bodies.py

corrections: $(VENV)/.run  # slow: 8 processes record 10,000 corrections, and one is killed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[postgresql]'
	PYTHONPATH=. $(BIN)/python tests/benchmarks/corrections.py

german: $(VENV)/.run  # slow: trains a German model from a download shaped like ESCO's
	PYTHONPATH=. $(BIN)/python tests/benchmarks/registers.py

clean:
	rm -rf $(VENV) models/*.joblib models/manifest.json

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.test: pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@ $(VENV)/.run
