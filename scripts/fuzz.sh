#!/usr/bin/env bash
# Runs every fuzz target for FUZZTIME (default one minute), four at a time: on
# two processors each then gets half of one, and all of them end in time.
set -euo pipefail
cd "$(dirname "$0")/.."
export FUZZTIME=${FUZZTIME:-60s}

git grep -lE '^func Fuzz[A-Z]' -- '*_test.go' | xargs -n1 dirname | sort -u | while read -r dir; do
	git grep -hoE '^func Fuzz[A-Za-z0-9_]+' -- "$dir/*_test.go" | sed 's/^func //' | sort -u | while read -r target; do
		[ -n "$(git grep -lE "^func $target\(" -- ":(glob)$dir/*_test.go")" ] && echo "./$dir $target"
	done
done | sort -u | xargs -P 4 -L 1 bash -c '
	run() { out=$(go test -run "^\$" -fuzz "^$1\$" -fuzztime "$FUZZTIME" -fuzzminimizetime 10x -parallel 1 "$0" 2>&1); }
	found() { grep -qE "Failing input written|panic:" <<<"$out"; }
	# At the end of its time the fuzzer sometimes reports its own deadline as a
	# failure (golang.org/issue/75804), and a machine that is short of memory
	# kills its worker. A finding always writes its input down; what fails without
	# one, as a seed does, fails again.
	late() { ! found && grep -q "context deadline exceeded" <<<"$out"; }
	run "$@" || late || { ! found && run "$@"; } || late || {
		echo "FAIL $0 $1"
		echo "$out"
		exit 255
	}
	echo "ok   $0 $1 $(echo "$out" | grep -E "elapsed" | tail -n 1 | sed "s/.*execs/execs/")"
'
