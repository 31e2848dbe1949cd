#!/bin/sh
# Which test covers which requirement: of the points ledger all rows, of other contexts those that a test names. Tests say so themselves, in a comment
# above the function: `// covers: W-30, T-33`.
#
#   scripts/requirements.sh           writes docs/requirements.md
#   scripts/requirements.sh --check   fails where that file is not up to date
set -eu

cd "$(dirname "$0")/.."
page=docs/requirements.md
fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT

titles() {
	cat <<-'TITLES'
		W-05|Points are earned and spent, and every change is a transaction
		W-16|Transactions of one account happen exactly once and in order
		W-17|An accepted transaction survives a crash before the balance shows it
		W-27|A completed challenge earns points
		W-28|Tracked activity earns points
		W-29|A read article earns points
		W-30|At most one reward per organization, user, rule and source
		W-31|The balance is the sum of resolved transactions at every position
		W-32|A pending transaction becomes resolved
		W-33|Resolved is final; resolving again changes nothing
		W-34|A failed balance update is retried without a second reward
		W-35|A repeated key gets the first transaction
		W-36|A credit is answered 202 with its id, and can be followed until resolved
		W-37|Credits are resolved by workers, apart from the request
		W-70|Changes of several records that belong together are one transaction
		T-18|The ledger is event-sourced: trail, replay, derived views
		T-31|Transactions are never changed or deleted
		T-32|Balances are views derived from transactions
		T-33|Concurrent spending never overdraws
		T-34|Reconciliation reports every balance that is not its sum
		T-35|Balances are kept per user and team
		T-57|The transaction is written first; a failed balance update loses nothing
		T-58|Any balance can be rebuilt from its transactions
		T-84|Load with concurrent writes, and the reconciliation after it
		T-91|Earned is positive, spent and corrected negative; one asset per program
	TITLES
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

		## The points ledger

		| Id | Requirement | Tested by |
		|---|---|---|
	HEAD
	{ covers; echo --; titles; } | awk -F'|' '
		$0 == "--" { titles = 1; next }
		!titles {
			if (seen[$0]++) next
			tests[$1] = tests[$1] (tests[$1] == "" ? "" : "<br>") "`" $3 "` in [" $2 "](../" $2 ")"
			next
		}
		{
			total++
			if (tests[$1] != "") covered++
			print "| " $1 " | " $2 " | " (tests[$1] == "" ? "**No test**" : tests[$1]) " |"
		}
		{ of_ledger[$1] = 1 }
		END {
			printf "\n%d of %d have a test.\n", covered, total
			print "\n## Other contexts\n\nWhat tests of other contexts say that they cover; rows that no test names are not listed.\n"
			print "| Id | Tested by |\n|---|---|"
			count = 0
			for (id in tests) if (!(id in of_ledger)) rows[++count] = "| " id " | " tests[id] " |"
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
