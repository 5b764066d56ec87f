#!/bin/sh
# Fuzzes each target for $1 (30s), the first failure ends it. A worker of Go's that is still busy when the time is over
# makes the run fail with "context deadline exceeded" and no failing input: that target is run again.
# $2 begins with the target of that name.
set -eu
time=${1:-30s}
first=${2:-}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

targets=$(grep -rhoE '^func Fuzz[A-Za-z0-9]+' --include='*_test.go' . | sed 's/func //' | sort -u)
for target in $targets; do
	if [ -n "$first" ] && [ "$target" != "$first" ]; then
		continue
	fi
	first=
	package=$(dirname "$(grep -rlE "^func $target\(" --include='*_test.go' . | head -1)")
	echo "$package $target"
	tries=1
	until ${GO:-go} test "$package" -run '^$' -fuzz "^$target\$" -fuzztime "$time" >"$log" 2>&1; do
		cat "$log"
		if ! grep -q 'context deadline exceeded' "$log" || grep -q 'Failing input' "$log" || [ "$tries" = 3 ]; then
			exit 1
		fi
		tries=$((tries + 1))
		echo "$package $target once more"
	done
	tail -2 "$log"
done
