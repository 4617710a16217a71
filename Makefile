# Everything runs in .venv, made from requirements.lock: nothing else is needed than Python >= 3.11 and make.
PYTHON ?= python3
BIN    := .venv/bin
READY  := .venv/ready-$(firstword $(shell cat requirements.lock pyproject.toml | cksum))

# All tests, in three processes: most wait for a service most of the time. A process has whole files (what a module
# shares is made once), in the order of the folders: the longest first, the short ones of unit fill up the end.
SPREAD := -n 3 --dist loadfile --no-loadscope-reorder --max-worker-restart 0

.DEFAULT_GOAL := help
.PHONY: help venv demo test check bench lint types lock sbom audit helm clean

help:  ## this list
	@echo "usage: make TARGET [ARGS=...]"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1	\2/p' $(MAKEFILE_LIST) | expand -t 10

demo: $(READY)  ## the whole path on real local services with a simulated hour; ARGS=--exit stops at the end
	@$(BIN)/transferscope demo $(ARGS)

test: lint types  ## lint, types and all tests in several processes; with ARGS, which go to pytest, in one
	@$(BIN)/python -m pytest $(or $(ARGS),$(SPREAD))

check: lint types  ## lint, types, unit and architecture tests: under a minute
	@$(BIN)/python -m pytest tests/unit tests/architecture $(ARGS)

# All but growth and soak, which take an hour each and tens of GB: ARGS=soak.
BENCHES := core bridge ingest end-to-end alerts bulk readers reading peers

bench: $(READY)  ## the benchmarks, one after the other: most of an hour; ARGS names one, for example ARGS=core
	@$(if $(ARGS),$(BIN)/transferscope bench $(ARGS),for name in $(BENCHES); do $(BIN)/transferscope bench $$name || exit; done)

lint: $(READY)  ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(READY)  ## mypy --strict over the packages and the tests
	@$(BIN)/mypy

venv: $(READY)  ## .venv with the locked dependencies and this package

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("transferscope needs Python 3.11 or newer, and $(PYTHON) is %d.%d: say make PYTHON=/path/to/python3.11" % sys.version_info[:2])'
	@echo "setting up .venv (once) ..."
	@rm -f .venv/ready-*
	@$(PYTHON) -m venv .venv || { echo "python's venv module is missing: install it (Debian: python3-venv) and say make again" >&2; exit 3; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links

lock:  ## renew the locks from pyproject.toml: of all, and of what the image runs and is built with (needs uv on the path)
	@$(COMPILE) --all-extras $(ARGS) -o requirements.lock pyproject.toml
	@$(COMPILE) --constraint requirements.lock -o requirements.runtime.lock pyproject.toml
	@echo hatchling | $(COMPILE) --constraint requirements.lock -o requirements.build.lock -
	@for peer in tests/bench/peers/*/; do (cd $$peer && $(COMPILE) $(ARGS) -o requirements.lock requirements.in); done

sbom: $(READY)  ## dist/transferscope.cdx.json: the packages that the image runs, with their sums (CycloneDX)
	@mkdir -p dist
	@$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --of JSON \
		--output-file dist/transferscope.cdx.json requirements.runtime.lock

audit: $(READY)  ## known vulnerabilities of the locked packages (pip-audit); PyPI itself knows them, its mirrors do not
	@said="$$($(BIN)/pip-audit --strict --disable-pip --progress-spinner off -r requirements.lock 2>&1)"; code=$$?; \
	printf '%s\n' "$$said" | tail -n 20; \
	case "$$said" in *"could not be audited"*|*ConnectionError*|*ServiceError*) \
		echo "audit: not everything could be asked about, so nothing is known: run this where PyPI itself is reached" >&2; \
		exit 3;; \
	esac; exit $$code

helm: $(READY)  ## Helm in .venv, for the chart's tests; built with Go, in minutes
	@GOBIN="$(CURDIR)/$(BIN)" go install helm.sh/helm/v3/cmd/helm@v3.22.0

clean:  ## removes .venv and all caches
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
