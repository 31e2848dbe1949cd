#!/bin/sh
# Which test covers which requirement: all rows of the contexts in scripts/requirements/, of other
# contexts those that a test names. Tests say so themselves, in a comment above the function:
# `// covers: W-30, T-33`.
#
#   scripts/requirements.sh           writes docs/requirements.md
#   scripts/requirements.sh --check   fails where that file is not up to date
set -eu

cd "$(dirname "$0")/.."
page=docs/requirements.md
fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT

# section|id|title, in the order of the files.
titles() {
	for file in scripts/requirements/*.txt; do
		section=$(basename "$file" .txt | sed 's/^[0-9]*-//; s/-/ /g; s/^./\U&/')
		sed "s/^/$section|/" "$file"
	done
}

# id|path|function, one line for each test and id; several ids may stand in one comment.
covers() {
	find domain commands projections api tests -name '*.rs' -not -path '*/target/*' | LC_ALL=C sort |
		xargs awk '
			FNR == 1 { waiting = "" }
			/\/\/+ covers:/ {
				line = $0
				sub(/.*covers:/, "", line)
				waiting = waiting "," line
				next
			}
			waiting != "" && /(^|[[:space:]])fn [a-z_0-9]+/ {
				name = $0
				sub(/.*fn /, "", name)
				sub(/[^a-z_0-9].*/, "", name)
				count = split(waiting, ids, ",")
				for (i = 1; i <= count; i++) {
					gsub(/[^A-Z0-9-]/, "", ids[i])
					if (ids[i] != "") print ids[i] "|" FILENAME "|" name
				}
				waiting = ""
			}'
}

{
	cat <<-'HEAD'
		# Requirements, and what tests them

		Made by `scripts/requirements.sh` from the comments `// covers: …` above the tests; not edited by hand. A row names the tests, and the checks that tests share, which say that they cover the requirement. **No test** means that none says so, not that it does not work.
	HEAD
	{ covers; echo --; titles; } | awk -F'|' '
		function ended() { if (section != "") printf "\n%d of %d have a test.\n", covered, total }
		$0 == "--" { titles = 1; next }
		!titles {
			if (seen[$0]++) next
			tests[$1] = tests[$1] (tests[$1] == "" ? "" : "<br>") "`" $3 "` in [" $2 "](../" $2 ")"
			next
		}
		$1 != section {
			ended()
			section = $1
			total = covered = 0
			print "\n## " section "\n\n| Id | Requirement | Tested by |\n|---|---|---|"
		}
		{
			total++
			if (tests[$2] != "") covered++
			print "| " $2 " | " $3 " | " (tests[$2] == "" ? "**No test**" : tests[$2]) " |"
			listed[$2] = 1
		}
		END {
			ended()
			print "\n## Other contexts\n\nWhat tests of other contexts say that they cover; rows that no test names are not listed.\n"
			print "| Id | Tested by |\n|---|---|"
			count = 0
			for (id in tests) if (!(id in listed)) rows[++count] = "| " id " | " tests[id] " |"
			for (i = 2; i <= count; i++) {
				row = rows[i]
				for (j = i - 1; j > 0 && rows[j] > row; j--) rows[j + 1] = rows[j]
				rows[j + 1] = row
			}
			for (i = 1; i <= count; i++) print rows[i]
			printf "\n%d rows.\n", count
		}'
} >"$fresh"

if [ "${1:-}" = --check ]; then
	cmp -s "$fresh" "$page" || { echo "$page is not up to date: run scripts/requirements.sh" >&2; exit 1; }
else
	cat "$fresh" >"$page"
	tail -n 1 "$page"
fi
