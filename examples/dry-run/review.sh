#!/usr/bin/env bash
# Usage: review.sh DOCUMENTS [PLAN.json]
# Prints what applying the documents would do, as Markdown, and changes nothing. Where the host is
# and which partition is meant is said by UNNEST_HOST and UNNEST_PARTITION.
set -uo pipefail

documents=${1:?usage: review.sh DOCUMENTS [PLAN.json]}
json=${2:-/dev/null}

if ! problems=$(unnest validate -f "$documents" 2>&1); then
  printf 'The documents are not valid.\n\n```text\n%s\n```\n' "$problems"
  exit 1
fi

plan=$(unnest plan -f "$documents" --detailed-exitcode 2>&1)
code=$?
unnest plan -f "$documents" -o json >"$json" 2>/dev/null

case $code in
0) printf 'Nothing would change.\n' && exit 0 ;;
2) printf 'This would change:\n' && answer=0 ;;
3) printf 'Some of it is blocked:\n' && answer=1 ;;
*) printf 'The host could not be asked (exit code %d, see `unnest explain %d`):\n' "$code" "$code" && answer=1 ;;
esac
printf '\n```text\n%s\n```\n' "$plan"
exit "$answer"
