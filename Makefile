# The commands of the README. Everything is installed into .venv, with the versions of constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := pipeline assets models training tests examples
BASE := $(VENV)/.base
UI := $(VENV)/.ui
ALL := $(VENV)/.all
DEV := $(VENV)/.dev
SYSTEM_PACKAGES := libusb-1.0-0 libgl1 libegl1 libx11-6 libgomp1

# What dagster's command line cannot read from pyproject.toml; 'source .venv/bin/activate' sets it too.
ACTIVATED := export DAGSTER_HOME="$${DAGSTER_HOME:-$${VIRTUAL_ENV%/.venv}/dagster_home}" DAGSTER_CLI_JOB_EXECUTE_MODULE_NAME=assets

export DAGSTER_HOME ?= $(CURDIR)/dagster_home
export DAGSTER_CLI_JOB_EXECUTE_MODULE_NAME ?= assets
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: build_dataset ui test nightly check style types layers documents docs bench torture fuzz experiment install clean help

# 'dagster job execute' is the command users know; that 'dg launch' is to succeed it need not open every build.
build_dataset: export PYTHONWARNINGS ?= ignore:Function
build_dataset: $(BASE)  ## build the dataset of sources.yaml (or SOURCES=...) into ./data
	dagster job execute -j build_dataset

ui: $(UI)  ## Dagster's pages on http://127.0.0.1:3000, for this machine alone
	python -m assets.ui

install: $(ALL)  ## everything a user may want: the web, training, segmenters, queries, buckets, Dagster's pages

# Tests start hundreds of processes: what one has compiled the others take.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(DEV) browser  ## all tests, five at a time, the long ones first: many of them wait
	OMP_NUM_THREADS=1 pytest -q -n 5 --dist loadscope --no-loadscope-reorder

nightly: $(DEV)  ## tests that take minutes each: a Ray cluster of which a machine goes
	OMP_NUM_THREADS=1 pytest -q -m nightly

check: style types layers documents  ## style, types, which folder may import which, and that the documents build without a warning

style: $(DEV)
	ruff check $(PACKAGES)
	ruff format --check $(PACKAGES)

types: $(DEV)
	mypy

layers: $(DEV)
	lint-imports

documents: $(DEV)
	sphinx-build -q -W --keep-going -j auto docs $(VENV)/docs

docs: documents  ## the documents on http://127.0.0.1:8000
	python -m http.server -b 127.0.0.1 -d $(VENV)/docs 8000

bench: $(DEV)  ## speed and memory, as ratios to named baselines; JSON in .bench/
	python -m pipeline.bench

ROUNDS ?= 1000
torture: $(DEV)  ## a campaign of faults against the store, ROUNDS=1000, an hour; report in .torture.json
	python -m tests.torture --rounds $(ROUNDS) --out .torture.json

INPUTS ?= 1000000
fuzz: $(DEV)  ## INPUTS=1000000 changed inputs to every parser, on two cores, half an hour; report in .fuzz.json
	OMP_NUM_THREADS=1 python -m tests.fuzz --inputs $(INPUTS) --processes 2 --out .fuzz.json

$(if $(filter experiment,$(MAKECMDGOALS)),$(if $(filter-out cpu cuda,$(DEVICE)),$(error DEVICE is cpu or cuda, and not $(DEVICE))))
EXPERIMENT_TOURS := $(shell seq 101 116)
experiment: $(ALL)  ## what pre-training is worth, on rendered rooms; hours. TEACHER=dinov2|san WEIGHTS=file or name DEVICE=cuda
	YOUTUBE_OCC_PROFILE=small YOUTUBE_OCC_DATA=data/experiment/dataset SOURCES="$(EXPERIMENT_TOURS:%=tour://%)" dagster job execute -j build_dataset
	youtube-occ train experiment --weights $(or $(WEIGHTS),dinov2_small) --set teacher=$(or $(TEACHER),dinov2) --data data/experiment/dataset \
	  --out data/experiment $(if $(filter cuda,$(DEVICE)),--size h100) $(EXPERIMENT)

clean:  ## remove the environment; data stays
	@if test -e $(BASE) && test -e $(VENV)/pyvenv.cfg; then rm -rf $(VENV); else echo '$(VENV) was not made by make install: it stays'; fi
	rm -rf youtube_occ.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

help:  ## this list
	@sed -n 's/^\([a-z_]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 16

INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --no-compile -q -c constraints.txt
# 30,000 files on all cores, where pip would compile one after the other; some are templates and no Python.
COMPILE := $(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null 2>&1 || true

$(BASE): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "no venv module: sudo apt-get install python3-venv"; exit 1; }
	@echo 'installing into $(VENV); a few minutes the first time'
	@$(INSTALL) -e .
	@$(COMPILE)
	@grep -q DAGSTER_HOME $(BIN)/activate || echo '$(ACTIVATED)' >> $(BIN)/activate
	@$(MAKE) --no-print-directory system-libraries
	@touch $@

$(UI) $(ALL) $(DEV): $(VENV)/.%: $(BASE)
	@echo 'installing what $* needs'
	@$(INSTALL) -e '.[$*]'
	@$(COMPILE)
	@touch $@

# Pages are tested in a real browser. PyPI and npm ship none that a distribution keeps up to date, Debian does.
.PHONY: browser
browser:
	@if test -n "$$CHROMIUM" || command -v chromium >/dev/null; then exit 0; fi; \
	sudo=; test "$$(id -u)" = 0 || sudo="sudo -n"; \
	if $$sudo true 2>/dev/null && { $$sudo apt-get update -qq; DEBIAN_FRONTEND=noninteractive \
	  $$sudo apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1 && command -v chromium >/dev/null; then exit 0; fi; \
	echo "Tests of pages need a browser: sudo apt-get install chromium, or name one with CHROMIUM=/path/to/chrome"; exit 1

.PHONY: system-libraries
system-libraries:
	@if $(BIN)/python -c 'import open3d' 2>/dev/null; then exit 0; fi; \
	sudo=; test "$$(id -u)" = 0 || sudo="sudo -n"; \
	if $$sudo true 2>/dev/null && { $$sudo apt-get update -qq; $$sudo apt-get install -y -qq $(SYSTEM_PACKAGES); } >/dev/null 2>&1 \
	  && $(BIN)/python -c 'import open3d'; then exit 0; fi; \
	echo "Open3D needs system libraries: sudo apt-get install $(SYSTEM_PACKAGES)"; exit 1
