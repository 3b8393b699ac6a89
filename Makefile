# SPDX-License-Identifier: Apache-2.0
# A thin front to meson. BERTH_BUILD names another build folder, DESTDIR and prefix are for install.
build := $(abspath $(or $(BERTH_BUILD),build))
prefix ?= /usr/local
export BERTH_BUILD := $(build)

.PHONY: all deps demo test conformance fuzz install clean help

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
	@tests/run

conformance:
	@scripts/deps build run
	@$(MAKE) --no-print-directory all
	@tests/conformance/run

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
	@echo "make conformance  run critest, the conformance suite of CRI (needs Go)"
	@echo "make fuzz         run every fuzz target for a minute"
	@echo "make install      into DESTDIR$(prefix); prefix=/usr for packages"
	@echo "make clean        remove the build folders"
