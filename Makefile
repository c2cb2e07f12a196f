# The front door: each target lists what the machine lacks, installs it (Debian), builds and runs.
# Everything else is plain CMake: see CMakePresets.json. JOBS=n limits how many compilers run at once.
.PHONY: help demo test check bench bench-quick bench-check format single-header clean
help:
	@echo "make demo [DIR=folder]  watch a folder (default: the repository's own files and generated ones);"
	@echo "                        STORE=sqlite keeps its table in a file instead of in memory"
	@echo "make test               g++, release: unit tests, examples, consumers"
	@echo "make check              make test, then sanitizers, every header alone, formatting, model"
	@echo "make bench              every benchmark beside its peers, 15 minutes; bench-quick: 2 minutes, rougher"
	@echo "make bench-check        what the last of them found, goal by goal"
	@echo "make format             clang-format every source"
	@echo "make single-header      build/single/dormouse.hpp: the core in one file"
	@echo "make clean              remove build/"

# The folder travels through the environment, so that any name survives the shell.
demo: export DIR := $(DIR)
demo: export STORE := $(if $(STORE),$(STORE),memory)
demo:
	@scripts/install-dependencies base
	@scripts/build demo
	@if [ -n "$$DIR" ]; then exec build/demo/examples/example_watch_folder "$$DIR" "--store=$$STORE"; \
	 else exec build/demo/examples/example_watch_folder "--store=$$STORE"; fi

test:
	@scripts/install-dependencies test
	@scripts/check 1

check:
	@scripts/install-dependencies check
	@scripts/check 1 2 3 4 5 6

bench:
	@scripts/bench 1 5

bench-quick:
	@scripts/bench 0.2 2

bench-check:
	@build/bench/benchmarks/bench_driver check build/bench/results.json

format:
	@scripts/install-dependencies check
	@scripts/sources | xargs -d '\n' clang-format -i

single-header:
	@scripts/single-header build/single/dormouse.hpp

clean:
	rm -rf build
