# Every target does its own set-up: the pinned Bun, the packages, and the Debian packages it needs.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

BUN_VERSION := 1.4.5
BUN_ARCH := $(shell uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')
# A processor without AVX2 needs the baseline build.
BUN_BUILD := linux-$(BUN_ARCH)$(shell [ "$(BUN_ARCH)" = x64 ] && ! grep -qm1 avx2 /proc/cpuinfo && echo -baseline)
# The other architecture, whose programs run on an emulated kernel.
CROSS_ARCH := $(if $(filter arm64,$(BUN_ARCH)),x64,arm64)
BUN := $(CURDIR)/.tools/bun-$(BUN_VERSION)/bun
export PATH := $(dir $(BUN)):$(PATH)

SOURCES := $(shell git ls-files -co --exclude-standard apps libs 2>/dev/null) package.json bun.lock

.PHONY: help demo inspect record-node screenshots test unit build check bench bench-window clean generate machines apt-build apt-test containerd-test kernels-test chart-test

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BUN):
	@mkdir -p $(@D)
	@echo "fetching Bun $(BUN_VERSION) ($(BUN_BUILD)) from npm"
	@cd $(@D) && npm pack --silent --loglevel=error @oven/bun-$(BUN_BUILD)@$(BUN_VERSION) >/dev/null \
	  && tar -xzf oven-bun-*.tgz --strip-components=2 package/bin/bun && rm oven-bun-*.tgz
	@$(BUN) --version | grep -qx $(BUN_VERSION)

node_modules/.installed: $(BUN) package.json bun.lock $(wildcard */package.json apps/*/package.json libs/*/package.json)
	@$(BUN) install --frozen-lockfile --silent
	@touch $@

apt-test: # what the tests on real runtimes need, installed only where it is missing
	@scripts/apt-install.sh runc podman busybox-static python3-grpcio openssl iproute2 containernetworking-plugins unzip bpftool qemu-system-x86 qemu-system-arm cpio chromium prometheus systemd

containerd-test: # two versions of containerd for the tests, unpacked beside them; nothing is installed
	@scripts/containerd-download.sh .cache/containerd

kernels-test: # stock kernels for the tests in virtual machines, unpacked beside them; nothing is installed
	@scripts/kernels-download.sh .cache/kernels

chart-test: # Helm and kubectl for the tests of the chart, unpacked beside them; nothing is installed
	@scripts/helm-download.sh .cache/helm

# Programs for the kernel. No node needs a compiler: the objects are embedded in the agent.
BPF_OBJECTS := $(patsubst bpf/%.bpf.c,bpf/out/%.o,$(wildcard bpf/*.bpf.c))

apt-build: # what compiles them, installed only where it is missing; a machine without apt-get has it already or fails
	@{ command -v clang llvm-objcopy && [ -e /usr/include/bpf/bpf_helpers.h ]; } >/dev/null \
	  || scripts/apt-install.sh clang llvm libbpf-dev

$(BPF_OBJECTS): $(wildcard bpf/*.c bpf/*.h) scripts/build-bpf.sh | apt-build
	@scripts/build-bpf.sh bpf/out

dist/.built: node_modules/.installed $(BPF_OBJECTS) $(SOURCES) scripts/build.ts
	@$(BUN) scripts/build.ts
	@touch $@

# For another target than this machine. Building the machine's own programs empties dist.
dist/%/.built: dist/.built
	@$(BUN) scripts/build.ts $*
	@touch $@

build: dist/.built ## compile the five programs into dist/

.PHONY: image-roots images images-packages apt-images

images-packages: # what images take from Debian, unpacked; nothing is installed
	@scripts/images-download.sh .cache/images/packages

apt-images:
	@scripts/apt-install.sh buildah

# The files of each image, also for `docker build`.
.cache/images/roots/.written: dist/x64-baseline/.built dist/arm64/.built scripts/image-roots.sh scripts/write-sboms.ts | images-packages
	@scripts/image-roots.sh .cache/images/roots .cache/images/packages
	@$(BUN) scripts/write-sboms.ts .cache/images/roots .cache/images/packages
	@touch $@

image-roots: .cache/images/roots/.written

dist/images/.built: .cache/images/roots/.written install/images/Dockerfile scripts/build-images.sh | apt-images
	@scripts/build-images.sh dist/images .cache/images/roots
	@touch $@

images: dist/images/.built ## build the container images for amd64 and arm64 as OCI archives in dist/images

demo: apt-test dist/.built ## hold a real runc container until the agent knows it, and show it
	@$(BUN) scripts/demo.ts

inspect: apt-test dist/.built ## show the state machines of a live node in the browser: real containers come, go and are denied
	@$(BUN) scripts/inspect.ts

record-node: apt-test dist/.built ## record 60 s of a busy node again, for tests and screenshots
	@$(BUN) scripts/record-node.ts

screenshots: apt-test dist/.built ## write docs/images again: the inspector's page in Chromium
	@scripts/apt-install.sh pngquant
	@$(BUN) scripts/screenshots.ts

check: node_modules/.installed ## types, lint, layering, unused exports
	@$(BUN) run --silent check

test: apt-test containerd-test kernels-test chart-test dist/.built dist/$(CROSS_ARCH)/.built dist/images/.built ## every test, on real runtimes and kernels
	@$(BUN) run --silent test

# PARTS="hook agent": these alone. Two of the parts need containerd.
bench: apt-test $(if $(filter-out containerd soak,$(PARTS)),$(if $(filter containerd soak,$(PARTS)),containerd-test),containerd-test) dist/.built ## measure; prints tables, fails nothing
	@$(BUN) bench/src/main.ts $(PARTS)

bench-window: apt-test dist/.built ## measure how long a container can do what is forbidden; WRITE=1: docs/window.md, too
	@$(BUN) bench/src/window/main.ts $(if $(WRITE),--write)

machines: node_modules/.installed ## write docs/machines again: each state machine as JSON, Mermaid and SVG
	@$(BUN) run --silent machines

generate: node_modules/.installed ## write the protobuf code, docs/reference and the dashboard again
	@$(BUN) run --silent generate

clean: ## remove what the other targets made
	@rm -rf dist bpf/out node_modules apps/*/node_modules libs/*/node_modules tests/node_modules bench/node_modules .tools .cache
