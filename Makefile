# Every target works as the first command on a fresh clone: Python 3.11+, a C compiler and make are all it takes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# pip installs in the order of the constraints; the file pins what CI runs with.
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint tests/constraints.txt
SOURCES := $(shell find ext proto -name '*.py[x]' -o -name '*.pxd' -o -name '*.proto' 2>/dev/null) setup.py pyproject.toml

.PHONY: build serve test check format bench bench-quick proto debug sanitize system-deps clean

build: $(VENV)/.built

$(VENV)/.pip: tests/constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	touch $@

$(VENV)/.deps: $(VENV)/.pip pyproject.toml tests/constraints.txt
	$(PIP) --group build
	$(PIP) --group dev
	touch $@

$(VENV)/.built: $(VENV)/.deps $(SOURCES)
	$(PIP) --no-build-isolation --editable .
	test -e src/tocsin/v1/monitor_service_pb2.py # an editable build only warns when protoc fails
	touch $@

serve: build
	$(BIN)/tocsin serve

test: build
	$(BIN)/python -m pytest $(ARGS)

check: build
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest tocsin._core --allowlist tests/core/stubtest-allowlist.txt
	PATH="$(BIN):$$PATH" $(BIN)/cython-lint ext
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -q -p no:randomly tests/contract/test_proto.py tests/contract/test_aip.py

format: build
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: build
	$(BIN)/python benchmarks/run.py

bench-quick: build
	$(BIN)/python benchmarks/run.py --quick

debug: $(VENV)/.deps
	TOCSIN_DEBUG=1 $(PIP) --no-build-isolation --force-reinstall --no-deps --editable .

# Debian and Ubuntu: the servers, the browser and systemd-analyze, which some tests start themselves.
system-deps:
	apt-get update -q
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends prometheus chromium systemd

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis src/*.egg-info
	find src -name '*.so' -delete
	find src/tocsin/v1 src/tocsin/internal \( -name "*_pb2*.py*" -o -name "*.binpb" \) -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
