#!/bin/sh
# Runs cargo's tests once and closes with the sum over all test binaries. The exit code is cargo's.
# Arguments are passed to `cargo test`; without any, the whole workspace is tested.
set -u

[ $# -gt 0 ] || set -- --workspace

counts=$(mktemp) || exit 1
trap 'rm -f "$counts"' EXIT

# Without `pipefail` in plain sh, the exit code travels through the file.
{
	${CARGO:-cargo} test --locked --no-fail-fast "$@" 2>&1
	echo "exit $?" >"$counts"
} | awk '
	{ print; fflush() }
	/^test result: / {
		for (field = 2; field <= NF; field++) {
			if ($field ~ /^passed;?$/) passed += $(field - 1)
			if ($field ~ /^failed;?$/) failed += $(field - 1)
			if ($field ~ /^ignored;?$/) skipped += $(field - 1)
		}
	}
	END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }
'

read -r _ code <"$counts"
exit "${code:-1}"
