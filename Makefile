# Nothing but Python >= 3.11 (with venv), git and make is needed for `make run`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CLIENTS := tests/clients/node_modules/.installed
DOCS_ASSETS := docs/node_modules/.installed
# tests/support/order.py says what a process runs, and in which order; xdist would undo the order.
# Bytecode is kept whatever the shell wants: the tests start a hundred Python processes.
COLLECT = PYTHONDONTWRITEBYTECODE= $(BIN)/pytest --collect-only --quiet
PYTEST = PYTHONDONTWRITEBYTECODE= $(BIN)/pytest --numprocesses 6 --dist loadfile --no-loadscope-reorder
APT := apt-get update && apt-get install --yes --no-install-recommends

.DEFAULT_GOAL := run
.PHONY: messages run test test-quick test-fuzz test-faults test-deps test-versions test-hosts test-pooling test-failover test-spool test-replica test-citus
.PHONY: test-deploy deploy-deps
.PHONY: bench bench-size bench-soak bench-overload
.PHONY: bench-delivery bench-isolation bench-workers
.PHONY: bench-claims bench-console bench-compare chaos bench-deps clients clean docs docs-serve
.NOTPARALLEL:

# exec: the supervisor itself gets what is sent to make's child, Ctrl-C and SIGTERM alike.
run: $(VENV)/.run
	@PORT="$(PORT)" HOST="$(HOST)" exec $(BIN)/python -m project.run --with-parent

test: $(VENV)/.dev test-deps clients
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@# The types take as long as everything else: beside it. Collected once, the tests and what they
	@# import are compiled for all processes that run them.
	@set -x; $(BIN)/mypy & types=$$!; \
	$(BIN)/lint-imports && $(BIN)/python -W ignore -m tests.architecture.sql_lint; others=$$?; \
	$(COLLECT) > /dev/null; \
	wait $$types && exit $$others
	$(PYTEST) --durations=25

# An answer in a minute and a half, from what `make .venv/.dev` installs: no browser, broker of another
# make, SDK, nor root; and without the types.
test-quick: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(PYTEST) -m "not (browser or stack or sdk or slow)"

# Generated requests, hits and events in full, and more: make test-fuzz SHARE=5
test-fuzz: $(VENV)/.dev
	HITSTREAM_TEST_SHARE="$(or $(SHARE),1)" $(PYTEST) tests/openapi tests/ingest/http/test_fuzz.py \
		tests/destinations

# Attacks, bad days and generated events in full: hours of hostile input in minutes.
test-faults: $(VENV)/.dev test-deps
	HITSTREAM_TEST_FAULTS=full $(PYTEST) -m faults --durations=25

# The suite without browsers under every Python from 3.12 on and every Django that pyproject.toml
# allows; one pair: make test-versions ONLY=3.13:6.0
test-versions: $(VENV)/.dev test-deps clients
	@$(BIN)/python -m tests.versions $(addprefix --only ,$(ONLY))

# The strings to translate, into the catalogues of tracking/locale, and these compiled (it needs Debian's
# package gettext); a new language: make messages LANGUAGES=fr
LANGUAGES = $(notdir $(wildcard tracking/locale/*))
messages: $(VENV)/.dev
	mkdir -p tracking/locale
	$(BIN)/python manage.py makemessages $(addprefix --locale=,$(LANGUAGES)) --no-wrap --no-obsolete \
		--add-location=file $(addprefix --ignore=,tests docs var benchmarks deploy build node_modules)
	cd tracking && ../$(BIN)/django-admin compilemessages

# The projects of others, each in a virtual environment of its own (they are downloaded); one of them:
# make test-hosts ONLY=wagtail
test-hosts: $(VENV)/.dev test-deps
	HITSTREAM_TEST_HOSTS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/pytest tests/hosts -v $(addprefix -k ,$(ONLY))

# The files of deploy/ on Debian's servers, an upgrade under load, backup and restore:
# make test-deploy ONLY=compose
test-deploy: $(VENV)/.dev test-deps deploy-deps
	HITSTREAM_TEST_DEPLOY=1 HITSTREAM_LAST_RELEASE="$(LAST_RELEASE)" PYTHONDONTWRITEBYTECODE= \
		$(BIN)/pytest tests/deploy -v $(addprefix -k ,$(ONLY))

# The commit of the last release, from which tests/deploy upgrades.
LAST_RELEASE ?= d529043

# Each with the program that shows that it is there.
DEPLOY_DEPS := caddy:caddy debootstrap:debootstrap nginx-light:nginx openssl:openssl \
	postgresql:/usr/lib/postgresql redis-server:redis-server systemd:systemd-analyze
deploy-deps:
	@PATH="$$PATH:/usr/sbin"; missing=; \
	for each in $(DEPLOY_DEPS); do \
		command -v "$${each#*:}" >/dev/null || test -d "$${each#*:}" || missing="$$missing $${each%:*}"; \
	done; \
	test -n "$$missing" || exit 0; \
	if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
		export DEBIAN_FRONTEND=noninteractive; $(APT) $$missing; \
	else \
		echo "The tests need$$missing. Type: sudo sh -c '$(APT)$$missing'" >&2; exit 1; \
	fi

# What uses the database, through PgBouncer in transaction mode; another one than that of the PATH:
# make test-pooling PGBOUNCER=/path/to/pgbouncer
test-pooling: $(VENV)/.dev test-deps
	HITSTREAM_TEST_POOLED=1 $(if $(PGBOUNCER),PGBOUNCER="$(PGBOUNCER)") $(PYTEST) \
		-m "not (browser or stack or sdk)" tests/admin tests/alerts tests/console tests/delivery \
		tests/health tests/ingest tests/management tests/metrics tests/models

# The primary is killed, demoted and cut off under load: a standby promoted by hand, and Patroni with three
# nodes where patroni, etcd-server and postgresql are installed. Seven minutes.
test-failover: $(VENV)/.dev test-deps
	HITSTREAM_TEST_FAILOVER=1 PYTHONDONTWRITEBYTECODE= $(BIN)/pytest tests/failover -v -s

# Postgres is away for two minutes under load, and the web server is killed meanwhile:
# make test-spool SECONDS=12
test-spool: $(VENV)/.dev
	HITSTREAM_TEST_SPOOL="$(or $(SECONDS),120)" PYTHONDONTWRITEBYTECODE= $(BIN)/pytest tests/spool -v -s

# A primary, a streaming replica and the console in front of them.
test-replica: $(VENV)/.dev
	HITSTREAM_TEST_REPLICA=1 PYTHONDONTWRITEBYTECODE= $(BIN)/pytest tests/replica -v

# What uses the database, on a Citus cluster: the coordinator's address with a database that is empty
# or that an earlier run has left. Every server of the cluster has that database and the extension.
test-citus: $(VENV)/.dev
	@test -n "$(CITUS_URL)" || { echo "Give an empty database of a Citus cluster, with the extension on \
	every server: make test-citus CITUS_URL=postgresql://user@host/database" >&2; exit 1; }
	HITSTREAM_TEST_CITUS="$(CITUS_URL)" PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -p tests.citus.plugin \
		--ds=tests.citus.settings -m "not (browser or stack or sdk)" tests/citus tests/models tests/delivery \
		tests/ingest tests/console tests/admin tests/management tests/health tests/metrics

test-deps:
	@PATH="$$PATH:/usr/sbin"; missing=; \
	command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || \
		missing="$$missing chromium-headless-shell"; \
	command -v rabbitmq-server >/dev/null || missing="$$missing rabbitmq-server"; \
	command -v pgbouncer >/dev/null || missing="$$missing pgbouncer"; \
	command -v node >/dev/null || missing="$$missing nodejs"; \
	command -v npm >/dev/null || missing="$$missing npm"; \
	command -v xgettext >/dev/null || missing="$$missing gettext"; \
	test -n "$$missing" || exit 0; \
	if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
		export DEBIAN_FRONTEND=noninteractive; $(APT) $$missing; \
	else \
		echo "The tests need$$missing. Type: sudo sh -c '$(APT)$$missing'" >&2; exit 1; \
	fi

# The SDKs that the tests run against a live server.
clients: $(CLIENTS)

# The documentation site, in docs/build/site. A broken link fails the build (not with --quiet, which hides
# the warnings that --strict counts), and so does anything that a page would load from another host.
docs: $(VENV)/.docs $(DOCS_ASSETS)
	@$(BIN)/python -m docs.generate
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --clean
	@echo "The site is in docs/build/site."

docs-serve: docs
	@echo "http://127.0.0.1:8010/"
	@exec $(BIN)/python -m http.server 8010 --bind 127.0.0.1 --directory docs/build/site

# See benchmarks/README.md.
bench: $(VENV)/.dev bench-deps
	@$(BIN)/python -m benchmarks

bench-size bench-soak bench-overload: bench-%: $(VENV)/.dev bench-deps
	@$(BIN)/python -m benchmarks.$*

bench-delivery bench-isolation bench-workers bench-claims bench-console: bench-%: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.$*

# The working tree and another revision in turns: make bench-compare REV=HEAD~1 OPTIONS="--only ingest"
bench-compare: $(VENV)/.dev bench-deps
	@test -n "$(REV)" || { echo "Name a revision: make bench-compare REV=HEAD~1" >&2; exit 2; }
	@$(BIN)/python -m benchmarks.compare "$(REV)" $(OPTIONS)

# Two random seeds, or those given: make chaos SEED="7 11"; through PgBouncer in transaction mode for
# half an hour: make chaos SEED=7 OPTIONS="--pooled --hits 450000"
chaos: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.chaos $(addprefix --seed ,$(SEED)) $(OPTIONS)

bench-deps:
	@command -v wrk >/dev/null || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
			DEBIAN_FRONTEND=noninteractive sh -c '$(APT) wrk'; } || { \
		echo "The benchmarks need wrk. Type: sudo sh -c '$(APT) wrk'" >&2; exit 1; }

# A stamp is as old as the pyproject.toml that was installed, so a second run costs nothing.
# ONCE: of two `make` at the same time one installs, and the other waits for it.
ONCE = project/once.py $@ $^ -- sh -c
NPM := npm install --no-package-lock --no-audit --no-fund --ignore-scripts --silent

$(VENV)/.run: pyproject.toml $(VENV)/.made
	@$(BIN)/python $(ONCE) 'echo "Installing what make run needs into $(VENV) ..." && \
		$(BIN)/python -m pip install --quiet --editable . --group run'

# Python compiles what is imported, a fifth of what is installed, when it is imported.
$(VENV)/.dev: pyproject.toml $(VENV)/.made
	@$(BIN)/python $(ONCE) 'echo "Installing what make test needs into $(VENV) ..." && \
		$(BIN)/python -m pip install --quiet --no-compile --editable . --group dev && touch $(VENV)/.run'

$(VENV)/.docs: pyproject.toml $(VENV)/.made
	@$(BIN)/python $(ONCE) 'echo "Installing what make docs needs into $(VENV) ..." && \
		$(BIN)/python -m pip install --quiet --editable . --group docs && touch $(VENV)/.run'

$(DOCS_ASSETS): docs/package.json
	@command -v npm >/dev/null || { echo "npm not found. Type: make test-deps" >&2; exit 1; }
	@"$(PYTHON)" $(ONCE) 'echo "Installing the fonts and Mermaid of the site into $(dir $@) ..." && \
		cd $(dir $<) && $(NPM)'

$(CLIENTS): tests/clients/package.json
	@command -v npm >/dev/null || { echo "npm not found. Type: make test-deps" >&2; exit 1; }
	@"$(PYTHON)" $(ONCE) 'echo "Installing the SDKs that make test runs into $(dir $@) ..." && \
		cd $(dir $<) && $(NPM)'

# An upgraded pip: that of Python 3.11 does not know --group.
$(VENV)/.made:
	@command -v "$(PYTHON)" >/dev/null || { \
		echo "$(PYTHON) not found: install Python 3.11 or later, or name one: make PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is $$($(PYTHON) -V 2>&1), Hitstream needs 3.11 or later: make PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) comes without venv or ensurepip: apt install python3-venv" >&2; exit 1; }
	@"$(PYTHON)" $(ONCE) 'rm -rf $(VENV) && "$(PYTHON)" -m venv $(VENV) && \
		$(BIN)/python -m pip install --quiet --upgrade pip'

# What was installed or built; the data in var/ stays.
clean:
	rm -rf $(VENV) $(dir $(CLIENTS)) $(dir $(DOCS_ASSETS)) docs/build build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
