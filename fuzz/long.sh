#!/usr/bin/env bash
# Fuzzes every target for its share of hours of processor time, none under five minutes.
# Rounds of a minute, each added to reports/fuzz.tsv as soon as it ends: what was interrupted goes on where it stopped, and
# a later run with more hours adds to the earlier ones. reports/fuzz.md is drawn from that file alone.
set -euo pipefail
hours=$1
shift
cd "$(dirname "$0")/.."
nightly=${NIGHTLY:-nightly}
cargo=${CARGO:-cargo}
share=$(awk -v h="$hours" -v n="$#" 'BEGIN { s = h * 3600 / n; print int(s < 300 ? 300 : s + 0.999) }')
revision=$(git rev-parse --short=10 HEAD 2>/dev/null || echo unknown)
logs=fuzz/target/long
# One line for each target and revision: seconds of processor time, executions, edges covered at most, findings.
totals=reports/fuzz.tsv
mkdir -p "$logs"
touch "$totals"

spent() { awk -F'\t' -v t="$1" '$1 == t { s += $3 } END { print int(s) }' "$totals"; }

# Adds one round's seconds, executions, edges and findings to the line of its target and revision.
add() {
  awk -F'\t' -v OFS='\t' -v target="$1" -v revision="$2" -v cpu="$3" -v runs="$4" -v edges="$5" -v found="$6" '
    $1 == target && $2 == revision {
      cpu += $3; runs += $4; found += $6; if ($5 > edges) edges = $5; next
    }
    { print }
    END { print target, revision, sprintf("%.1f", cpu), sprintf("%.0f", runs), edges, found }' "$totals" |
    LC_ALL=C sort >"$totals.new"
  mv "$totals.new" "$totals"
}

round() {
  local target=$1 corpus="fuzz/target/corpus/$1" log="$logs/$1.log" status=0 before findings cpu
  mkdir -p "$corpus" "fuzz/artifacts/$target"
  before=$(find "fuzz/artifacts/$target" -type f | wc -l)
  TIMEFORMAT='%U %S'
  cpu=$( { time "$cargo" "+$nightly" fuzz run --sanitizer none "$target" "$corpus" "fuzz/corpus/$target" -- \
    -max_total_time=60 -timeout=60 -report_slow_units=3600 -len_control=0 -print_final_stats=1 \
    -dict=fuzz/dictionary/vellum.dict >"$log" 2>&1 || status=1; } 2>&1 | awk '{ print $1 + $2 }')
  findings=$(($(find "fuzz/artifacts/$target" -type f | wc -l) - before))
  add "$target" "$revision" "$cpu" \
    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)" \
    "$(sed -n 's/.*cov: \([0-9]*\).*/\1/p' "$log" | tail -n 1)" "$findings"
  report "${targets[@]}" >reports/fuzz.md
  if [ "$findings" -ne 0 ]; then
    cp "$log" "$logs/$target-finding.log"
    echo "fuzz: $target found something; see $logs/$target-finding.log and fuzz/artifacts/$target" >&2
  elif ! grep -q '^stat::number_of_executed_units' "$log"; then
    echo "fuzz: $target did not end by itself; see $log" >&2
    exit 1
  fi
}

report() {
  local target
  echo "# Fuzzing"
  echo
  echo "Made by \`make fuzz-long\`, whose runs add up: the sums are in [\`fuzz.tsv\`](fuzz.tsv), by target and revision."
  echo "Processor time includes what the fuzzer itself takes. No sanitizer; what the targets do is in [\`fuzz/README.md\`](../fuzz/README.md)."
  echo
  echo "| target | processor time | executions | a second | edges covered | findings | revisions |"
  echo "|---|---:|---:|---:|---:|---:|---|"
  for target in "$@"; do
    awk -F'\t' -v t="$target" '
      $1 == t { cpu += $3; runs += $4; if ($5 > edges) edges = $5; found += $6; seen = seen (seen ? ", " : "") "`" $2 "`" }
      END { printf "| `%s` | %.0f s | %.0f | %.0f | %d | %d | %s |\n", t, cpu, runs, cpu ? runs / cpu : 0, edges, found, seen }' "$totals"
  done
  awk -F'\t' '{ cpu += $3; runs += $4; found += $6 } END {
    printf "| all | %.2f h | %.0f | | | %d | |\n", cpu / 3600, runs, found }' "$totals"
}

targets=("$@")
"$cargo" "+$nightly" fuzz build --sanitizer none
unfinished=1
while [ "$unfinished" -ne 0 ]; do
  unfinished=0
  for target in "${targets[@]}"; do
    if [ "$(spent "$target")" -lt "$share" ]; then
      unfinished=1
      echo "fuzz: $target, $(spent "$target") of $share s"
      round "$target"
    fi
  done
done
report "${targets[@]}" >reports/fuzz.md
echo reports/fuzz.md
awk -F'\t' '{ found += $6 } END { exit found > 0 }' "$totals"
