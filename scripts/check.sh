#!/usr/bin/env bash
# Formatting, vet, linters and the race detector over everything.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "== gofmt"
unformatted=$(git ls-files '*.go' | xargs gofmt -l)
if [ -n "$unformatted" ]; then
	echo "not formatted:" "$unformatted" >&2
	exit 1
fi

echo "== go mod tidy"
go mod tidy -diff

echo "== vet"
go vet ./...

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT

echo "== staticcheck"
GOBIN=$tools go install honnef.co/go/tools/cmd/staticcheck@v0.8.2
"$tools/staticcheck" ./...

echo "== govulncheck"
if GOBIN=$tools go install golang.org/x/vuln/cmd/govulncheck@v1.8.0; then
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
WAYPOST_KILL_ROUNDS=${WAYPOST_RACE_KILL_ROUNDS:-3} go test -race -timeout 15m ./...
