# Each target sets up all that it needs. Prerequisite: cargo 1.95 or newer.
SHELL := /bin/bash
export PATH := $(PATH):$(HOME)/.cargo/bin
TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
# The servers stop with make, however it ends.
DDC = $(TARGET)/debug/ddc --stop-with-parent $$PPID

.PHONY: setup run test lint openapi
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

lint: setup
	@cargo fmt --all -- --check
	@cargo clippy --locked --workspace --all-targets -- -D warnings

openapi: setup
	@cargo build --locked --bin ddc
	@exec $(DDC) contracts
