#!/usr/bin/env bash
# Coverage of what decides whether a commit survives, by the compiler's own instrumentation.
#   coverage.sh corpus   by the fuzz targets' corpus alone
#   coverage.sh units    by the engine's unit tests alone
#   coverage.sh tests    by the engine's tests and the corpus
# Ends with the branches that nothing took, each with the reason that fuzz/untaken.tsv gives. `tests` writes reports/coverage.md,
# and fails if they are more than two of a hundred.
set -euo pipefail
cd "$(dirname "$0")/.."
what=$1
nightly=${NIGHTLY:-nightly}
cargo=${CARGO:-cargo}
revision=$(git rev-parse --short=10 HEAD 2>/dev/null || echo unknown)

# The tools must read what the compiler writes: its own, or ones of the same major version.
sysroot=$(rustc "+$nightly" --print sysroot 2>/dev/null) || {
  echo "missing: a nightly Rust toolchain, which counts branches; install it with: rustup toolchain install nightly" >&2
  exit 1
}
host=$(rustc "+$nightly" -vV | sed -n 's/^host: //p')
major=$(rustc "+$nightly" -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
tools=""
for folder in "$sysroot/lib/rustlib/$host/bin" "/usr/lib/llvm-$major/bin"; do
  if [ -x "$folder/llvm-profdata" ] && [ -x "$folder/llvm-cov" ]; then
    tools=$folder
    break
  fi
done
if [ -z "$tools" ]; then
  echo "missing: llvm-profdata and llvm-cov of LLVM $major; install them with: rustup component add llvm-tools --toolchain $nightly" >&2
  exit 1
fi

# Counting makes everything slow, and a random test takes the same branches in fewer cases.
export PROPTEST_CASES=${PROPTEST_CASES:-32}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/coverage
profiles=$CARGO_TARGET_DIR/profiles
rm -rf "$profiles"
mkdir -p "$profiles"
export RUSTFLAGS="-C instrument-coverage -Z coverage-options=branch"
engine=(-p vellum --features vellum/sim,vellum/forensics)
least=0
case $what in
corpus) tests=(--lib --tests -p vellum-fuzz-bodies) ;;
units) tests=(--lib "${engine[@]}") ;;
tests)
  tests=(--lib --tests -p vellum-fuzz-bodies "${engine[@]}")
  least=98
  ;;
*)
  echo "usage: coverage.sh corpus|units|tests" >&2
  exit 2
  ;;
esac

# Build scripts and macros are instrumented like the rest, and count for nothing.
LLVM_PROFILE_FILE=/dev/null "$cargo" "+$nightly" test --locked "${tests[@]}" --no-run
# The first program has no flag before it: llvm-cov would take the first source for it otherwise.
objects=()
while IFS= read -r binary; do
  [ ${#objects[@]} -eq 0 ] || objects+=(-object)
  objects+=("$binary")
done < <(LLVM_PROFILE_FILE=/dev/null "$cargo" "+$nightly" test --locked "${tests[@]}" --no-run --message-format=json 2>/dev/null |
  sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')
export LLVM_PROFILE_FILE="$PWD/${profiles#"$PWD"/}/%p-%m.profraw"
"$cargo" "+$nightly" test --locked "${tests[@]}"

# Tests kill processes of their own, which may leave half a profile.
"$tools/llvm-profdata" merge -sparse -failure-mode=all "$profiles"/*.profraw -o "$profiles/all.profdata"
rm -f "$profiles"/*.profraw
sources=(engine/src/format engine/src/wal engine/src/store/open.rs engine/src/store/recover.rs
  engine/src/store/slots.rs engine/src/pager/allocator.rs engine/src/pager/freelist.rs)
# What is there for tests alone is not what they cover.
for_tests='/(tests|testing)\.rs$'
"$tools/llvm-cov" report --show-branch-summary --instr-profile "$profiles/all.profdata" \
  --ignore-filename-regex "$for_tests" "${objects[@]}" "${sources[@]}" >"$profiles/files.txt"
"$tools/llvm-cov" show --show-branches=count --show-instantiations=false --instr-profile "$profiles/all.profdata" \
  --ignore-filename-regex "$for_tests" "${objects[@]}" "${sources[@]}" >"$profiles/all.txt"
status=0
awk -v what="$what" -v revision="$revision" -v least="$least" -v cases="$PROPTEST_CASES" -f fuzz/branches.awk \
  fuzz/untaken.tsv "$profiles/files.txt" "$profiles/all.txt" >"$profiles/coverage.md" || status=$?
cat "$profiles/coverage.md"
if [ "$what" = tests ]; then
  cp "$profiles/coverage.md" reports/coverage.md
  echo reports/coverage.md
fi
exit "$status"
