# Thin lines over cargo and scripts/; README.md says what they are for. CARGO_TARGET_DIR is followed everywhere.

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))

# A server without its pages is of no use to any target here.
export CUTOVER_REQUIRE_SITE := 1

.PHONY: run test bench build dev lint site setup setup-test
.NOTPARALLEL:

# make run ARGS="--listen 127.0.0.1:8080"
run: build
	$(TARGET)/release/cutover serve $(ARGS)

build: site
	cargo build --release --package server

# One build with the features of the test run, so that the run itself compiles nothing and the binary it starts is this one.
test: setup-test lint
	cargo build --workspace --lib --bins --examples --tests
	CUTOVER_BIN=$(TARGET)/debug/cutover cargo test --workspace

# The AWS side is measured on an emulator that runs the functions' binary. One build, for the reason above.
bench: site setup-test
	cargo build --release --package server --package pipeline --package tests --bins
	CUTOVER_BIN=$(TARGET)/release/cutover $(TARGET)/release/bench

dev: setup
	cargo run --package site -- dev -- $(ARGS)

# app twice: as the server has it, and as the browser does.
lint: site
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --package app --lib --target wasm32-unknown-unknown --no-default-features --features hydrate -- -D warnings

site: setup
	cargo run --package site -- build

setup:
	scripts/setup.sh build

setup-test:
	scripts/setup.sh test
