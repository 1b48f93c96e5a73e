# A fresh machine needs Python 3.11 or newer and make; everything else comes into .venv.
PY = .venv/bin/python
SYSTEM_PYTHON = $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$name; break; }; done)
# The development packages include those that `make run` needs.
LOCAL = $(shell test .venv/dev.stamp -nt requirements/dev.txt && echo .venv/dev.stamp || echo .venv/local.stamp)
PIP_INSTALL = $(PY) -m pip install -qq --disable-pip-version-check --no-input --require-hashes
LOCK = .venv/bin/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-header --no-annotate pyproject.toml
LIGHTHOUSE = node_modules/lighthouse/cli/index.js

.PHONY: run test faults bench bench-million first-paint lighthouse screenshots icons lint format messages lock clean image-check

# By way of the shell's exec the supervisor is make's own child and gets the SIGTERM that make passes on.
run: $(LOCAL)
	@$(PY) -m kpt.messages
	@exec $(PY) -m kpt.run

test: .venv/dev.stamp
	@$(PY) -m kpt.messages
	@exec $(PY) -m kpt.check

# The faults that depend on chance, ten times over. FAULT_SEED=... (printed at the end of a run) plays its dice again.
FAULT_ROUNDS = 10
faults: .venv/dev.stamp
	@$(PY) -m kpt.messages
	@FAULT_ROUNDS=$(FAULT_ROUNDS) exec $(PY) -m pytest -q tests/faults

bench: .venv/dev.stamp
	@$(PY) -m kpt.messages
	@exec $(PY) -m bench

# Sign-ups beside a million registrations and beside a thousand people.
bench-million: .venv/dev.stamp
	@$(PY) -m kpt.messages
	@exec $(PY) -m bench --only million

# How soon a page shows on a slow line.
first-paint: .venv/dev.stamp
	@$(PY) -m kpt.messages
	@exec $(PY) -m bench.sight first-paint

# Needs npm; takes two minutes.
lighthouse: .venv/dev.stamp $(LIGHTHOUSE)
	@$(PY) -m kpt.messages
	@exec $(PY) -m bench.sight lighthouse

# Of a site that is running, for docs/screenshots.
SITE = http://127.0.0.1:8000
screenshots: .venv/dev.stamp
	$(PY) -m tests.screenshots $(SITE)

icons: .venv/dev.stamp
	$(PY) -m tests.icons

lint: .venv/dev.stamp
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m djlint --check --lint templates

format: .venv/dev.stamp
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	$(PY) -m djlint --reformat --quiet templates

messages: .venv/dev.stamp
	PATH="$$PWD/.venv/bin:$$PATH" DEBUG=on DATABASE_URL=postgres://unused/unused REDIS_URL=redis://unused \
		$(PY) manage.py makemessages --locale id --no-location --no-wrap --no-obsolete \
		--ignore .venv --ignore var --ignore staticfiles --ignore node_modules
	sed -i.bak '/^"POT-Creation-Date/d' locale/id/LC_MESSAGES/django.po && rm locale/id/LC_MESSAGES/django.po.bak
	$(PY) -m kpt.messages

lock: .venv/dev.stamp
	$(LOCK) --upgrade -o requirements/production.txt
	$(LOCK) --extra local -c requirements/production.txt -o requirements/local.txt
	$(LOCK) --extra dev -c requirements/production.txt -o requirements/dev.txt

# Data of root's servers may lie outside the folder, where the entries of var/ lead.
clean:
	@test -n "$(SYSTEM_PYTHON)" || { echo "Python 3.11 or newer is needed, named python3 or python3.11."; exit 1; }
	$(SYSTEM_PYTHON) kpt/embedded.py var

.venv/bin/python:
	@test -n "$(SYSTEM_PYTHON)" || { echo "Python 3.11 or newer is needed, named python3 or python3.11."; exit 1; }
	$(SYSTEM_PYTHON) -m venv .venv

.venv/local.stamp: requirements/local.txt | .venv/bin/python
	$(PIP_INSTALL) -r requirements/local.txt
	@touch $@

.venv/dev.stamp: requirements/dev.txt | .venv/bin/python
	$(PIP_INSTALL) -r requirements/dev.txt
	@touch $@

$(LIGHTHOUSE): package-lock.json
	npm ci --silent && touch $@

# By hand only: builds the container image without a container engine, as root on Debian.
image-check:
	deploy/check-image.sh
