# Every target sets itself up: a machine needs Go and, for the tests, apt (or the servers that scripts/install-servers.sh names).

GO ?= go
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOFUMPT = mvdan.cc/gofumpt@v0.12.0

.DEFAULT_GOAL := help
.PHONY: help build dist test race check fmt golden captures page devices perf bench bench-scale faults galera surroundings failover fuzz cover demo servers clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build ./queuedtracking
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=auto -ldflags "-s -w" -o queuedtracking .

dist: ## a release in ./dist: binaries, .deb and .rpm for amd64 and arm64, manual pages, units, SBOM, checksums
	$(GO) run ./internal/dist

servers: ## install redis-server, redis-sentinel, mariadb-server, galera-4, promtool, systemd and man-db where they are missing
	sh scripts/install-servers.sh

# How long the tests of one package may take. go test's own limit of ten minutes is too short for a busy machine.
TIMEOUT ?= 60m

test: servers check ## everything: static analysis and all tests, on real private servers
	$(GO) test -timeout $(TIMEOUT) ./...

race: servers ## all tests under the race detector
	$(GO) test -race -timeout $(TIMEOUT) ./...

check: ## format, vet, staticcheck
	@unformatted=$$($(GO) run $(GOFUMPT) -l .); if [ -n "$$unformatted" ]; then echo "gofumpt would change:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

fmt: ## format all files
	$(GO) run $(GOFUMPT) -w .

golden: servers ## recorded cases of 5.1 and 6.0 against MariaDB and SQLite: area, equal, cases, columns that differ most
	$(GO) test ./internal/testing/golden -count=1 -timeout $(TIMEOUT) -v -run 'TestGolden' -golden.all

perf: servers ## the 6,000 recorded entries of ../shared/perf (Matomo 5.1) through the real command
	$(GO) test ./internal/testing/golden -count=1 -timeout $(TIMEOUT) -v -run 'TestRecordedTraffic'

captures: servers ## write what each command says anew (cmd/testdata/captures): look at the difference
	$(GO) test ./cmd -count=1 -run 'TestCapture' -update

PAGE_TOOLS ?= /tmp/queuedtracking-page
page: servers ## the status page in Chromium: axe, widths, no scripts; draws docs/images anew (needs apt and npm, not in make test)
	sh scripts/install-chromium.sh $(PAGE_TOOLS)
	$(GO) test ./cmd -count=1 -timeout $(TIMEOUT) -v -run 'TestStatusPageInChromium|TestPictureOfMonitor' -update \
		-page.axe $(PAGE_TOOLS)/node_modules/axe-core/axe.min.js

devices: ## all recorded user agents, for each release of device-detector: every column, and the time per user agent
	$(GO) test ./tracker/device -count=1 -timeout $(TIMEOUT) -v -run 'TestDeviceCorpus|TestRecordedVisits|TestTables|TestBuiltIn'

ROUNDS ?= 10
PARTS ?= 5
bench: servers ## throughput beside the ceiling of the same machine: PARTS times ROUNDS times 6,000 recorded requests
	$(GO) test ./internal/testing/bench -count=1 -v -timeout 60m -run TestThroughput -bench.rounds $(ROUNDS) -bench.parts $(PARTS)

BACKLOG ?= 1000000
VISITS ?= 5000000
bench-scale: servers ## a backlog of a million entries, a log_visit of five million rows, an entry of 50 MB, idle runs
	$(GO) test ./internal/testing/bench -count=1 -v -timeout 60m -run 'TestBacklog|TestTableSize|TestLargeEntry|TestIdle' -bench.backlog $(BACKLOG) -bench.visits $(VISITS) -bench.rounds 2

FAULTS ?= 1
faults: servers ## kill, freeze and stop workers, cut connections, restart servers; FAULTS=10 ten times as often
	$(GO) test ./internal/testing/faults -count=1 -v -timeout 12h -faults.budget $(FAULTS)

GALERA ?= 20
galera: servers ## nodes of a Galera cluster are killed, cut off, frozen and slowed down under load, GALERA times
	$(GO) test ./internal/testing/faults -count=1 -v -timeout 12h -run TestGalera -faults.galera $(GALERA)

surroundings: servers ## databases and Redis as operators have them: settings, rules of tables, certificates, limits
	$(GO) test ./internal/testing/surroundings -count=1 -v -timeout 30m

ENTRIES ?= 50000
failover: servers ## four workers drain ENTRIES entries while Sentinel and cluster masters are killed and slots move
	$(GO) test ./internal/testing/faults -count=1 -v -timeout 2h -run UnderLoad -faults.failover $(ENTRIES)

REQUESTS ?= 1000000
bench-serve: servers ## serve under load, beside redis-benchmark with the same payload
	$(GO) test ./receive -count=1 -v -timeout 30m -run TestLoad -receive.bench $(REQUESTS)

FUZZTIME ?= 30s
fuzz: ## fuzz each target for FUZZTIME
	GO="$(GO)" sh scripts/fuzz.sh $(FUZZTIME)

cover: servers ## statement coverage of tracker/...
	$(GO) test -timeout $(TIMEOUT) -coverpkg=./tracker/... -coverprofile=coverage.out ./tracker/... ./internal/testing/golden
	$(GO) tool cover -func=coverage.out | tail -1

demo: ## the whole way on embedded servers
	$(GO) run . demo

clean: ## remove what the other targets make
	rm -rf queuedtracking coverage.out dist
