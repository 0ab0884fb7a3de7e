#!/usr/bin/env bash
# Fuzzes every target for its share of hours of processor time, none under five minutes, and writes a report.
# Rounds of a minute, written down one by one: what was interrupted goes on where it stopped.
set -euo pipefail
hours=$1
shift
cd "$(dirname "$0")/.."
nightly=${NIGHTLY:-nightly}
cargo=${CARGO:-cargo}
share=$(awk -v h="$hours" -v n="$#" 'BEGIN { s = h * 3600 / n; print int(s < 300 ? 300 : s + 0.999) }')
revision=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
logs=fuzz/target/long
# One line for each round: target, revision, seconds of processor time, executions, coverage, findings.
rounds="$logs/rounds.tsv"
mkdir -p "$logs" reports/fuzz
touch "$rounds"

spent() { awk -F'\t' -v t="$1" '$1 == t { s += $3 } END { print int(s) }' "$rounds"; }

round() {
  local target=$1 corpus="fuzz/target/corpus/$1" log="$logs/$1.log" status=0 before findings cpu
  mkdir -p "$corpus" "fuzz/artifacts/$target"
  before=$(find "fuzz/artifacts/$target" -type f | wc -l)
  TIMEFORMAT='%U %S'
  cpu=$( { time "$cargo" "+$nightly" fuzz run --sanitizer none "$target" "$corpus" "fuzz/corpus/$target" -- \
    -max_total_time=60 -timeout=60 -len_control=0 -print_final_stats=1 \
    -dict=fuzz/dictionary/vellum.dict >"$log" 2>&1 || status=1; } 2>&1 | awk '{ print $1 + $2 }')
  findings=$(($(find "fuzz/artifacts/$target" -type f | wc -l) - before))
  printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$target" "$revision" "$cpu" \
    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)" \
    "$(sed -n 's/.*cov: \([0-9]*\).*/\1/p' "$log" | tail -n 1)" "$findings" >>"$rounds"
  if [ "$findings" -ne 0 ]; then
    cp "$log" "$logs/$target-finding.log"
    echo "fuzz: $target found something; see $logs/$target-finding.log and fuzz/artifacts/$target" >&2
  elif ! grep -q '^stat::number_of_executed_units' "$log"; then
    echo "fuzz: $target did not end by itself; see $log" >&2
    exit 1
  fi
}

report() {
  echo "# Fuzzing"
  echo
  echo "Every target for at least $share s of processor time in rounds of a minute; $(rustc "+$nightly" --version); no sanitizer."
  echo "Revisions: $(cut -f2 "$rounds" | awk '!seen[$0]++' | paste -sd' ' -). Again: \`make fuzz-long HOURS=$hours\`."
  echo
  echo "| target | processor time | executions | a second | edges covered | inputs kept | findings |"
  echo "|---|---:|---:|---:|---:|---:|---:|"
  for target in "$@"; do
    awk -F'\t' -v t="$target" -v kept="$(find "fuzz/target/corpus/$target" -type f | wc -l)" '
      $1 == t { cpu += $3; runs += $4; if ($5 > cov) cov = $5; found += $6 }
      END { printf "| `%s` | %d s | %d | %d | %d | %d | %d |\n", t, cpu, runs, runs / cpu, cov, kept, found }' "$rounds"
  done
  awk -F'\t' '{ cpu += $3; runs += $4; found += $6 } END {
    printf "| all | %.2f h | %.0f | | | | %d |\n", cpu / 3600, runs, found }' "$rounds"
}

"$cargo" "+$nightly" fuzz build --sanitizer none
unfinished=1
while [ "$unfinished" -ne 0 ]; do
  unfinished=0
  for target in "$@"; do
    if [ "$(spent "$target")" -lt "$share" ]; then
      unfinished=1
      echo "fuzz: $target, $(spent "$target") of $share s"
      round "$target"
    fi
  done
done
report "$@" >reports/fuzz/report.md
echo reports/fuzz/report.md
awk -F'\t' '{ found += $6 } END { exit found > 0 }' "$rounds"
