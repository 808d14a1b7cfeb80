# The test kernel, and tests as programs for ARM. The Makefile includes this.

.PHONY: kernel kernel-test kernel-figures power-cuts arm-test

kernel: ## build the Linux kernel that tests run in, once
	scripts/kernel/build

kernel-test: ## tests that need a kernel of their own
	scripts/kernel/test

kernel-figures: ## print the table of docs/kernel.md (an hour)
	scripts/kernel/figures

arm-test: ## unit tests as 32-bit and 64-bit ARM programs
	scripts/arm-test

power-cuts: ## cut the power under the daemon 1,200 times, and look for every confirmed bump
	scripts/kernel/build >/dev/null
	STUMP_CUTS=1200 $(GO) test -count=1 -v -timeout 30m -tags fixture \
	  -run '^TestKernelPowerCuts$$' -exec "$(CURDIR)/scripts/uml -t 1900" ./cmd/stump
