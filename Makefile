# Every target does its own set-up on a machine that has Python 3.11 or newer, git and make; a second run finds it
# done. ARGS goes to the program behind the target: make demo ARGS=--no-dashboard, make test ARGS="-k targets".

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test soak endurance spark bench lint lock clean

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
BROWSERS := chromium chromium-browser google-chrome google-chrome-stable

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.runtime ## the sample organisation: collect, build, scorecard, dashboard; prints its address
	@exec $(BIN)/sixkeys demo $(ARGS)

PYTEST := $(BIN)/python -m pytest --dist worksteal --durations 20 --numprocesses
# a worker more than there are processors, since tests wait for pages, servers and clocks
ONE_MORE = $$($(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)')

test: $(VENV)/.dev $(VENV)/.browser ## the tests, a real browser included; prints the twenty slowest
	$(PYTEST) $(ONE_MORE) -m "not soak" $(ARGS)

soak: $(VENV)/.dev $(VENV)/.browser ## the tests that take minutes by nature: kills at random, scale, every fault, every width; LONG=1 takes an hour
	$(if $(LONG),SIXKEYS_LONG=1 )$(PYTEST) $(ONE_MORE) -m soak $(ARGS)

endurance: $(VENV)/.dev $(VENV)/.browser ## of soak what every change is held to: kills, full disks, readers beside writers, upgrades, the package
	$(PYTEST) $(ONE_MORE) -m soak tests/endurance tests/upgrades tests/house tests/dashboards/server $(ARGS)

spark: $(VENV)/.spark ## builds on a Spark cluster on loopback, a worker of which is killed; brings pyspark and Java
	$(if $(LONG),SIXKEYS_LONG=1 )$(BIN)/python -m pytest -m soak --durations 5 tests/warehouse/building/spark $(ARGS)

bench: $(VENV)/.dev ## what the commands cost beside their floors; SIZE=5 is a million commits, SIZE=50 ten million
	@$(BIN)/python -m benchmarks.commands --size $(or $(SIZE),1) $(ARGS)

lint: $(VENV)/.dev ## format, lint, types, direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# the files name no index and carry the hash of every platform's file; an index of this machine stays out of them
LOCK := env -u PIP_EXTRA_INDEX_URL -u PIP_FIND_LINKS PIP_CONFIG_FILE=/dev/null $(BIN)/pip-compile --quiet \
	--generate-hashes --strip-extras --allow-unsafe --no-header --no-emit-options --no-emit-index-url \
	--no-emit-trusted-host --no-emit-find-links --extra build

lock: $(VENV)/.dev ## writes the lock files anew; ARGS=--upgrade takes the newest versions
	$(LOCK) $(ARGS) --output-file requirements.txt pyproject.toml
	$(LOCK) $(ARGS) --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
	$(LOCK) $(ARGS) --extra spark --constraint requirements-dev.txt --output-file requirements-spark.txt pyproject.toml

clean: ## removes the demo, caches and reports; the environment stays in .venv
	rm -rf demo artifacts build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

$(BIN)/python:
	@command -v git > /dev/null || { echo "make: git is missing; install it and try again" >&2; exit 1; }
	@found=; for candidate in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
		if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then \
			found=$$candidate; break; fi; done; \
	if [ -z "$${found:-}" ]; then \
		echo "make: needs Python 3.11 or newer; name one with make PYTHON=/path/to/python" >&2; exit 1; fi; \
	if ! "$$found" -c 'import ensurepip' 2> /dev/null; then \
		package=$$("$$found" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
		if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
			apt-get update -qq && apt-get install -y -qq "$$package"; \
		else \
			echo "make: this Python cannot make environments; run: sudo apt-get install $$package" >&2; exit 1; fi; fi; \
	"$$found" -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

# $(1): the lock file. One line as packages arrive, the whole log if it fails.
define install
	@echo "Installing what Sixkeys needs into $(VENV); this happens once and takes a minute or two."
	@set -o pipefail; total=$$(grep -c '^[a-z].*==' $(1)); log=$(VENV)/install.log; \
	$(PIP) install --progress-bar off --require-hashes -r $(1) 2>&1 | tee "$$log" | awk -v total=$$total -v tty=$$(test -t 1 && echo 1 || echo 0) ' \
		/^(Collecting|Processing)/ { n++; if (tty) printf "\r  %d of %d packages", n, total; \
			else if (n % 20 == 0) print "  " n " of " total " packages"; fflush() } \
		/^Installing/ { if (tty) printf "\r"; print "  unpacking " total " packages"; fflush() }' \
	|| { grep -v '^Collecting\|^  ' "$$log" | tail -20 >&2; exit 1; }
	@$(PIP) install -qq --no-deps --no-build-isolation --editable .
	@touch $@
endef

$(VENV)/.runtime: requirements.txt pyproject.toml | $(BIN)/python
	$(call install,requirements.txt)

$(VENV)/.dev: requirements-dev.txt pyproject.toml | $(BIN)/python
	$(call install,requirements-dev.txt)
	@touch $(VENV)/.runtime

$(VENV)/.browser: | $(VENV)/.dev
	@if [ -n "$$(type -P $(BROWSERS))" ] || [ -d "/Applications/Google Chrome.app" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null \
		&& apt-get update -qq && apt-get install -y -qq chromium && type -P chromium > /dev/null; then :; \
	else $(BIN)/playwright install chromium; fi
	@touch $@

# beside what is there already: it changes none of it, so that other targets may run
$(VENV)/.spark: requirements-spark.txt | $(VENV)/.dev
	@if command -v java > /dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		apt-get update -qq && apt-get install -y -qq openjdk-17-jre-headless; \
	else echo "make: Java is missing; install Java 17 or newer and try again" >&2; exit 1; fi
	@$(PIP) install -qq --require-hashes -r requirements-spark.txt
	@touch $@
