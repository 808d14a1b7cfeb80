# What developers, CI and packagers run. `make help` lists it.

export GO ?= go
VERSION   ?= $(shell scripts/version --long)
BUILD      = $(GO) build -ldflags '-s -w -X main.version=$(VERSION)'

# The same flags for everything but the race detector, so that each target finds in
# the cache what another has compiled.
export CGO_ENABLED := 0
export GOFLAGS := $(strip $(GOFLAGS) -trimpath)

include scripts/kernel.mk

# The lab's screen is a module of its own: the daemon doesn't depend on what it draws with.
MODULES := . cmd/stumplab

.DEFAULT_GOAL := help
.PHONY: help setup build run lab gallery test unit proofs attacks long decade bench bench-hub fuzz api-fuzz lint pages figures vuln cross packages apt-repo clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what the tests need besides Go (Debian packages, as root or with sudo)
	scripts/setup

build: ## build bin/stump and bin/stump-hub, static and stripped
	$(BUILD) -o bin/stump ./cmd/stump
	$(BUILD) -o bin/stump-hub ./cmd/stump-hub

run: ## play with a simulated lab
	@echo 'building the lab …' >&2
	@cd cmd/stumplab && $(BUILD) -o ../../bin/stumplab .
	@bin/stumplab

gallery: ## show every page of the console in every state, at http://127.0.0.1:8180
	@echo 'http://127.0.0.1:8180/ has the gallery, until Ctrl-C' >&2
	@$(GO) test -vet=off -count=1 -timeout 0 -run '^TestGallery$$' ./internal/console -gallery 127.0.0.1:8180

lab: build ## play with three simulated stations and their hub (needs Debian's postgresql)
	@$(GO) run ./scripts/lab

# The kernel tests run last and alone, because they send cards at a reader's pace.
test: ## every test
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target unit proofs arm-test
	@$(MAKE) --no-print-directory kernel-test

test-services: ## tests with programs of others: the original client's server, in Python, a SCIM server, an OpenID provider and a mail server, in JavaScript, Chromium, PostgreSQL, curl and jq, Prometheus, cloud-init, sigrok's decoder, and packages, which lintian reads
	@files=$$(grep -rl --include='*_test.go' '^//go:build.*services' .) && \
	  tests=$$(sed -n 's/^func \(Test[A-Za-z0-9]*\)(.*/\1/p' $$files | paste -sd'|') && \
	  (set -x; $(GO) test -vet=off -count=1 -timeout 20m -tags services -skip '^TestPackages$$' -run "^($$tests)$$" $$(dirname $$files | sort -u))

# atexit_sleep_ms: a process under the race detector would sleep a second at its
# end. Without DWARF the compiler is a tenth faster.
RACE := -race -vet=off -gcflags=all=-dwarf=false -skip '^Test(Damage|LedgerAgainstModel|HostileDirectory|RefusedUpload|LargeExport|Attacks)$$'
unit: export GORACE := atexit_sleep_ms=0
unit: ## all tests with the race detector, except long ones of a single goroutine and of memory (see proofs)
	@if command -v "$$($(GO) env CC)" >/dev/null; then \
	  for m in $(MODULES); do (set -x; cd $$m && CGO_ENABLED=1 $(GO) test $(RACE) ./...) || exit 1; done; \
	elif [ "$$CI" = true ]; then \
	  echo "FAIL: no C compiler, and on CI the race detector must run"; exit 1; \
	else \
	  echo "SKIPPED: the race detector: no C compiler (scripts/setup installs it)"; \
	  for m in $(MODULES); do (cd $$m && $(GO) test -vet=off ./...) || exit 1; done; \
	fi

proofs: ## 200 kills, 1,000 damaged files and a model of the ledger, 5,000 sequences of the directory's queue, 3,500 histories of who has what, every table of the decoder, a month of a station, memory under hostile directories, uploads and exports, attacks on a station
	$(GO) test -vet=off -count=1 -run '^Test(Kill|Damage|LedgerAgainstModel)$$' ./checkout/ledger
	@# Under the race detector each of these plays a tenth of its sequences.
	$(GO) test -vet=off -count=1 -run '^Test(Oracle|.*Properties$$)' ./directory
	$(GO) test -vet=off -count=1 ./wiegand
	$(GO) test -vet=off -count=1 -run '^TestDecade$$' ./internal/decade
	$(GO) test -vet=off -count=1 -run '^Test(HostileDirectory|RefusedUpload|LargeExport|Attacks)$$' ./cmd/stump

attacks: ## attacks on a station by its own user and others (as root): how many succeed, and how long the longest stop took
	$(GO) test -vet=off -count=1 -run '^TestAttacks$$' -v ./cmd/stump

long: ## what takes minutes: 200 kills of hubs and their PostgreSQL, 2,000 labs of a model, packages installed, upgraded and purged in two Debians that are booted
	$(GO) test -vet=off -count=1 -timeout 20m -tags services -run '^TestKill$$' -v ./cmd/stump-hub -kills 200
	$(GO) test -vet=off -count=1 -timeout 20m -tags services -run '^TestModel$$' -v ./internal/hub/store -models 2000
	$(GO) test -vet=off -count=1 -timeout 60m -tags services -run '^TestPackages$$' -v ./scripts/package/test -suites bookworm,trixie

YEARS ?= 10
SEED ?= 1
decade: ## YEARS of a station in simulated time, by a SEED, held to an oracle (docs/decade.md)
	GOMAXPROCS=1 GOGC=1600 $(GO) test -vet=off -count=1 -timeout 2h -run '^TestDecade$$' -v ./internal/decade -years $(YEARS) -seed $(SEED) -visits 142

bench-hub: ## what a hub does in a second, beside the PostgreSQL under it (needs PostgreSQL)
	$(GO) test -vet=off -count=1 -timeout 20m -tags services -run '^$$' -bench '^Benchmark(Hub|Office)$$' -benchtime 1x ./cmd/stump-hub

bench: ## benchmarks: the figures in the docs
	$(GO) test -run '^$$' -bench . -benchmem ./...

FUZZTIME ?= 30s
fuzz: ## run each fuzz target for FUZZTIME, and keep what reaches new code
	scripts/fuzz $(FUZZTIME)

# tool NAME: the path of a tool whose version scripts/tools/go.mod pins.
tool = $$($(GO) tool -modfile=scripts/tools/go.mod -n $(1))

api-fuzz: ## random requests for FUZZTIME, in every role, held to the description of the API
	$(GO) test -vet=off -count=1 -timeout 0 -run '^TestRandomRequests$$' -v ./internal/api -apifuzz $(FUZZTIME) -apiseed $$(date +%s)

lint: ## check gofmt, vet, staticcheck, tidy go.mod, dead code, size of functions and packages
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	@staticcheck=$(call tool,staticcheck) && for m in $(MODULES); do \
	  (set -x; cd $$m && $(GO) vet -tags fixture,services,man ./... && $$staticcheck -tags fixture,services,man ./... && $(GO) mod tidy -diff) || exit 1; \
	done
	$(GO) -C scripts/tools mod tidy -diff
	@templ=$(call tool,templ) && work=$$(mktemp -d) && trap 'rm -rf "$$work"' EXIT && cp -r internal/console "$$work" && \
	  scripts/pages $$templ "$$work/console" >/dev/null 2>&1 && diff -r internal/console "$$work/console" || { echo "FAIL: templates have changed: make pages"; exit 1; }
	scripts/figures -lint

pages: ## write the code of the console's pages from their templates
	@templ=$(call tool,templ) && scripts/pages $$templ internal/console

figures: ## print how large the code and its parts are, beside the limits
	@scripts/figures

vuln: ## look for known vulnerabilities in what the programs use (needs a network)
	@scripts/vuln

cross: ## build bin/stump for the three kinds of boards, and bin/stump-hub for machines of 64 bits
	for arch in armv6 arm64 amd64; do scripts/compile $$arch bin/stump-$$arch || exit 1; done
	for arch in arm64 amd64; do scripts/compile $$arch bin/stump-hub-$$arch stump-hub || exit 1; done
	@ls -l bin/stump-*
	@test -z "$$(find bin -name 'stump-armv6' -size +14500000c -o -name 'stump-*' ! -name 'stump-hub-*' -size +16500000c)" || { echo "FAIL: over 14.5 MB (armv6) or 16.5 MB, which is all that a board has to spare"; exit 1; }

packages: ## build Debian packages in dist/: stump for the three kinds of boards, stump-hub for servers
	scripts/package/build

apt-repo: ## make an APT repository of the packages in dist, signed with the key of gpg named KEY
	scripts/package/repository $(KEY)

clean: ## remove bin and dist
	rm -rf bin dist
