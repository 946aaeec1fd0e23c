# Every target works as the first command on a fresh clone: Python 3.11+, a C compiler and make are all it takes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# pip installs in the order of the constraints; the file pins what CI runs with.
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint tests/constraints.txt
SOURCES := $(shell find ext proto -name '*.py[x]' -o -name '*.pxd' -o -name '*.proto' 2>/dev/null) setup.py pyproject.toml

.PHONY: build serve test clients check format bench bench-quick bench-core oracle fuzz fuzz-ci debug sanitize system-deps clean

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

# Sentry's clients, from their registries into build/clients. A test that wants one installs it too: this is all at once.
clients: $(VENV)/.deps
	PYTHONPATH=tests $(BIN)/python -m support.clients $(ARGS)

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

# The compiled core beside its bars: a quarter of an hour; instructions are counted by valgrind where it is installed.
bench-core: build
	$(BIN)/python benchmarks/run.py --only next_fire parse deadlines memory
	if command -v valgrind > /dev/null; then $(BIN)/python benchmarks/instructions.py; fi

# Every zone, every transition from 1970 to 2100, four policies: ARGS="--zones Europe --seed 7" for a part, again.
oracle: build
	PYTHONPATH=src:tests $(BIN)/python -m oracle $(ARGS)

# Coverage-guided, FUZZ_SECONDS for each target; what was found interesting stays in build/fuzz for the next time.
FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= cron tzif rrule on_calendar intake envelope check_in cron_endpoint courtesies telemetry template
fuzz: build
	$(PIP) --group fuzz
	for target in $(FUZZ_TARGETS); do \
		mkdir -p build/fuzz/$$target && $(BIN)/python tests/fuzz/targets.py $$target \
			-max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -artifact_prefix=build/fuzz/ build/fuzz/$$target \
			tests/fuzz/corpus/$$target || exit 1; \
	done

# The same from the committed corpus alone, ten seconds each; what is found goes into the first folder, and away.
fuzz-ci: build
	$(PIP) --group fuzz
	for target in $(FUZZ_TARGETS); do \
		rm -rf build/fuzz-ci && mkdir -p build/fuzz-ci && $(BIN)/python tests/fuzz/targets.py $$target \
			-max_total_time=10 -verbosity=0 -artifact_prefix=build/ build/fuzz-ci tests/fuzz/corpus/$$target || exit 1; \
	done

# Builds of the core in folders of their own, and its tests under them. Sanitizers: whoever embeds CPython into its own
# allocator sees nothing, hence malloc; a memory limit is no use beside a quarantine, hence not the tests of growth.
debug: build
	TOCSIN_DEBUG=1 $(BIN)/python setup.py --quiet build --build-base build/debug --build-lib build/debug/lib
	PYTHONPATH=build/debug/lib $(BIN)/python -m pytest -q tests/core $(ARGS)

SANITIZED = LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" PYTHONMALLOC=malloc \
	UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 PYTHONPATH=build/sanitize/lib:tests
sanitize: build
	TOCSIN_SANITIZE=1 $(BIN)/python setup.py --quiet build --build-base build/sanitize --build-lib build/sanitize/lib
	$(SANITIZED) ASAN_OPTIONS=detect_leaks=1 $(BIN)/python -m support.dropped
	$(SANITIZED) ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 $(BIN)/python -m pytest -q tests/core \
		-k "not given_back" $(ARGS)

# Debian and Ubuntu: the servers, the browser and systemd-analyze, which some tests start themselves.
system-deps:
	apt-get update -q
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends prometheus chromium systemd

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis src/*.egg-info
	find src -name '*.so' -delete
	find src/tocsin/v1 src/tocsin/internal \( -name "*_pb2*.py*" -o -name "*.binpb" \) -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
