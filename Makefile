# The set-up, the demo and the tests. Needs python3 (3.10 or newer) and make; pip installs the rest into .venv.
#
#   make demo     word vectors from a text that is made on the spot; make demo CORPUS=my.txt takes yours
#   make test     set-up with what development needs, then all checks
#   make test-lm  the tests that need PyTorch (on Linux some 3 GB), which make test leaves out
#   make check    all checks, without the set-up: format, lint, types, tests
#   make clean    remove .venv, the run, caches and the built text

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
CORPUS ?= corpora/pydocs.txt
OUT := vectors.txt
# The words whose neighbours the demo shows; for another text, three of its own.
ifeq ($(CORPUS),corpora/pydocs.txt)
WORDS ?= array string file
else
WORDS ?= $$(awk 'NR > 50 && length($$1) > 3 { print $$1; if (++n == 3) exit }' "$${GLOVE_RUN:-glove-run}/cooc/vocab.txt")
endif

.PHONY: help demo test test-lm check clean

help:
	@sed -n 's/^#   //p' Makefile

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	    echo "$(PYTHON): is missing or older than Python 3.10. Name another: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	    echo "$(PYTHON): can't make $(VENV). On Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }

# A stamp is written last, so an install that broke off is done again.
$(VENV)/installed: pyproject.toml | $(BIN)/python
	$(PIP) --editable .
	@touch $@

$(VENV)/installed-dev: pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[dev]'
	@touch $(VENV)/installed $@

$(VENV)/installed-lm: pyproject.toml | $(VENV)/installed-dev
	$(PIP) --editable '.[lm]'
	@touch $@

corpora/pydocs.txt: | $(VENV)/installed
	$(BIN)/python corpora/pydocs.py $@

# Shows a command as a user would type it, then runs it.
glove = @echo; echo '$$ glove $(1)'; $(BIN)/glove $(1)

demo: $(VENV)/installed $(filter corpora/pydocs.txt,$(CORPUS))
	$(call glove,build-cooc "$(CORPUS)" --force)
	$(call glove,train --dim 100 --x-max 10 --force)
	$(call glove,export $(OUT) --force)
	@for word in $(WORDS); do echo; echo "\$$ glove nearest $$word"; $(BIN)/glove nearest "$$word" || exit 1; done
	@echo; ls -l $(OUT)

test: $(VENV)/installed-dev
	@$(MAKE) --no-print-directory check

test-lm: $(VENV)/installed-lm
	GLOVE_REQUIRE_TORCH=1 $(BIN)/python -m pytest --numprocesses 2 tests/test_language_network.py tests/test_cli_language.py tests/test_examples.py

# A file of tests stays in one process: what it sets up or has compiled, for up to half a minute, is made once.
check:
	@test -x $(BIN)/ruff || { echo "$(VENV): is not set up for development. Run make test once." >&2; exit 1; }
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

clean:
	rm -rf $(VENV) glove-run $(OUT) corpora/pydocs.txt build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
