# Every target works from a fresh clone with Rust, make and a linker, unless it says what else it needs.

CARGO ?= cargo
FEATURES := "" forensics sim serde forensics,sim,serde

.DEFAULT_GOAL := help
.PHONY: help demo test lint doc scale

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' Makefile | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: ## Load the Debian package graph, query it, kill and recover it; ends with the path of a report
	$(CARGO) run --locked --quiet --release -p lab --bin lab -- run scenarios/debian.toml

test: ## Run every test
	$(CARGO) test --locked --workspace

lint: ## Formatting, clippy and rustdoc with warnings denied, every combination of features
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	@for features in $(FEATURES); do \
		echo "clippy: vellum with features '$$features'"; \
		$(CARGO) clippy --locked -p vellum --all-targets --features "$$features" -- -D warnings || exit 1; \
	done

doc: ## Build the documentation with warnings denied
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps

scale: ## Load 1,000,000 nodes and 10,000,000 edges with a 32 MiB cache, and measure
	$(CARGO) run --locked --quiet --release -p vellum --example scale
