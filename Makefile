# Palmares: `make run` and `make test` are all that a newcomer needs.

# Outside the clone, so that a fresh clone builds warm.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/palmares/target
export PALMARES_NATS_SERVER ?= $(CURDIR)/.tools/nats-server

CARGO ?= cargo
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test lint bench faults install

help: ## Show this
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: install ## Install what is missing, build, and run everything (ARGS="--port 9000 --data-dir DIR")
	$(CARGO) build --release --locked --package palmares --bin palmares
	@exec "$(CARGO_TARGET_DIR)/release/palmares" dev $(ARGS)

test: install ## Every test, with the count at the end
	@scripts/install-provider.sh
	@CARGO="$(CARGO)" scripts/test.sh $(ARGS)

lint: ## Formatting and lints, as strict as a reviewer
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	scripts/requirements.sh --check

bench: install ## Measure against what one would use instead; writes bench/results and docs
	$(CARGO) build --release --locked --package palmares --bin palmares
	$(CARGO) run --release --locked --package palmares-bench -- $(ARGS)

faults: install ## Kill the server, PostgreSQL and nats-server under load, and check every promise
	@CARGO="$(CARGO)" FAULT_SUBJECTS=$${FAULT_SUBJECTS:-200} scripts/test.sh --package palmares --test all -- faults $(ARGS)

install: ## Install what is missing: PostgreSQL, nats-server; idempotent
	@scripts/install.sh
