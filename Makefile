# SPDX-License-Identifier: Apache-2.0
# A thin front to meson. BERTH_BUILD names another build folder, DESTDIR and prefix are for install.
build := $(abspath $(or $(BERTH_BUILD),build))
prefix ?= /usr/local
export BERTH_BUILD := $(build)

.PHONY: all deps demo test test-crash test-vm conformance bench bench-quick fuzz install clean help

all: $(build)/build.ninja
	@ninja --quiet -C $(build)

$(build)/build.ninja:
	@command -v meson >/dev/null || { echo "no meson here: run 'make deps' first" >&2; exit 1; }
	@meson setup $(build) --prefix $(prefix) >/dev/null

# Debian packages to build, run and test; needs root only when some are missing.
deps:
	@scripts/deps build run demo test

demo:
	@scripts/deps build run demo
	@$(MAKE) --no-print-directory all
	@scripts/demo

test: deps
	@scripts/unpack $(build)/tools
	@PATH="$$PATH:$(build)/tools/usr/bin" tests/run

# A quarter of an hour: 300 kills of berthd and 300 of shims under load, 100 cuts of the power of its disk.
# SEED=… repeats the dice of an earlier run.
test-crash:
	@scripts/deps build run
	@$(MAKE) --no-print-directory all
	@tests/crash/run --kills 300 --shims 300 $(if $(SEED),--seed $(SEED))
	@tests/crash/power --cuts 100 $(if $(SEED),--seed $(SEED))

# In an emulated machine with systemd and cgroups of version 2: a quarter of an hour.
test-vm:
	@scripts/deps build vm
	@$(MAKE) --no-print-directory all
	@tests/vm/run

conformance:
	@scripts/deps build run
	@$(MAKE) --no-print-directory all
	@tests/conformance/run

# Berth beside containerd: writes docs/performance.md; takes twenty minutes.
bench bench-quick:
	@scripts/deps build run bench
	@$(MAKE) --no-print-directory all
	@bench/run $(if $(filter bench-quick,$@),--quick)

# One minute for every fuzz target; not part of test.
fuzz: deps
	@scripts/fuzz

install: all
	@meson configure $(build) --prefix $(prefix)
	@DESTDIR=$(DESTDIR) meson install -C $(build) --quiet

clean:
	@rm -rf $(build) $(build)-asan $(build)-tsan $(build)-clang $(build)-fuzz

help:
	@echo "make              build into $(build)/"
	@echo "make deps         install the Debian packages needed to build, run and test"
	@echo "make demo         run a pod from a busybox image, in private folders, and clean up"
	@echo "make test         everything that CI runs, except conformance"
	@echo "make test-crash   kill berthd and shims 300 times each under load, cut its power"
	@echo "make test-vm      scenarios in a virtual machine with systemd and cgroups of version 2"
	@echo "make conformance  run critest, the conformance suite of CRI (needs Go)"
	@echo "make bench        measure Berth beside containerd and write docs/performance.md"
	@echo "make bench-quick  the same in two minutes, roughly; only a table"
	@echo "make fuzz         run every fuzz target for a minute"
	@echo "make install      into DESTDIR$(prefix); prefix=/usr for packages"
	@echo "make clean        remove the build folders"
