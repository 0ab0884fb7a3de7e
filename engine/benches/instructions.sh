#!/bin/sh
# Counts the instructions of calls under valgrind and holds them against instructions.tsv: exactly with the tools that
# are named there, within one percent with others. ACCEPT=1 writes the file anew.
set -eu

# One unit, so that what is inlined does not depend on how a build was cut into units.
export CARGO_PROFILE_BENCH_CODEGEN_UNITS=1
here=$(dirname "$0")
# Where values lie decides which steps the C library's copying loops take, and the checkout's path moves them: the program
# holds it, and its own path and that of its directory stand on the stack. So it is built and run through a link of one
# length for every checkout.
root=$(cd "$here/../.." && pwd -P)
link=/tmp/vellum-$(printf '%s' "$root" | cksum | { read -r sum _; printf '%010d' "$sum"; })
ln -sfn "$root" "$link"
counts=$here/instructions.tsv
# The C library chooses its copying loops by the processor.
processor=$(awk -F ': ' '/^cpu family/ { family = $2 } /^model\t/ { print "processor " family "." $2; exit }' /proc/cpuinfo 2>/dev/null || true)
# The sources of other crates are named in the program, by paths that start with this one.
registry=${CARGO_HOME:-$HOME/.cargo}
tools=$(printf '%s, %s, %s, %s, crates in a path of %d' "$(rustc --version)" "$(valgrind --version)" \
  "$(ldd --version 2>/dev/null | head -n 1)" "${processor:-unknown processor}" ${#registry})

measured=$(mktemp)
trap 'rm -f "$measured" "$link"' EXIT
# One document a line: its name, and its last count, which is that of all parts together. Where there was an earlier run,
# the change since it stands before.
"${CARGO:-cargo}" bench --manifest-path "$link/Cargo.toml" --target-dir "$link/target/instructions" \
  --locked --quiet -p vellum --bench instructions -- --output-format=json --envs="PWD=$link/engine" --envs=LD_LIBRARY_PATH=/usr/lib |
  sed 's/"change":{[^}]*},//g' |
  sed -n 's/.*"function_name":"\([^"]*\)".*"Ir":{"values":{"new":\([0-9]*\).*/\1\t\2/p' >"$measured"
test -s "$measured" || { echo "instructions.sh: nothing was counted" >&2; exit 1; }

if [ "${ACCEPT:-0}" = 1 ]; then
  { printf '# %s\n' "$tools"; cat "$measured"; } >"$counts"
  cat "$counts"
  exit 0
fi

allowed=0.01
[ "$(head -n 1 "$counts")" = "# $tools" ] && allowed=0
awk -F '\t' -v allowed="$allowed" -v counts="$counts" '
  NR == FNR { if ($1 !~ /^#/) expected[$1] = $2; next }
  {
    seen[$1] = 1
    change = expected[$1] ? $2 / expected[$1] - 1 : 1
    off = change < 0 ? -change : change
    verdict = off > allowed ? "differs" : "ok"
    if (off > allowed) failed = 1
    printf "%-18s %12d  %12d expected  %+7.3f %%  %s\n", $1, $2, expected[$1], 100 * change, verdict
  }
  END {
    for (name in expected) if (!(name in seen)) { print name ": not counted"; failed = 1 }
    if (failed) {
      printf "instructions differ by more than %g %% from %s; if that is meant: make bench-instructions ACCEPT=1\n", \
        100 * allowed, counts
      exit 1
    }
  }' "$counts" "$measured"
