#!/bin/sh
# Installs the identity provider that the tests sign in with (the npm package oidc-provider, pinned by
# tests/oidc/package-lock.json) into .tools/oidc. Quick and silent when it is there.
set -eu

NODE_MIN=18

cd "$(dirname "$0")/.."
folder=$PWD/.tools/oidc

say() { printf 'install: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

advice="The tests sign in with a real identity provider, which needs Node.js $NODE_MIN or newer with npm: https://nodejs.org/en/download. Install it, then try again."
node=$(command -v node) || fail "there is no node in PATH. $advice"
version=$("$node" --version 2>/dev/null | sed -n 's/^v\([0-9]*\)\..*/\1/p')
[ -n "$version" ] && [ "$version" -ge "$NODE_MIN" ] || fail "$("$node" --version 2>&1 | head -n 1) is too old. $advice"

cmp -s tests/oidc/package-lock.json "$folder/package-lock.json" && exit 0
command -v npm >/dev/null 2>&1 || fail "there is no npm in PATH. $advice"

say "fetching oidc-provider into .tools/"
mkdir -p .tools
draft=$(mktemp -d .tools/oidc.XXXXXX)
trap 'rm -rf "$draft"' EXIT
trap 'exit 130' INT TERM HUP
cp tests/oidc/package.json tests/oidc/package-lock.json "$draft"
(cd "$draft" && npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
	fail "oidc-provider could not be fetched from npm's registry. Look at the lines above, then try again."
# Another run may have been quicker; either is the same.
rm -rf "$folder"
mv -T "$draft" "$folder" 2>/dev/null || [ -e "$folder/package-lock.json" ] || fail "$folder cannot be written"
