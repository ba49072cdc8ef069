#!/usr/bin/env bash
# Formatting, vet, linters and the race detector over everything.
set -euo pipefail
cd "$(dirname "$0")/.."

# again runs a command that needs the network up to five times.
again() {
	for pause in 2 5 15 30 0; do
		"$@" && return
		[ "$pause" = 0 ] || { echo "once more in $pause s: $*" >&2; sleep "$pause"; }
	done
	return 1
}

echo "== gofmt"
unformatted=$(git ls-files '*.go' | xargs gofmt -l)
if [ -n "$unformatted" ]; then
	echo "not formatted:" "$unformatted" >&2
	exit 1
fi

echo "== go mod tidy"
tidy=0
untidy=$(go mod tidy -diff) || tidy=$?
if [ -z "$untidy" ] && [ "$tidy" != 0 ]; then # it differs in nothing and failed: something was not reachable
	again go mod tidy -diff
elif [ "$tidy" != 0 ]; then
	echo "$untidy" >&2
	exit 1
fi

echo "== vet"
go vet ./...

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT

echo "== staticcheck"
again env GOBIN="$tools" go install honnef.co/go/tools/cmd/staticcheck@v0.8.2
"$tools/staticcheck" ./...

echo "== govulncheck"
if again env GOBIN="$tools" go install golang.org/x/vuln/cmd/govulncheck@v1.8.0; then
	if ! "$tools/govulncheck" ./... >"$tools/vulnerabilities" 2>&1; then
		if grep -q '^Vulnerability #' "$tools/vulnerabilities"; then
			cat "$tools/vulnerabilities"
			exit 1
		fi
		echo "the vulnerability database is not reachable from here; not checked"
		tail -n 2 "$tools/vulnerabilities"
	fi
else
	echo "govulncheck could not be installed here; not checked"
fi

echo "== race detector"
WAYPOST_KILL_ROUNDS=${WAYPOST_RACE_KILL_ROUNDS:-3} go test -race -timeout 40m ./...
