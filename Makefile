# Everything a person or CI needs: make setup, make demo, make test. The other targets are parts of these.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
DEMO_PEOPLE ?= 230000
DEMO_SEED ?= 1
DEMO_AS_OF ?= 2026-04-01
NIGHTS ?= 10
NIGHTS_PEOPLE ?= 20000
BENCH_PEOPLE ?= 1000000
FUZZ_DELIVERIES ?= 2000
FUZZ_SEED ?= 1
TEST_PROCESSES ?= 2
export OMP_NUM_THREADS ?= 2

.PHONY: setup demo nights test test-slow fuzz bench bench-features bench-cohorts bench-model lint format lock clean

setup: $(VENV)/.ready

$(VENV)/.ready: requirements.lock pyproject.toml
	@if [ -s apt.txt ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		dpkg -s $$(cat apt.txt) >/dev/null 2>&1 || (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$(cat apt.txt)) \
		|| echo "not all of apt.txt could be installed; tests that need it say so"; fi
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	UV_COMPILE_BYTECODE=1 $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q src
	touch $@

demo: setup
	test -f keys/site.key || $(BIN)/riskstrat keys init
	$(BIN)/riskstrat demo --people $(DEMO_PEOPLE) --seed $(DEMO_SEED) --as-of $(DEMO_AS_OF) --faults
	$(BIN)/riskstrat run --as-of $(DEMO_AS_OF)

# A town of several nights in a site of its own, every night run by one command: what lists make of days that follow.
nights: setup
	@site=$$(mktemp -d)/town; last=$$($(BIN)/python -c \
		"from datetime import date, timedelta; print(date.fromisoformat('$(DEMO_AS_OF)') + timedelta(days=$(NIGHTS) - 1))"); \
	$(BIN)/riskstrat init $$site && $(BIN)/riskstrat --site $$site keys init && \
	$(BIN)/riskstrat --site $$site demo --people $(NIGHTS_PEOPLE) --seed $(DEMO_SEED) --as-of $(DEMO_AS_OF) --nights $(NIGHTS) && \
	$(BIN)/riskstrat --site $$site run --from $(DEMO_AS_OF) --as-of $$last && \
	echo "the site is $$site"

# A file's tests stay in one process, because they share towns that take seconds to make.
test: setup lint
	$(BIN)/python -m pytest -m "not slow" --numprocesses $(TEST_PROCESSES) --dist loadfile

test-slow: setup
	$(BIN)/python -m pytest -m slow

# 30 million GP rows, 3 million episodes and 10 million contacts, then the features of a million people, then the cohort
# queries of a million and their peers: about 25 minutes and 9 GB of disk.
bench: setup
	$(BIN)/python -m benchmarks.ingest
	$(MAKE) bench-features
	$(MAKE) bench-cohorts
	$(MAKE) bench-model

# All features of a demo town against a scan of the columns that they read, and HFRS against pycomorb's.
bench-features: setup
	$(BIN)/python -m benchmarks.features --people $(BENCH_PEOPLE) --profile

# cohort count, query and attrition against DuckDB alone and against duckcdm, es-aces and phenex, each in an environment
# of its own that is made (1.8 GB) and removed again.
bench-cohorts: setup
	$(BIN)/python -m benchmarks.cohorts --people $(BENCH_PEOPLE)

# Four risk models of a million landmark rows, and a million people scored with reasons.
bench-model: setup
	$(BIN)/python -m benchmarks.model

fuzz: setup
	$(BIN)/python -m tests.fuzz --deliveries $(FUZZ_DELIVERIES) --seed $(FUZZ_SEED)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock:
	$(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra spark --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --quiet --output-file requirements.lock

clean:
	[ ! -d output ] || chmod -R u+w output
	rm -rf output state
