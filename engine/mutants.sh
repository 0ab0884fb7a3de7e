#!/usr/bin/env bash
# Changes the code of format, log, recovery and allocator in every way that cargo-mutants knows, and counts what the tests notice.
#   mutants.sh N      tests N mutants more
#   mutants.sh all    tests those that are left
#   mutants.sh again  tests those again that nothing caught and that nobody explained, and those that made a test hang
#   mutants.sh report draws the report alone
# Mutants take turns in a fixed shuffled order, so those tested are a fair sample at any time. A handful at a time is added to
# reports/mutants.tsv: what was interrupted goes on where it stopped. reports/mutants.md is drawn from that file alone, with
# the reasons in engine/equivalent-mutants.tsv why some mutants change nothing that can be noticed.
#
# The unit tests look first, as they are fast; only what they miss is shown to the tests of the whole engine.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}
what=${1:-}
root=$PWD
outcomes=reports/mutants.tsv
batch=5
case $what in
all | again | report) ;;
*[!0-9]* | '')
  echo "usage: mutants.sh N|all|again|report" >&2
  exit 2
  ;;
esac
touch "$outcomes"

draw() {
  awk -f "$root/engine/mutants.awk" "$root/engine/equivalent-mutants.tsv" "$root/$outcomes" >"$root/reports/mutants.md.new"
  mv "$root/reports/mutants.md.new" "$root/reports/mutants.md"
}
if [ "$what" = report ]; then
  draw
  exit
fi

# Mutants change files of a clone of what is committed: the revision in the table says what was tested, and nobody's work is
# touched. The clone stays at its place, so that builds are incremental: optimised, such builds may lack symbols, which would
# pass for mutants that do not compile.
revision=$(git rev-parse --short=10 HEAD)
work=$root/target/mutants
tree=$work/tree
mkdir -p "$work"
[ -d "$tree" ] || git clone --quiet --shared --no-checkout . "$tree"
git -C "$tree" fetch --quiet origin HEAD
git -C "$tree" checkout --quiet --force --detach FETCH_HEAD
export CARGO_TARGET_DIR=$work/build CARGO_INCREMENTAL=1 CARGO_PROFILE_TEST_DEBUG=0 CARGO_PROFILE_TEST_OPT_LEVEL=0
# What fails for one mutant is not to be tried first for the next.
export PROPTEST_DISABLE_FAILURE_PERSISTENCE=1
cd "$tree"

# Lines and columns move, so a mutant is known by its name without them, and by a number where that repeats.
"$cargo" mutants --list --package vellum --no-shuffle --colors never | awk '{
  name = $0
  sub(/:[0-9]+:[0-9]+: /, ": ", name)
  if (seen[name]++) name = name " #" seen[name]
  print name "\t" $0
}' >"$work/all"

# Adds outcomes, and drops those of mutants that are no more.
add() { # a file of outcomes by place
  awk -F'\t' -v OFS='\t' -v revision="$revision" '
    FILENAME == ARGV[1] { name[$2] = $1; there[$1] = 1; all++; next }
    FILENAME == ARGV[2] {
      place = $1; sub(/^[^:]*:/, "", place); sub(/: .*/, "", place)
      print name[$1], place, $2, revision; again[name[$1]] = 1; next
    }
    $1 in there && !($1 in again)
    END { print "all", "", all, revision }' "$work/all" "$1" "$root/$outcomes" | LC_ALL=C sort >"$root/$outcomes.new"
  mv "$root/$outcomes.new" "$root/$outcomes"
  draw
}

# Tests some mutants: leaves their places in caught.txt, missed.txt, timeout.txt and unviable.txt of mutants.out.
judge() { # a file of places, seconds after which a test hangs, which tests
  local places=$1 hangs=$2 status=0
  shift 2
  # Asked for what it has not caught before: patterns of names let some mutants through that do not match.
  rm -rf "$work/mutants.out"
  mkdir "$work/mutants.out"
  cut -f 2 "$work/all" | grep -vxFf "$places" >"$work/mutants.out/previously_caught.txt"
  "$cargo" mutants --in-place --package vellum --baseline skip --timeout "$hangs" --no-shuffle --colors never \
    --output "$work" --iterate "${@/#/--cargo-arg=}" || status=$?
  # Two and three: there were some that nothing noticed, or that made a test hang.
  if [ "$status" -ne 0 ] && [ "$status" -ne 2 ] && [ "$status" -ne 3 ]; then
    echo "mutants: cargo-mutants failed; see $work/mutants.out" >&2
    exit 1
  fi
  if grep -lE '^error: (linking|could not write|internal compiler)' "$work"/mutants.out/log/*.log >&2; then
    echo "mutants: these were not built for another reason than that they mean nothing; remove $CARGO_TARGET_DIR and go on" >&2
    exit 1
  fi
  local outcome
  for outcome in caught missed timeout unviable; do
    sed "s/\$/\t$outcome/" "$work/mutants.out/$outcome.txt"
  done >"$work/judged"
}

# The seconds after which these tests hang, by how long they take without a mutant. Then all of them must pass, in every run.
hang() { # a name, which tests
  local name=$1 before known="$work/seconds-$1"
  shift
  if [ ! -f "$known" ]; then
    echo "mutants: the tests without a mutant, $name" >&2
    "$cargo" test --locked --quiet --package vellum "$@" --no-run
    before=$SECONDS
    "$cargo" test --locked --quiet --package vellum "$@" >"$known.log" 2>&1 || {
      echo "mutants: the tests fail without a mutant; see $known.log" >&2
      exit 1
    }
    echo "$((120 + 16 * (SECONDS - before)))" >"$known"
  fi
  cat "$known"
}

# Those that need no feature.
whole=()
for test in engine/tests/*.rs; do
  whole+=(--test "$(basename "$test" .rs)")
done

if [ "$what" = again ]; then
  wanted='FILENAME == ARGV[1] { explained[$1] = 1; next } FILENAME == ARGV[2] { if ($3 == "missed" || $3 == "timeout") open[$1] = 1; next }
    $1 in open && !($1 in explained) { print $2 }'
else
  wanted='FILENAME == ARGV[1] { next } FILENAME == ARGV[2] { done[$1] = 1; next } !($1 in done) { print $2 }'
fi
LC_ALL=C sort -R -t "$(printf '\t')" -k 1,1 --random-source=<(yes mutants) "$work/all" >"$work/order"
awk -F'\t' "$wanted" "$root/engine/equivalent-mutants.tsv" "$root/$outcomes" "$work/order" >"$work/wanted"
case $what in
all | again) turns=$(wc -l <"$work/wanted") ;;
*) turns=$what ;;
esac
rm -f "$work"/turn-* "$work"/seconds-*
head -n "$turns" "$work/wanted" | split -l "$batch" - "$work/turn-"
for turn in "$work"/turn-*; do
  [ -s "$turn" ] || continue
  seconds=$(hang units --lib)
  judge "$turn" "$seconds" --lib
  sed '/\tmissed$/d; s/\tcaught$/\tcaught by unit tests/' "$work/judged" >"$work/outcomes"
  sed -n 's/\tmissed$//p' "$work/judged" >"$work/left"
  if [ -s "$work/left" ]; then
    # These take long, so they are optimised; and not incremental, see above.
    export CARGO_INCREMENTAL=0 CARGO_PROFILE_TEST_OPT_LEVEL=1
    seconds=$(hang whole "${whole[@]}")
    judge "$work/left" "$seconds" "${whole[@]}"
    export CARGO_INCREMENTAL=1 CARGO_PROFILE_TEST_OPT_LEVEL=0
    sed 's/\tcaught$/\tcaught by all tests/' "$work/judged" >>"$work/outcomes"
  fi
  add "$work/outcomes"
  rm "$turn"
done
echo reports/mutants.md
