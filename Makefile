# Thin lines over cargo and scripts/; README.md says what they are for. CARGO_TARGET_DIR is followed everywhere.

STATIC := x86_64-unknown-linux-musl
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))

# A server without its pages is of no use to any target here.
export CUTOVER_REQUIRE_SITE := 1

.PHONY: run test bench build functions dist dev lint site setup setup-static setup-test
.NOTPARALLEL:

# make run ARGS="--listen 127.0.0.1:8080"
run: build
	$(TARGET)/release/cutover serve $(ARGS)

build: site
	cargo build --release --package server

# What is deployed on AWS, for any x86-64 Linux: the functions' binary as Lambda takes it, and the dashboard's as deploy/Containerfile
# makes it. Neither may need a library of the machine that it runs on.
functions: setup-static
	cargo build --locked --release --target $(STATIC) --package pipeline --features lambda --bin cutover-consumer
	install -D -s $(TARGET)/$(STATIC)/release/cutover-consumer $(TARGET)/dist/bootstrap
	! readelf --dynamic $(TARGET)/dist/bootstrap | grep NEEDED
	cd $(TARGET)/dist && zip -q cutover-consumer.zip bootstrap

dist: functions site
	cargo build --locked --release --target $(STATIC) --package server
	install -D -s $(TARGET)/$(STATIC)/release/cutover $(TARGET)/dist/cutover
	! readelf --dynamic $(TARGET)/dist/cutover | grep NEEDED

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

setup-static:
	scripts/setup.sh static

setup-test:
	scripts/setup.sh test
