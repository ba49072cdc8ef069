# make test   everything that proves the program, on any machine with Go
# make check  formatting, vet, linters, the race detector
# make fuzz   every fuzz target for a minute; .ci/run is test, check and a shorter fuzz
# make bench  the figures of docs/performance.md
.PHONY: test check race fuzz bench build

GO ?= go

build:
	$(GO) build -trimpath -o bin/waypost ./cmd/waypost

test:
	@scripts/chromium.sh
	$(GO) test -timeout 30m ./...

race:
	$(GO) test -race -timeout 40m ./...

check:
	@scripts/check.sh

fuzz:
	@scripts/fuzz.sh

bench:
	@scripts/bench.sh
