# Everything that a developer, CI or a packager runs. `make help` lists it.

GO      ?= go
VERSION ?= $(shell scripts/version --long)
BUILD    = $(GO) build -ldflags '-s -w -X main.version=$(VERSION)'

# One way of compiling for everything but the race detector: what one target has
# compiled the next takes from the cache.
export CGO_ENABLED := 0
export GOFLAGS := $(strip $(GOFLAGS) -trimpath)

include scripts/kernel.mk

# The lab's screen is a module of its own, so that the daemon doesn't depend on what it draws with.
MODULES := . cmd/stumplab

.DEFAULT_GOAL := help
.PHONY: help setup build run test unit proofs bench fuzz lint figures vuln cross packages clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what the tests need besides Go (Debian packages, as root or by sudo)
	scripts/setup

build: ## bin/stump, static and stripped
	$(BUILD) -o bin/stump ./cmd/stump

run: ## a simulated lab to play with
	@echo 'building the lab …' >&2
	@cd cmd/stumplab && $(BUILD) -o ../../bin/stumplab .
	@bin/stumplab

# The kernel's tests come last, by themselves: they send cards at a reader's times.
test: ## every test
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target unit proofs arm-test
	@$(MAKE) --no-print-directory kernel-test

# atexit_sleep_ms: a process under the race detector would sleep a second at its
# end. Without DWARF the compiler is a tenth faster.
RACE := -race -vet=off -gcflags=all=-dwarf=false -skip '^Test(Damage|LedgerAgainstModel)$$'
unit: export GORACE := atexit_sleep_ms=0
unit: ## all tests with the race detector, but the long ones of a single goroutine (see proofs)
	@if command -v "$$($(GO) env CC)" >/dev/null; then \
	  for m in $(MODULES); do (set -x; cd $$m && CGO_ENABLED=1 $(GO) test $(RACE) ./...) || exit 1; done; \
	elif [ "$$CI" = true ]; then \
	  echo "FAIL: no C compiler, and on CI the race detector must run"; exit 1; \
	else \
	  echo "SKIPPED: the race detector: no C compiler (scripts/setup installs it)"; \
	  for m in $(MODULES); do (cd $$m && $(GO) test -vet=off ./...) || exit 1; done; \
	fi

proofs: ## without the race detector: 200 kills, 1,000 damages and a model of the ledger, every table of the decoder
	$(GO) test -vet=off -count=1 -run '^Test(Kill|Damage|LedgerAgainstModel)$$' ./checkout/ledger
	$(GO) test -vet=off -count=1 ./wiegand

bench: ## the figures of the budgets
	$(GO) test -run '^$$' -bench . -benchmem ./...

FUZZTIME ?= 30s
fuzz: ## every fuzz target for FUZZTIME each
	@for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
	  done; done

# tool NAME: the path of a program that scripts/tools/go.mod pins.
tool = $$($(GO) tool -modfile=scripts/tools/go.mod -n $(1))

lint: ## gofmt, vet, staticcheck, tidy go.mod, and the limits that figures -lint has
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	@staticcheck=$(call tool,staticcheck) && for m in $(MODULES); do \
	  (set -x; cd $$m && $(GO) vet -tags fixture ./... && $$staticcheck -tags fixture ./... && $(GO) mod tidy -diff) || exit 1; \
	done
	$(GO) -C scripts/tools mod tidy -diff
	GO=$(GO) $(GO) run ./scripts/figures -lint

figures: ## the size of the code and of its parts, each figure beside its limit
	@GO=$(GO) $(GO) run ./scripts/figures

vuln: ## look for known vulnerabilities in the modules used (needs a network)
	@GO=$(GO) scripts/vuln

cross: ## the three boards' binaries
	GOOS=linux GOARCH=arm GOARM=6 $(BUILD) -o bin/stump-armv6 ./cmd/stump
	GOOS=linux GOARCH=arm64 $(BUILD) -o bin/stump-arm64 ./cmd/stump
	GOOS=linux GOARCH=amd64 $(BUILD) -o bin/stump-amd64 ./cmd/stump
	@ls -l bin/stump-*
	@test -z "$$(find bin -name 'stump-*' -size +15000k)" || { echo "FAIL: over 15 MB, which is what a board has to spare"; exit 1; }

packages: ## Debian packages in dist/ for the three kinds of boards
	GO=$(GO) scripts/package/build

clean: ## remove what was built
	rm -rf bin dist
