#!/usr/bin/env bash
# Installs what is missing, and only that.
#   scripts/setup.sh build    for `make run`, `make build`, `make dev`
#   scripts/setup.sh static   for `make functions`, `make dist` as well: what links static binaries
#   scripts/setup.sh test     for `make test` as well: a browser, its driver, and an AWS SDK to speak to Cutover with
set -euo pipefail
cd "$(dirname "$0")/.."

have() { command -v "$1" >/dev/null; }

fail() {
  echo "setup: $*" >&2
  exit 1
}

# packages WHAT NAME...: Debian packages, by apt-get, where that is possible.
packages() {
  local what=$1 as_root=()
  shift
  have apt-get || fail "$what is missing. Install it and run this again (on Debian the packages are: $*)."
  if [ "$(id -u)" -ne 0 ]; then
    if ! have sudo || ! sudo -n true 2>/dev/null; then
      fail "$what is missing. Run as root: apt-get install $*"
    fi
    as_root=(sudo)
  fi
  echo "setup: installing $what"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
    fail "apt-get could not install $*"
}

# rust TARGET
rust() {
  have cargo || fail "cargo is missing. https://rustup.rs installs it."
  if have rustup; then
    # The first call also installs the toolchain that rust-toolchain.toml names.
    rustup target list --installed | grep -qx "$1" || rustup target add "$1"
  elif [ ! -d "$(rustc --print sysroot)/lib/rustlib/$1" ]; then
    fail "this Rust cannot build for $1. https://rustup.rs installs one that can."
  fi
}

compiler() {
  have cc || packages "a C compiler, for SQLite," gcc libc6-dev
}

# The wasm-opt that package-lock.json names, and the rules for accessibility that the tests check; npm notes what it installed in node_modules/.package-lock.json.
wasm_opt() {
  if [ ! -e node_modules/.bin/wasm-opt ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    have npm || packages "npm, for wasm-opt," nodejs npm
    npm ci --no-audit --no-fund
  fi
}

musl() {
  rust x86_64-unknown-linux-musl
  have musl-gcc || packages "a static C library" musl-tools
  have readelf || packages readelf binutils
  have zip || packages zip zip
}

browser() {
  have chromium || have chromium-browser || have google-chrome || packages Chromium chromium
  have chromedriver || packages "Chromium's driver" chromium-driver
}

# A virtual environment in the target directory, made again when the requirements change.
aws_sdk() {
  local venv="${CARGO_TARGET_DIR:-target}/venv"
  if ! cmp -s scripts/requirements.txt "$venv/requirements.txt"; then
    if ! have python3 || ! python3 -c 'import ensurepip' 2>/dev/null; then
      packages Python python3 python3-venv
    fi
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r scripts/requirements.txt
    cp scripts/requirements.txt "$venv/requirements.txt"
  fi
}

rust wasm32-unknown-unknown
compiler
case "${1:-}" in
  build) ;;
  static) musl ;;
  test)
    browser
    aws_sdk
    ;;
  *) fail "usage: scripts/setup.sh build|static|test" ;;
esac
wasm_opt
