# make report | test | test-fast | lab | lab-teacher | student | test-browser | mutants | bench | lint | lock | dist | clean. The README has the same steps without make.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PRESET ?= smoke

.DEFAULT_GOAL := help
.PHONY: help setup report test test-fast lab lab-teacher student test-browser mutants bench lint lock dist clean

help:
	@sed -n '1s/^# //p' Makefile

setup: $(READY)

# The stamp is written last: an interrupted installation is taken up again, a finished one is left alone.
$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else f"mesokit needs Python 3.11 to 3.13, and {sys.executable} is {v[0]}.{v[1]}: name another one with make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

report: $(READY)
	$(BIN)/mesokit report --preset $(PRESET) --out report

test: $(READY)
	$(BIN)/python -m pytest --ignore=tests/test_browser.py

# While one works: what is not marked slow (see tests/conftest.py), without notebooks and benchmarks.
test-fast: $(READY)
	$(BIN)/python -m pytest -m "not slow"

# JupyterLab in a headless Chromium (CHROMIUM=path, or the system's); skips with a reason where there is none.
test-browser: $(READY)
	$(BIN)/python -m pytest tests/test_browser.py -rs

# Changes the code in one place at a time and counts what the unit tests notice (docs/experiments.md); an hour, to be
# stopped and taken up at any time. MUTANTS="--number 100 --seed 1 --new" draws others.
mutants: $(READY)
	$(BIN)/python -c "import cosmic_ray" 2>/dev/null || $(BIN)/python -m pip install --disable-pip-version-check -c requirements.txt --no-build-isolation -e ".[mutants]"
	$(BIN)/python tests/mutants.py $(MUTANTS)

# Against the naive ways, side by side; report/benchmarks.json and .html. Minutes on a quiet machine.
bench: $(READY)
	$(BIN)/python benchmarks/run_all.py --report report

# The notebooks without their solutions, to hand out: a folder, and a zip with the data that they read, if these were made.
student: $(READY)
	$(BIN)/python data_scripts/make_student.py --out build/student $(if $(wildcard work/smoke/faces.csv),--data work/smoke)

# The notebooks without their solutions, in mesokit-notebooks/; what a student changed there stays.
lab: $(READY)
	$(BIN)/mesokit lab

# The originals, with solutions.
lab-teacher: $(READY)
	$(BIN)/jupyter lab --ServerApp.root_dir=$(CURDIR) notebooks/00_tour.ipynb

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Derive the exact versions again from the ranges in pyproject.toml (needs uv: pip install uv).
lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --no-header --no-annotate -o requirements.lock
	{ sed -n '/^#/p' requirements.txt; cat requirements.lock; } > requirements.new
	rm requirements.lock; mv requirements.new requirements.txt

# Source distribution and wheel, as the workflow makes them of a tag. build/lib would bring modules that are gone.
dist: $(READY)
	rm -rf dist build/lib
	$(BIN)/python -c "from setuptools import build_meta as b; print(b.build_sdist('dist'), b.build_wheel('dist'))"

clean:
	rm -rf work report
