# The test kernel and the tests on other processors; included by the Makefile.

.PHONY: kernel kernel-test kernel-figures power-cuts arm-test

kernel: ## build the Linux kernel for the tests, once
	scripts/kernel/build

kernel-test: ## run the tests that need a kernel of their own
	GO=$(GO) scripts/kernel/test

kernel-figures: ## print the table of docs/kernel.md (an hour)
	GO=$(GO) scripts/kernel/figures

arm-test: ## run unit tests as 32-bit and 64-bit ARM programs
	GO=$(GO) scripts/arm-test

power-cuts: ## cut the power under the daemon 1,200 times, and look at every bump
	scripts/kernel/build >/dev/null
	STUMP_CUTS=1200 $(GO) test -count=1 -v -timeout 30m -tags fixture \
	  -run '^TestKernelPowerCuts$$' -exec "$(CURDIR)/scripts/uml -t 1900" ./cmd/stump
