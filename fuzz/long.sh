#!/usr/bin/env bash
# Spreads hours of processor time over the fuzz targets, none under five minutes, and writes a report.
set -euo pipefail
hours=$1
shift
cd "$(dirname "$0")/.."
nightly=${NIGHTLY:-nightly}
cargo=${CARGO:-cargo}
seconds=$(awk -v h="$hours" -v n="$#" 'BEGIN { s = h * 3600 / n; print int(s < 300 ? 300 : s) }')
revision=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
folder=reports/fuzz
logs=fuzz/target/long
mkdir -p "$folder" "$logs"
report="$folder/$(date -u +%Y%m%dT%H%M%SZ)-$revision.md"
{
  echo "# Fuzzing, revision $revision"
  echo
  echo "$# targets, $seconds s of one core each; $(rustc "+$nightly" --version); no sanitizer."
  echo
  echo "| target | executions | a second | coverage | corpus | new inputs | findings |"
  echo "|---|---:|---:|---:|---:|---:|---:|"
} >"$report"

"$cargo" "+$nightly" fuzz build --sanitizer none
found=0
for target in "$@"; do
  corpus="fuzz/target/corpus/$target"
  mkdir -p "$corpus" "fuzz/artifacts/$target"
  before=$(find "$corpus" -type f | wc -l)
  artifacts=$(find "fuzz/artifacts/$target" -type f | wc -l)
  log="$logs/$target.log"
  echo "fuzz: $target for $seconds s"
  status=0
  "$cargo" "+$nightly" fuzz run --sanitizer none "$target" "$corpus" "fuzz/corpus/$target" -- \
    -max_total_time="$seconds" -timeout=20 -len_control=0 -print_final_stats=1 \
    -dict=fuzz/dictionary/vellum.dict >"$log" 2>&1 || status=$?
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
  coverage=$(sed -n 's/.*cov: \([0-9]*\).*/\1/p' "$log" | tail -n 1)
  after=$(find "$corpus" -type f | wc -l)
  findings=$(($(find "fuzz/artifacts/$target" -type f | wc -l) - artifacts))
  if [ "$status" -ne 0 ]; then
    found=1
    echo "fuzz: $target ended with status $status; see $log" >&2
  fi
  echo "| \`$target\` | ${executions:-none} | ${rate:-none} | ${coverage:-none} | $after | $((after - before)) | $findings |" >>"$report"
done
echo "$report"
exit "$found"
