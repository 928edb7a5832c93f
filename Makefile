# carelog: `make run` shows what it does, `make test` shows that it holds.
PYTHON ?= python3.11
ifeq (, $(shell command -v $(PYTHON) 2>/dev/null))
PYTHON := python3
endif
VENV := .venv
BIN := $(VENV)/bin
OUT := out

.PHONY: run test check lint types wheel readme bench quality train clean

run: $(VENV)/.installed
	@mkdir -p $(OUT)
	@echo "The sample logs hold planted faults: validation finds them, and what is sound goes on."
	$(BIN)/carelog validate sample_logs --format text --max-errors 10 \
		-o $(OUT)/findings.txt --rejects $(OUT)/rejects.jsonl || test $$? = 1
	$(BIN)/carelog classify sample_logs/valid -o $(OUT)/labelled.parquet
	$(BIN)/carelog summarize $(OUT)/labelled.parquet --rejects $(OUT)/rejects.jsonl --by channel --by language \
		-o $(OUT)/report.html -o $(OUT)/report.md -o $(OUT)/report.json
	@echo
	@echo "The report to open:  $(OUT)/report.html"
	@echo "What validation found in the sample logs (with their planted faults):  $(OUT)/findings.txt"

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: lint types test wheel readme

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

wheel: $(VENV)/.installed-dev
	$(BIN)/python -m pytest tests/packaging -m "slow or not slow"

readme: $(VENV)/.installed-dev
	$(BIN)/python -m pytest tests/readme

bench: $(VENV)/.installed-dev
	$(BIN)/python tests/bench/run.py

quality: $(VENV)/.installed-dev
	$(BIN)/python tests/bench/quality.py

# The same records and rulebooks give the same file: one thread, so that sums are always added in the same order.
train: $(VENV)/.installed-dev
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python cli/training/train.py

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "carelog needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "carelog needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(OUT) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
