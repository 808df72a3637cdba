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
BENCH_PEOPLE_QUICK ?= 100000
BENCH_PEOPLE_LARGE ?= 5000000
BENCH_REPEATS ?= 3
BENCH_WORK ?= $(or $(TMPDIR),/tmp)
FUZZ_DELIVERIES ?= 2000
FUZZ_SEED ?= 1
TEST_PROCESSES ?= 2
export OMP_NUM_THREADS ?= 2

.PHONY: setup demo nights test test-slow fuzz bench bench-quick bench-large bench-page bench-ingest bench-features bench-cohorts \
	bench-model profile lint format lock clean

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

# A file's tests stay in one process, because they share towns that take seconds to make. Folders keep their order, in which
# the long files of end_to_end come first: by number of tests they would come last, one process waiting for the other.
test: setup lint
	$(BIN)/python -m pytest -m "not slow" --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

test-slow: setup
	$(BIN)/python -m pytest -m slow

# Every benchmark at a million people (30 million GP entries, 3 million episodes, 10 million contacts), a smaller night for the
# growth, and the page with the table of targets, which comes last. On a quiet machine; the data go to BENCH_WORK (15 GB).
bench: setup
	$(BIN)/python -m benchmarks.night --people $(BENCH_PEOPLE_QUICK) --format csv --repeats 1 --work $(BENCH_WORK)
	$(BIN)/python -m benchmarks.night --people $(BENCH_PEOPLE_QUICK) --format parquet --repeats 1 --work $(BENCH_WORK)
	$(BIN)/python -m benchmarks.night --people $(BENCH_PEOPLE) --format csv --repeats $(BENCH_REPEATS) --work $(BENCH_WORK)
	$(BIN)/python -m benchmarks.night --people $(BENCH_PEOPLE) --format parquet --repeats 1 --work $(BENCH_WORK)
	$(MAKE) bench-features
	$(MAKE) bench-cohorts
	$(MAKE) bench-model
	$(MAKE) bench-page

# The same night at sizes that take minutes, so that a change can be judged before a million is asked of anybody; no peers.
bench-quick: setup
	$(BIN)/python -m benchmarks.night --people $(BENCH_PEOPLE_QUICK) --format csv --repeats 2 --work $(BENCH_WORK)
	$(BIN)/python -m benchmarks.night --people $(BENCH_PEOPLE_QUICK) --format parquet --repeats 1 --work $(BENCH_WORK)
	$(BIN)/python -m benchmarks.features --people $(BENCH_PEOPLE_QUICK) --repeats 1 --work $(BENCH_WORK)
	$(MAKE) bench-page

# Five million people, one turn, from Parquet, which takes less room: 50 GB.
bench-large: setup
	$(BIN)/python -m benchmarks.night --people $(BENCH_PEOPLE_LARGE) --format parquet --repeats 1 --work $(BENCH_WORK)
	$(MAKE) bench-page

# docs/benchmarks.md from whatever was measured so far, and the table of targets.
bench-page: setup
	$(BIN)/python -m benchmarks.page

# docs/profile.md: where the time of one night goes.
profile: setup
	$(BIN)/python -m benchmarks.profile --people $(BENCH_PEOPLE_QUICK) --work $(BENCH_WORK)

# riskstrat check alone against parsing the same files.
bench-ingest: setup
	$(BIN)/python -m benchmarks.ingest --people $(BENCH_PEOPLE) --work $(BENCH_WORK)

# All features of a demo town against a scan of the columns that they read and against polars and pandas, and scores of codes
# against pycomorb and comorbidipy (an environment of its own, 0.2 GB, that is made and removed again).
bench-features: setup
	$(BIN)/python -m benchmarks.features --people $(BENCH_PEOPLE) --profile --work $(BENCH_WORK)

# cohort count, query and attrition against DuckDB alone and against duckcdm, es-aces and phenex on cut-down tables and on whole
# records, each in an environment of its own that is made (1.8 GB) and removed again.
bench-cohorts: setup
	$(BIN)/python -m benchmarks.cohorts --people $(BENCH_PEOPLE) --work $(BENCH_WORK)

# Four risk models of a million landmark rows, and a million people scored with reasons.
bench-model: setup
	$(BIN)/python -m benchmarks.model --work $(BENCH_WORK)

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
