# Every target works from a fresh clone with Rust, make and a linker, unless it says what else it needs.

CARGO ?= cargo
RUSTC ?= rustc
NIGHTLY ?= nightly
# Seconds for each fuzz target.
T ?= 60
# Kinds of test that must catch a planted bug before the next one's turn; 7 asks all.
LAYERS ?= 2
# Hours of processor time for all fuzz targets together.
HOURS ?= 3
# How often each real fault happens, and which of them; empty: all.
CYCLES ?= 1000
FAULTS ?=
# Scenarios that choose parameters.
TUNING := cache-capacity-sweep traversal-cache-sweep page-size batch-size group-commit
# What `make bench-ab` runs with both.
SCENARIO ?= scenarios/regression-10k-a.toml
# What `make bench-peers` measures, and how often.
SIZE ?= peers-m
REPEATS ?= 3
# How many mutants more, all that are left, or again those that nothing caught.
MUTANTS ?= 100
# Schedules of each test of a whole database, by each of two strategies.
SCHEDULES ?= 300
FUZZ_TARGETS := $(patsubst fuzz/fuzz_targets/%.rs,%,$(wildcard fuzz/fuzz_targets/*.rs))
FEATURES := "" forensics sim serde forensics,sim forensics,serde sim,serde forensics,sim,serde

.DEFAULT_GOAL := help
# What `make report` runs and publishes.
REPORTED := cache-capacity-sweep traversal-cache-sweep regression-10k-a regression-10k-b regression-10k-c regression-10k-d \
	open-cost cold-path insert-amplification locality batch-size group-commit bulk-load page-size compression topology \
	concurrency misses snapshot-cost determinism debian crash-small-workload crash-recovery-itself
# Crashes of every way into the file; the long run apart.
CRASH_SCENARIOS := $(filter-out scenarios/crash-long.toml,$(wildcard scenarios/crash-*.toml))
# Calls that fail and files that are damaged, in simulation.
FAULT_SCENARIOS := every-io-fails-once fsync-fails lost-and-misdirected-writes bit-rot checksum-strength
# What needs the right to mount file systems.
MOUNTING := power-cut-ext4 power-cut-xfs full-disk failed-sync
# All but the Debian graph, which `make demo` runs whole.
GATED := $(filter-out scenarios/debian.toml scenarios/crash-% $(MOUNTING:%=scenarios/%.toml),$(wildcard scenarios/*.toml))

.PHONY: help rust demo report regress faults test crash-self-test lint doc bench bench-ab bench-peers bench-limits bench-instructions bench-forensics \
	forensic scale salvage crash crash-long crash-foreign fuzz fuzz-tools fuzz-long fuzz-coverage real-faults coverage \
	mutants schedules miri

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' Makefile | awk -F':.*## ' '{printf "  make %-19s %s\n", $$1, $$2}'

rust:
	@least=$$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml); \
	found=$$($(RUSTC) --version 2>/dev/null | awk '{print $$2}'); \
	if [ -z "$$found" ]; then \
		echo "Vellum needs Rust $$least or newer, and $(RUSTC) was not found; see https://rustup.rs" >&2; exit 1; \
	fi; \
	if ! awk -v found="$$found" -v least="$$least" 'BEGIN { \
		split(found, f, "."); split(least, l, "."); \
		exit !(f[1] + 0 > l[1] + 0 || (f[1] + 0 == l[1] + 0 && f[2] + 0 >= l[2] + 0)) }'; then \
		echo "Vellum needs Rust $$least or newer, and this is $$found; update it with: rustup update" >&2; exit 1; \
	fi

demo: rust ## Load the Debian package graph, query it, kill and recover it; ends with the path of a report
	@$(CARGO) run --locked --quiet --release -p lab --bin lab -- run scenarios/debian.toml

report: forensic ## Run the main scenarios in full, and publish their reports in reports/, with an index
	@$(CARGO) run --locked --quiet --release -p lab --bin lab -- run --publish $(REPORTED:%=scenarios/%.toml)

regress: forensic ## The quick gate: every scenario in its small size; its checks decide
	@$(CARGO) run --locked --quiet --release -p lab --bin lab -- run --quick $(GATED)

faults: rust ## Every call fails in every way, every bit flips, every length lies; ends with the paths of reports
	@$(CARGO) run --locked --quiet --release -p lab --bin lab -- run $(FAULT_SCENARIOS:%=scenarios/%.toml)

test: rust ## Run every test
	$(CARGO) test --locked --workspace
	$(CARGO) test --locked -p vellum --features forensics,serde --test forensics
	$(CARGO) test --locked -p lab --features forensics --test forensic

# A build of its own, in a folder of its own, because only it has the bugs.
crash-self-test: rust ## Plant bugs in the engine, one after the other: each must be caught twice
	RUSTFLAGS="--cfg vellum_plant" LAYERS=$(LAYERS) $(CARGO) test --locked --target-dir target/planted \
		-p vellum-fuzz-bodies --test planted -- --nocapture
	RUSTFLAGS="--cfg shuttle --cfg vellum_plant" $(CARGO) test --locked --release --target-dir target/planted-schedules \
		-p vellum --test schedules -- planted

lint: rust ## Formatting, clippy with warnings denied in every combination of features, lock files up to date
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	@for features in $(FEATURES); do \
		echo "clippy: vellum with features '$$features'"; \
		$(CARGO) clippy --locked -p vellum --all-targets --features "$$features" -- -D warnings || exit 1; \
	done
	@echo "check: the lock files outside the workspace"
	@for manifest in fuzz/Cargo.toml lab/foreign/*/Cargo.toml; do \
		$(CARGO) metadata --locked --format-version 1 --manifest-path $$manifest >/dev/null || exit 1; \
	done
	@echo "check: the bugs that can be planted, and what looks for them"
	@RUSTFLAGS="--cfg vellum_plant" $(CARGO) check --locked --quiet --target-dir target/planted -p vellum-fuzz-bodies --test planted

doc: rust ## Build the documentation with warnings denied
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps

bench: rust ## Time single calls, count their instructions where valgrind is, run the tuning scenarios; ends with the path of a report
	$(CARGO) bench --locked -p vellum --bench time
	@if command -v valgrind >/dev/null 2>&1 && command -v gungraun-runner >/dev/null 2>&1; then \
		$(MAKE) --no-print-directory bench-instructions; \
	else echo "skipped: instructions, as valgrind or gungraun-runner is missing; the report has those expected" >&2; fi
	@$(CARGO) run --locked --quiet --release -p lab --bin lab -- run $(TUNING:%=scenarios/%.toml)
	@$(CARGO) run --locked --quiet --release -p lab --bin lab -- bench --calls target/criterion engine/benches/instructions.tsv

bench-ab: rust ## Compare a revision with the working tree, interleaved: BASE=rev, SCENARIO=scenarios/X.toml
	@test -n "$(BASE)" || { echo "missing: BASE, the revision to compare with; for example: make bench-ab BASE=HEAD~1" >&2; exit 2; }
	@$(CARGO) run --locked --quiet --release -p lab --bin lab -- ab $(BASE) $(SCENARIO)

bench-peers: rust ## Measure every row beside SQLite, redb, LMDB, fjall and the limits; SIZE=peers-s|peers-m|peers-l; needs a C compiler
	@command -v cc >/dev/null 2>&1 || { echo "missing: a C compiler named cc; install one with: apt-get install gcc" >&2; exit 1; }
	@$(CARGO) run --locked --quiet --release -p lab --features peers --bin lab -- bench $(SIZE) --repeats $(REPEATS)

bench-limits: rust ## Time reads beside their limit, the same graph in plain arrays
	$(CARGO) bench --locked -p vellum --bench limits

bench-instructions: rust ## Count their instructions, which repeat exactly, and hold them against those expected; needs valgrind and gungraun-runner
	@command -v valgrind >/dev/null 2>&1 || { echo "missing: valgrind; install it with: apt-get install valgrind" >&2; exit 1; }
	@command -v gungraun-runner >/dev/null 2>&1 || { \
		least=$$(awk '/^name = "gungraun"$$/ { getline; gsub(/[^0-9.]/, ""); print }' Cargo.lock); \
		echo "missing: gungraun-runner; install it with: cargo install gungraun-runner --version $$least --locked" >&2; exit 1; }
	@CARGO="$(CARGO)" ACCEPT="$(ACCEPT)" sh engine/benches/instructions.sh

bench-forensics: rust ## Compare the instructions of builds with and without counters; needs valgrind
	@command -v valgrind >/dev/null 2>&1 || { echo "missing: valgrind; install it with: apt-get install valgrind" >&2; exit 1; }
	@CARGO="$(CARGO)" sh engine/benches/overhead.sh

forensic: rust ## Build the lab that counts, beside the one that measures: for counts in scenarios and `lab explain`
	@$(CARGO) build --locked --quiet --release -p lab --features forensics --bin lab-forensic

scale: rust ## Load 1,000,000 nodes and 10,000,000 edges with a 32 MiB cache, and measure
	@$(CARGO) run --locked --quiet --release -p vellum --example scale

crash: rust ## Crash every way into the file at every point, in a million ways; ends with the paths of reports
	@$(CARGO) run --locked --quiet --release -p lab --bin lab -- run $(CRASH_SCENARIOS)

crash-long: rust ## The same with more than twenty million states
	@$(CARGO) run --locked --quiet --release -p lab --bin lab -- run scenarios/crash-long.toml

crash-foreign: rust ## The crash enumerator finds a double-crash loss in redb 4.1.0 and nothing in 4.6.0
	@for version in 4.1 4.6; do \
		$(CARGO) test --locked --manifest-path lab/foreign/redb-$$version/Cargo.toml -- --nocapture || exit 1; \
	done

salvage: rust ## Damage a database 1,000 times at random, salvage it, and compare; writes reports/salvage.md
	VELLUM_SALVAGE_DAMAGES=1000 VELLUM_SALVAGE_REPORT=$(CURDIR)/reports/salvage.md \
		$(CARGO) test --locked -p lab --lib recover::proof -- --nocapture

# The engine has no unsafe code for a sanitizer to watch, and without one it runs several times as fast.
fuzz: rust fuzz-tools ## Fuzz every target for T seconds each (60); needs cargo-fuzz, nightly Rust and a C++ compiler
	@for target in $(FUZZ_TARGETS); do \
		echo "fuzz: $$target for $(T) s"; \
		mkdir -p "fuzz/target/corpus/$$target" && \
		$(CARGO) +$(NIGHTLY) fuzz run --sanitizer none "$$target" "fuzz/target/corpus/$$target" "fuzz/corpus/$$target" -- \
			-max_total_time=$(T) -timeout=20 -len_control=0 -dict=fuzz/dictionary/vellum.dict || exit 1; \
	done

fuzz-tools:
	@rustup run $(NIGHTLY) rustc --version >/dev/null 2>&1 || { \
		echo "missing: a nightly Rust toolchain; install it with: rustup toolchain install nightly" >&2; exit 1; }
	@$(CARGO) fuzz --version >/dev/null 2>&1 || { \
		echo "missing: cargo-fuzz; install it with: cargo install cargo-fuzz --locked" >&2; exit 1; }
	@command -v c++ >/dev/null 2>&1 || { \
		echo "missing: a C++ compiler named c++; install one with: apt-get install g++" >&2; exit 1; }

# Three CPU-hours over all targets, and none under five minutes.
fuzz-long: rust fuzz-tools ## Fuzz for HOURS of processor time over all targets (3), added to reports/fuzz.md
	@fuzz/long.sh "$(HOURS)" $(FUZZ_TARGETS)

fuzz-coverage: rust fuzz-tools ## Which lines and branches the corpus reaches; needs llvm-profdata and llvm-cov of the compiler's version
	@fuzz/coverage.sh corpus

coverage: rust ## Which branches of format, log, recovery and allocator no test and no corpus takes; COVERAGE=units for unit tests alone
	@fuzz/coverage.sh $(or $(COVERAGE),tests)

mutants: rust ## Change the code of format, log, recovery and allocator, and count what the tests notice: MUTANTS=N|all|again; needs cargo-mutants
	@$(CARGO) mutants --version >/dev/null 2>&1 || { \
		echo "missing: cargo-mutants; install it with: cargo install cargo-mutants --locked" >&2; exit 1; }
	@engine/mutants.sh "$(MUTANTS)"

schedules: rust ## Every schedule of waiting, publishing, caching and checkpoints (loom), many of a whole database (shuttle); SCHEDULES=N for more
	RUSTFLAGS="--cfg loom" $(CARGO) test --locked --release --target-dir target/loom -p vellum --lib -- \
		group::tests exclusive::tests signal::tests cache::schedules store::tests
	RUSTFLAGS="--cfg shuttle" SCHEDULES=$(SCHEDULES) $(CARGO) test --locked --release --target-dir target/shuttle -p vellum --test schedules

miri: rust ## Run the tests of the format and of the page cache under Miri; needs nightly Rust with miri
	@$(CARGO) +$(NIGHTLY) miri --version >/dev/null 2>&1 || { \
		echo "missing: miri; install it with: rustup +$(NIGHTLY) component add miri rust-src" >&2; exit 1; }
	MIRIFLAGS=-Zmiri-disable-isolation PROPTEST_CASES=1 $(CARGO) +$(NIGHTLY) miri test --locked --target-dir target/miri \
		-p vellum --lib -- format:: pager::cache:: pager::allocator::

real-faults: rust ## Kill processes, cut the power of file systems, fill disks, race openers; skips by name what is not permitted
	@$(CARGO) run --locked --quiet --release -p lab --bin lab -- real --cycles $(CYCLES) $(FAULTS)
