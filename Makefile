# make demo, make test, make check: each works alone on a fresh machine with Python 3.11, git and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LONG := engines or e2e or slow
# Seconds: what hangs fails, and says where. The longest test takes two minutes on two busy cores.
HANGS := --timeout 300
# Long files first, so that no process is left with one at the end.
TESTS := tests/e2e tests/bots tests/workers tests/activities tests/agent tests/docker tests/supply tests/workflows $(wildcard tests/test_*.py)
# On two busy cores a page or a process is late now and then: tried twice more, and named in the summary.
LATE := --reruns 2 --reruns-delay 3 -rfEsxXR

# Compiled once, and not by each of june's processes anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo up test unit check audit sbom fix models lock bench pictures clean

demo: $(READY) ## answer the shipped question with a spoken reply
	@$(BIN)/june models pull --demo
	@$(BIN)/june demo

up: $(READY) ## run everything on this machine, until Ctrl-C
	@$(BIN)/june models pull --demo
	@$(BIN)/june up

test: models ## all tests: fast ones, real engines, the whole way
	$(BIN)/pytest -n 3 $(HANGS) $(LATE) --dist loadfile --no-loadscope-reorder $(TESTS)

unit: $(READY) ## the fast tests, under a minute: no network, no models
	$(BIN)/pytest -n 3 $(HANGS) --hypothesis-profile quick --dist worksteal --ignore tests/e2e -m "not ($(LONG))"

check: $(READY) ## lint, types, import rules, words; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/test_words.py

audit: $(READY) ## known vulnerabilities of what is locked; fails at those that requirements/audit.toml does not accept
	$(BIN)/python -m tests.supply.audit

sbom: $(READY) ## a bill of materials of what is shipped: CycloneDX, in var/june.cdx.json
	@mkdir -p var
	$(BIN)/june sbom --out var/june.cdx.json

fix: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

models: $(READY)
	@$(BIN)/june models pull --tests

bench: $(READY) ## the figures of docs/benchmarks.md
	@$(BIN)/june models pull --demo
	@$(BIN)/june bench all

pictures: $(READY) ## the documentation's pictures of the Web UI (needs Chromium)
	@$(BIN)/june models pull --demo
	$(BIN)/python -m tests.e2e.pictures
	$(BIN)/python -m tests.e2e.pictures_of_chats

LOCK = $(BIN)/uv pip compile -q --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate --no-strip-markers

lock: $(READY) ## pin every dependency with its hashes
	$(LOCK) pyproject.toml --group build -o requirements/run.txt
	$(LOCK) pyproject.toml --group build --group dev -c requirements/run.txt -o requirements/dev.txt
	echo uv | $(LOCK) - -c requirements/dev.txt -o requirements/uv.txt

$(READY): requirements/dev.txt requirements/uv.txt requirements/doubles.txt pyproject.toml setup.sh
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh setup.sh

clean:
	rm -rf $(VENV)
