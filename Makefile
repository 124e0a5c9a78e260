# `make run` and `make test` each work alone on a fresh machine with Python >= 3.11 and make.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# Beside the committed results of real data, and not among them.
SAMPLE = results/sample

.PHONY: run test torture check audit clean

# accelerate launch gives a process on the processor one thread unless it is told otherwise.
run: $(VENV)/.installed
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-$$($(PYTHON) -c 'import os; print(os.cpu_count())')} \
		$(BIN)/accelerate launch run_all.py --tasks ner,news --sample --results-dir $(SAMPLE)
	$(BIN)/encoder-bench report --results-dir $(SAMPLE)

# Small models: one thread a process.
test: $(VENV)/.installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadgroup

# Hours of what `make test` tries for seconds: docs/reliability.md has its figures.
torture: $(VENV)/.installed
	cd tests && ../$(BIN)/python -m torture.kills --kills 100
	cd tests && ../$(BIN)/python -m torture.disk
	cd tests && ../$(BIN)/python -m torture.ray_nodes --losses 20 --runs 60
	cd tests && ../$(BIN)/python -m torture.scale
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/fuzz --hypothesis-profile=torture --timeout=3600

check: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Known holes of the pinned versions, by pypi.org: fails for one, and for a package that can't be looked up.
audit:
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT \
		&& $(PYTHON) -m venv "$$folder" && "$$folder/bin/pip" install --quiet 'pip-audit==2.10.1' \
		&& "$$folder/bin/pip-audit" --requirement constraints.txt --no-deps --disable-pip --strict

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "encoder-bench needs Python 3.11 or newer; name one: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[sample,test]'
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
