# SPDX-License-Identifier: BSD-2-Clause
# weir: a flight recorder for Linux hosts. `make help` lists the targets.

VERSION := 0.1
O       ?= build
ifeq ($(origin CC),default)
CC      := gcc
endif
CLANG   ?= clang
BPFTOOL ?= bpftool
STRIP   ?= llvm-strip
PKGCONF ?= pkg-config
PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
LIBDIR  ?= $(PREFIX)/lib
INCDIR  ?= $(PREFIX)/include
MANDIR  ?= $(PREFIX)/share/man
UNITDIR ?= $(PREFIX)/lib/systemd/system
USERDIR ?= $(PREFIX)/lib/sysusers.d
COMPDIR ?= $(PREFIX)/share/bash-completion/completions
CFLAGS  ?= -O2 -g
Q       := $(if $(V),,@)
msg      = @printf '  %-7s %s\n' '$(1)' '$(2)'

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wvla -Wformat=2 -Wundef $(if $(CI),-Werror)
LIBS := libbpf libelf zlib libzstd liblz4 sqlite3 libedit \
	libseccomp libcap
BASE := -std=gnu11 -D_GNU_SOURCE -DWEIR_VERSION='"$(VERSION)"' $(WARN) \
	-fno-common -fstack-protector-strong
ALLC  = $(BASE) $(SAN) $(CFLAGS) $(CPPFLAGS)
LDALL = $(SAN) $(LDFLAGS) -pthread
LDLIB = $(shell $(PKGCONF) --libs $(LIBS))

# More sources than bpf/ has: make EXTRA_BPF=examples/hello-source/hello.bpf.c
BPF_SRC  := $(wildcard bpf/*.bpf.c) $(EXTRA_BPF)
BPF_OBJ  := $(patsubst %.bpf.c,$(O)/bpf/%.bpf.o,$(notdir $(BPF_SRC)))
# Compiled a second time, with WEIR_PLAIN: see bpf/weir.bpf.h.
BPF_OBJ  += $(patsubst %,$(O)/bpf/plain/%.bpf.o,syscall)
BPF_ARCH := $(shell uname -m | sed 's/x86_64/x86/;s/aarch64/arm64/')
BPF_FLAGS := -target bpf -D__TARGET_ARCH_$(BPF_ARCH) -std=gnu11 -g -O2 \
	-Wall -Wextra -Wno-unused-parameter $(if $(CI),-Werror) -Ivmlinux -Ibpf

CMD_SRC := user/main.c $(wildcard user/cmd_*.c)
LIB_SRC := $(filter-out $(CMD_SRC),$(wildcard user/*.c))
CMD_OBJ := $(CMD_SRC:%.c=$(O)/%.o)
LIB_OBJ := $(LIB_SRC:%.c=$(O)/%.o)
RING_OBJ := $(patsubst %.c,$(O)/%.o,$(wildcard ring/*.c))

UNIT   := $(patsubst %.c,$(O)/%,$(wildcard tests/unit/*_test.c))
KERNEL := $(patsubst %.c,$(O)/%,$(wildcard tests/kernel/*_test.c))
LOADS  := $(patsubst %.c,$(O)/%,$(wildcard tests/load/*.c))
FUZZ   := $(patsubst %.c,$(O)/%,$(wildcard tests/fuzz/*_fuzz.c))

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: FORCE all run test test-unit test-kernel test-cli test-fuzz test-ring \
	test-san test-tsan test-vm bench bench-capture fuzz lint \
	format install uninstall deps clean help

## all: build/weir, build/libweir-ring.a
all: $(O)/weir

## run: install what is missing, build, record this host for 10 s, show it
run:
	$(Q)tests/deps.sh build
	$(Q)$(MAKE) --no-print-directory -j2 all
	$(Q)examples/first-run.sh $(O)/weir

## help: this list
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

# --- what is made again ------------------------------------------------------

# A file that changes when a text does: what depends on it is made again by
# another compiler, with other flags, of another list of files. But for whether
# warnings are errors, which changes no object; and not by `make install`, which
# may be root's, of another environment: it installs what is there.
FORCE:
ifneq ($(filter-out install uninstall,$(or $(MAKECMDGOALS),all)),)
NOW := FORCE
endif
define stamp # file, text
$(O)/$(1): $(NOW)
	@mkdir -p $$(@D)
	@echo '$$(subst ',,$$(filter-out -Werror ccache,$(2)))' >$$@.new
	@cmp -s $$@.new $$@ || { [ -e $$@ ] || old=1; \
		cp $$@.new $$@ && [ -z "$$$$old" ] || touch -d @0 $$@; }
	@rm -f $$@.new
endef

$(eval $(call stamp,flags,$$(CC) $$(ALLC) $$(LDALL)))
$(eval $(call stamp,bpf.flags,$$(CLANG) $$(BPF_FLAGS)))
$(eval $(call stamp,embed.list,$$(sort $$(BPF_OBJ))))
$(eval $(call stamp,lib.list,$$(LIB_OBJ) $$(RING_OBJ)))

# --- BPF objects, and their bytes in the binary ------------------------------

vpath %.bpf.c bpf $(sort $(dir $(EXTRA_BPF)))

define bpf_object # more flags
	$(call msg,BPF,$<$(1:%= %))
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_FLAGS) $(1) -MMD -MP -MF $(@:.o=.d) -MT $@ \
		-c $< -o $@.tmp
	$(Q)$(STRIP) -g $@.tmp
	$(Q)mv $@.tmp $@
endef

$(O)/bpf/%.bpf.o: %.bpf.c $(O)/bpf.flags
	$(call bpf_object)

$(O)/bpf/plain/%.bpf.o: %.bpf.c $(O)/bpf.flags
	$(call bpf_object,-DWEIR_PLAIN)

$(O)/embed.S: $(O)/embed.list user/embed.sh
	$(call msg,EMBED,$@)
	$(Q)user/embed.sh $(sort $(BPF_OBJ)) > $@

$(O)/embed.o: $(O)/embed.S $(BPF_OBJ)
	$(Q)$(CC) -c $< -o $@

# --- user space --------------------------------------------------------------

$(O)/%.o: %.c $(O)/flags
	$(call msg,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLC) -MMD -MP -c $< -o $@

$(O)/libweir.a: $(LIB_OBJ) $(RING_OBJ) $(O)/lib.list
	$(call msg,AR,$@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

$(O)/weir: $(CMD_OBJ) $(O)/libweir.a $(O)/embed.o
	$(call msg,LD,$@)
	$(Q)$(CC) $(LDALL) -o $@ $^ $(LDLIB)

# --- tests -------------------------------------------------------------------

$(UNIT) $(KERNEL): $(O)/%: $(O)/%.o $(O)/libweir.a $(O)/embed.o
	$(call msg,LD,$@)
	$(Q)$(CC) $(LDALL) -o $@ $^ $(LDLIB) -lcmocka

# Static: the dynamic loader would add opens to what is counted.
$(LOADS): $(O)/%: $(O)/%.o
	$(call msg,LD,$@)
	$(Q)$(CC) $(LDALL) -static -o $@ $^

# Preloaded: makes the libc of weir fail where a test says.
FAULT := $(O)/tests/fault/fault.so

$(FAULT): tests/fault/fault.c $(O)/flags
	$(call msg,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE) -O2 -g -fPIC -shared -o $@ $<

$(FUZZ): $(O)/%: $(O)/%.o $(O)/tests/fuzz/driver.o $(O)/libweir.a $(O)/embed.o
	$(call msg,LD,$@)
	$(Q)$(CC) $(LDALL) -o $@ $^ $(LDLIB)

## test: install what is missing, build, run all tests but the long ones
test: deps
	$(Q)$(MAKE) --no-print-directory -j2 all test-programs
	$(Q)O=$(O) tests/run.sh all

.PHONY: test-programs
test-programs: $(UNIT) $(KERNEL) $(LOADS) $(FUZZ) $(FAULT) ring-tests

## test-unit: tests of single modules; no privileges needed
test-unit: $(UNIT)
	$(Q)O=$(O) tests/run.sh unit

## test-kernel: real events on this kernel; root
test-kernel: all $(KERNEL) $(LOADS) $(FAULT)
	$(Q)O=$(O) tests/run.sh kernel

## test-cli: the command line as a user meets it
test-cli: all $(LOADS) $(FAULT)
	$(Q)O=$(O) tests/run.sh cli

## test-fuzz: replay the fuzz corpus
test-fuzz: $(FUZZ)
	$(Q)O=$(O) tests/run.sh fuzz

## test-san: the unit tests and the fuzz corpus under ASan and UBSan
test-san:
	$(Q)$(MAKE) --no-print-directory O=$(O)/san CFLAGS='-O1 -g' \
		SAN='-fsanitize=address,undefined -fno-sanitize-recover=undefined' \
		test-unit test-fuzz

## test-tsan: threads of the archive, the window, the aggregator under TSan
TSAN_TESTS := archive archive_iter archive_queue archive_fault archive_follow \
	fast window aggregator server
test-tsan:
	$(Q)$(MAKE) --no-print-directory O=$(O)/tsan CC='$(CLANG)' \
		CFLAGS='-O1 -g' CPPFLAGS=-DRING_TSAN SAN=-fsanitize=thread \
		$(TSAN_TESTS:%=$(O)/tsan/tests/unit/%_test)
	$(Q)set -e; for t in $(TSAN_TESTS); do \
		TSAN_OPTIONS=halt_on_error=1 $(O)/tsan/tests/unit/$${t}_test; \
		done

## fuzz: search for crashing inputs with libFuzzer, TIME seconds each (60)
TIME ?= 60
fuzz:
	$(Q)O=$(O)/fuzz TIME=$(TIME) CLANG='$(CLANG)' tests/fuzz/run.sh

# --- ring --------------------------------------------------------------------

RING_SRC := $(wildcard ring/*.c)
RING_HDR := ring/ring.h ring/ring_order.h
RING_INC := $(RING_HDR) $(wildcard tests/stress/ring_*.h)
STRESS   := $(O)/tests/stress/ring_

all: $(O)/libweir-ring.a

$(O)/libweir-ring.a: $(RING_OBJ)
	$(call msg,AR,$@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(STRESS)stress $(STRESS)kill: $(O)/%: $(O)/%.o $(O)/libweir-ring.a
	$(call msg,LD,$@)
	$(Q)$(CC) $(LDALL) -o $@ $^

# These bring their own sanitizer, and so the ring's sources along. The flags
# fit clang as well as gcc; TSan is clang's since gcc's knows no fences.
RING_ALONE = -std=gnu11 -D_GNU_SOURCE $(WARN) -O1 -g $(filter %.c,$^) -pthread

$(STRESS)stress_tsan: tests/stress/ring_stress.c $(RING_SRC) $(RING_INC) \
		$(O)/flags
	$(call msg,TSAN,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) -DRING_TSAN -fsanitize=thread $(RING_ALONE) -o $@

$(STRESS)hostile: tests/stress/ring_hostile.c $(RING_SRC) $(RING_INC) \
		$(O)/flags
	$(call msg,ASAN,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -fsanitize=address,undefined \
		-fno-sanitize-recover=undefined $(RING_ALONE) -o $@

$(STRESS)model: tests/stress/ring_model.cpp
	$(call msg,MODEL,$@)
	@mkdir -p $(@D)
	$(Q)$(CXX) -std=gnu++17 -O2 -Wall -Wextra -MMD -MP -MF $@.d -MT $@ \
		$< -o $@

.PHONY: ring-tests ring-install ring-uninstall
ring-tests: $(addprefix $(STRESS),stress kill stress_tsan hostile model)

## test-ring: the ring under threads, kills, hostile peers, a model checker
test-ring: ring-tests
	$(Q)O=$(O) tests/run.sh ring

# Directories that are made are everybody's to enter, whatever root's umask.
INSTALL := umask 022 && install

ring-install: $(O)/libweir-ring.a
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(LIBDIR) $(O)/libweir-ring.a
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(INCDIR)/weir $(RING_HDR)
	$(INSTALL) -d $(DESTDIR)$(LIBDIR)/pkgconfig
	umask 022 && sed -e 's|@PREFIX@|$(PREFIX)|;s|@LIBDIR@|$(LIBDIR)|' \
		-e 's|@INCDIR@|$(INCDIR)|;s|@VERSION@|$(VERSION)|' \
		ring/weir-ring.pc.in \
		>$(DESTDIR)$(LIBDIR)/pkgconfig/weir-ring.pc

ring-uninstall:
	rm -f $(DESTDIR)$(LIBDIR)/libweir-ring.a \
		$(DESTDIR)$(LIBDIR)/pkgconfig/weir-ring.pc \
		$(patsubst ring/%,$(DESTDIR)$(INCDIR)/weir/%,$(RING_HDR))
	-rmdir $(DESTDIR)$(INCDIR)/weir 2>/dev/null

-include $(STRESS)stress.d $(STRESS)kill.d $(STRESS)model.d

# --- vm ----------------------------------------------------------------------

## test-vm: record on other kernels, in QEMU (VM_KERNELS=all, or "5.10 7.3-rt")
test-vm: all
	$(Q)CC='$(CC)' WEIR='$(abspath $(O)/weir)' tests/vm/run.sh

# --- bench -------------------------------------------------------------------

# One after the other, whatever -j says; one that fails keeps none from running.
one_by_one = failed=; for part in $(1); do $(2) || failed="$$failed $$part"; \
	done; [ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }

## bench: bench-ring, bench-hooks, bench-capture and bench-size (minutes); root
bench:
	$(Q)$(call one_by_one,ring hooks capture size,\
		$(MAKE) --no-print-directory bench-$$part)

## bench-ring: the ring beside boost's, ck's and DPDK's queues
.PHONY: bench-ring
bench-ring: $(O)/tests/bench/ring_bench
	$(Q)tests/bench/ring.sh $< $(O)/bench/ring.json

$(O)/tests/bench/ring_bench: tests/bench/ring_bench.cpp $(O)/libweir-ring.a
	$(call msg,CXX,$@)
	@mkdir -p $(@D)
	$(Q)$(CXX) -std=gnu++17 -O3 -Wall -Wextra -I. -MMD -MP -MF $@.d -MT $@ \
		$$(pkg-config --cflags libdpdk) \
		$(filter %.cpp %.a,$^) -lrte_ring -lrte_eal \
		-pthread -o $@

-include $(O)/tests/bench/ring_bench.d

## bench-capture: what recording costs this host, with weir and its peers; root
bench-capture: all $(LOADS) $(O)/tests/bench/trace_drain
	$(Q)$(call one_by_one,capture peers,O=$(O) tests/bench/$$part.sh)

## bench-size: bytes of a mixed load beside perf's and trace-cmd's; root
.PHONY: bench-size
bench-size: all $(O)/tests/bench/trace_drain
	$(Q)O=$(O) tests/bench/size.sh

$(O)/tests/bench/trace_drain: $(O)/%: $(O)/%.o
	$(call msg,LD,$@)
	$(Q)$(CC) $(LDALL) -o $@ $^

-include $(O)/tests/bench/trace_drain.d

## bench-hooks: an event, or one a filter refuses, beside a bare hook; root
.PHONY: bench-hooks
bench-hooks: all $(LOADS) $(O)/tests/bench/bare $(O)/tests/bench/bare.bpf.o
	$(Q)O=$(O) tests/bench/hooks.sh

$(O)/tests/bench/bare: $(O)/%: $(O)/%.o
	$(call msg,LD,$@)
	$(Q)$(CC) $(LDALL) -o $@ $^ $(LDLIB)

$(O)/tests/bench/bare.bpf.o: tests/bench/bare.bpf.c
	$(call msg,BPF,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_FLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ -c $< -o $@

-include $(O)/tests/bench/bare.d $(O)/tests/bench/bare.bpf.d

$(O)/tests/bench/archive_bench: $(O)/%: $(O)/%.o \
		$(O)/tests/bench/archive_ways.o $(O)/libweir.a
	$(call msg,LD,$@)
	$(Q)$(CC) $(LDALL) -o $@ $^ $(LDLIB)

-include $(O)/tests/bench/archive_bench.d $(O)/tests/bench/archive_ways.d

## bench-query: what questions cost, of the events in ARCHIVE=DIR, repeated
.PHONY: bench-query
bench-query: all $(O)/tests/bench/archive_repeat
	$(Q)O=$(O) tests/bench/query.sh \
		$(or $(ARCHIVE),$(error which ARCHIVE=DIR?))

$(O)/tests/bench/archive_repeat: $(O)/%: $(O)/%.o $(O)/libweir.a
	$(call msg,LD,$@)
	$(Q)$(CC) $(LDALL) -o $@ $^ $(LDLIB)

-include $(O)/tests/bench/archive_repeat.d

$(O)/tests/bench/scale: $(O)/%: $(O)/%.o $(O)/libweir.a $(O)/libweir-ring.a
	$(call msg,LD,$@)
	$(Q)$(CC) $(LDALL) -o $@ $^ $(LDLIB)

-include $(O)/tests/bench/scale.d

## bench-scale: what an event of ARCHIVE=DIR takes on hosts with more CPUs
.PHONY: bench-scale
bench-scale: $(O)/tests/bench/scale
	$(Q)$< $(or $(ARCHIVE),$(error which ARCHIVE=DIR?))

## bench-archive: bytes and speed of blocks, of the events in ARCHIVE=DIR
.PHONY: bench-archive
bench-archive: $(O)/tests/bench/archive_bench
	$(Q)$< $(or $(ARCHIVE),$(error which ARCHIVE=DIR?)) -s

# --- checks ------------------------------------------------------------------

C_FILES = $(shell git ls-files '*.c' '*.h' | grep -v -e '^build/')

## format: apply .clang-format to every C file
format:
	$(Q)git rev-parse --git-dir >/dev/null
	$(Q)clang-format -i $(C_FILES)

## lint: formatting, directions between rooms, doc coverage, clang-tidy
lint:
	$(Q)tests/lint/lint.sh

# --- set-up ------------------------------------------------------------------

## deps: install the Debian packages to build and test with (else print them)
deps:
	$(Q)tests/deps.sh

## bench-deps: as deps, and the peers and loads of the benchmarks
.PHONY: bench-deps
bench-deps:
	$(Q)tests/deps.sh bench

## lint-deps: install what make lint needs
.PHONY: lint-deps
lint-deps:
	$(Q)tests/deps.sh lint

## install: weir, its pages, completion, service, ring library (DESTDIR, PREFIX)
install: all ring-install
	$(INSTALL) -D -m 755 $(O)/weir $(DESTDIR)$(BINDIR)/weir
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(MANDIR)/man1 user/man/weir.1
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(MANDIR)/man5 \
		user/man/weir-archive.5
	$(INSTALL) -D -m 644 completions/weir.bash $(DESTDIR)$(COMPDIR)/weir
	$(INSTALL) -D -m 644 systemd/sysusers.conf \
		$(DESTDIR)$(USERDIR)/weir.conf
	$(INSTALL) -d $(DESTDIR)$(UNITDIR)
	umask 022 && sed 's|@BINDIR@|$(BINDIR)|' systemd/weir.service.in \
		>$(DESTDIR)$(UNITDIR)/weir.service

## uninstall: remove what install put there
uninstall: ring-uninstall
	rm -f $(DESTDIR)$(BINDIR)/weir $(DESTDIR)$(MANDIR)/man1/weir.1 \
		$(DESTDIR)$(MANDIR)/man5/weir-archive.5 \
		$(DESTDIR)$(UNITDIR)/weir.service \
		$(DESTDIR)$(USERDIR)/weir.conf \
		$(DESTDIR)$(COMPDIR)/weir

## clean: remove build/
clean:
	$(if $(filter $(CURDIR) $(HOME) /,$(abspath $(O))),$(error not O=$(O)))
	rm -rf $(O)

-include $(CMD_OBJ:.o=.d) $(LIB_OBJ:.o=.d) $(RING_OBJ:.o=.d) $(BPF_OBJ:.o=.d)
-include $(patsubst %,%.d,$(UNIT) $(KERNEL) $(LOADS) $(FUZZ))
-include $(O)/tests/fuzz/driver.d
