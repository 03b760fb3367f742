# Each target sets up all that it needs. Prerequisite: cargo 1.95 or newer.
SHELL := /bin/bash
export PATH := $(PATH):$(HOME)/.cargo/bin
TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
# The servers stop with make, however it ends.
DDC = $(TARGET)/debug/ddc --stop-with-parent $$PPID

.PHONY: setup run test torture lint bench bench-full openapi
.DEFAULT_GOAL := run

setup:
	@scripts/setup.sh

run: setup
	@cargo build --locked --bin ddc
	@exec $(DDC) serve

test:
	@scripts/setup.sh test
	@cargo build --locked --bin ddc
	@exec $(DDC) servers run -- cargo test --locked --workspace

# ARGS="--minutes 60", ARGS="--seed 42": see ARGS=--help.
torture:
	@scripts/setup.sh test
	@cargo build --locked --bin ddc
	@exec cargo test --locked --quiet --test torture -- $(ARGS)

lint: setup
	@cargo fmt --all -- --check
	@cargo clippy --locked --workspace --all-targets -- -D warnings
	@cargo clippy --locked --test torture -- -D warnings

# Half an hour on two cores, with nothing else running; starts servers of its own, and writes bench/RESULTS.md.
# One measurement: make bench ONLY=W1
bench bench-full: setup
	@cargo build --locked --release --package bench --package ddc --bins
	@exec $(TARGET)/release/bench --scale $(if $(filter bench-full,$@),10m,1m) $(if $(ONLY),--only $(ONLY))

openapi: setup
	@cargo build --locked --bin ddc
	@exec $(DDC) contracts
