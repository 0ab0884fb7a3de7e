#!/usr/bin/env bash
# Coverage of what decides whether a commit survives, by the compiler's own instrumentation.
#   coverage.sh corpus   by the fuzz targets' corpus alone
#   coverage.sh tests    by the engine's tests and the corpus
set -euo pipefail
cd "$(dirname "$0")/.."
what=$1
nightly=${NIGHTLY:-nightly}
cargo=${CARGO:-cargo}

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

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/coverage
profiles=$CARGO_TARGET_DIR/profiles
rm -rf "$profiles"
mkdir -p "$profiles"
export RUSTFLAGS="-C instrument-coverage -Z coverage-options=branch"
export LLVM_PROFILE_FILE="$PWD/${profiles#"$PWD"/}/%p-%m.profraw"
packages=(-p vellum-fuzz-bodies)
if [ "$what" = tests ]; then
  packages+=(-p vellum --features vellum/sim,vellum/forensics)
fi
"$cargo" "+$nightly" test --locked --lib --tests "${packages[@]}"
objects=()
while IFS= read -r binary; do
  objects+=(-object "$binary")
done < <("$cargo" "+$nightly" test --locked --lib --tests "${packages[@]}" --no-run --message-format=json 2>/dev/null |
  sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')
"$tools/llvm-profdata" merge -sparse "$profiles"/*.profraw -o "$profiles/all.profdata"
"$tools/llvm-cov" report --show-branch-summary --instr-profile "$profiles/all.profdata" "${objects[@]}" \
  engine/src/format engine/src/wal engine/src/store/open.rs engine/src/store/recover.rs engine/src/store/slots.rs \
  engine/src/pager/allocator.rs engine/src/pager/freelist.rs
