#!/bin/sh
# Counts the instructions of single calls in three builds: the default one, one whose `count!` expands
# to nothing, and the one that counts. The first two must be equal to the instruction; the third shows
# what counting costs. Needs valgrind. Run by `make bench-forensics`.
set -eu
cd "$(dirname "$0")/../.."

cargo=${CARGO:-cargo}
target=${CARGO_TARGET_DIR:-target}
work=$target/overhead
calls="get neighbours insert commit"
# Hash seeds differ from run to run, and once in a hundred lookups cost a comparison more.
repeats=3

# Builds the program and puts it under a name as long as the others': a path's length moves the stack.
build() { # name, arguments of cargo
	name=$1
	shift
	built=$("$cargo" bench --locked -p vellum --bench calls --no-run --message-format json "$@" |
		sed -n 's/.*"name":"calls".*"executable":"\([^"]*\)".*/\1/p')
	if [ -z "$built" ]; then
		echo "the program of the build '$name' cannot be found" >&2
		exit 1
	fi
	cp "$built" "$work/$name"
}

# The fewest instructions of a few runs.
count() { # build, call
	least=
	for _ in $(seq $repeats); do
		out=$work/callgrind.out
		rm -f "$out"
		env -i PATH="$PATH" LD_BIND_NOW=1 valgrind --tool=callgrind --callgrind-out-file="$out" --collect-atstart=no \
			--toggle-collect="*measured_$2*" "$work/$1" "$2" >"$work/log" 2>&1 || {
			cat "$work/log" >&2
			exit 1
		}
		found=$(sed -n 's/^\(totals\|summary\): \([0-9]*\).*/\2/p' "$out" | tail -n 1)
		if [ -z "$least" ] || [ "$found" -lt "$least" ]; then
			least=$found
		fi
	done
	echo "$least"
}

mkdir -p "$work"
build plain
build count --features forensics
RUSTFLAGS="--cfg vellum_no_count --allow warnings" build empty --target-dir "$work/empty-target"

printf '%-12s %12s %12s %12s %9s\n' call default "no count!" counting overhead
same=yes
for call in $calls; do
	plain=$(count plain "$call")
	empty=$(count empty "$call")
	counting=$(count count "$call")
	if [ "$plain" -lt 100 ]; then
		echo "$call: $plain instructions were collected; the measured function was not found" >&2
		exit 1
	fi
	over=$(awk "BEGIN { printf \"%+.1f %%\", ($counting - $plain) * 100 / $plain }")
	printf '%-12s %12s %12s %12s %9s\n' "$call" "$plain" "$empty" "$counting" "$over"
	if [ "$plain" != "$empty" ]; then
		same=no
	fi
done
if [ "$same" = no ]; then
	echo "the default build executes other instructions than one without count!" >&2
	exit 1
fi
echo "the default build executes the same instructions as one without count!"
