#!/usr/bin/env bash
# `npm test [-- PATH...]`: everything a fresh machine needs, then all tests, inside the rig.
# Arguments are vitest's; `--project integration` narrows to that project.
#
# All of them run in two rigs side by side, which know nothing of each other: most integration tests
# wait for guests, one after the other in each rig. What both have found is reported as one.
#
# Without root there is no rig: the unit tests run, and the result is still a failure, because
# what was not tried did not pass.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly BLOBS=.cache/test-blobs
vitest=(node node_modules/vitest/vitest.mjs run --config test/vitest.config.ts)

# Whether nothing but reporters was asked for.
is_whole() {
  local argument
  for argument in "$@"; do
    [[ $argument == --reporter=* || $argument == --outputFile* ]] || return 1
  done
}

in_two_rigs() {
  rm -rf "$BLOBS"
  mkdir -p "$BLOBS"
  local half pids=() pid status=0
  for half in 1 2; do
    test/support/rig.sh "${vitest[@]}" --shard="$half/2" --reporter=blob \
      --outputFile="$BLOBS/$half.json" >"$BLOBS/../test-$half.log" 2>&1 &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || true; done
  for half in 1 2; do
    [[ -s $BLOBS/$half.json ]] && continue
    printf 'test: half %d of the tests did not come to its end:\n' "$half" >&2
    tail -n 100 "$BLOBS/../test-$half.log" >&2
    status=1
  done
  "${vitest[@]}" --merge-reports="$BLOBS" "$@" || status=$?
  return "$status"
}

if [[ $EUID -eq 0 ]]; then
  test/support/setup.sh
  is_whole "$@" || exec test/support/rig.sh "${vitest[@]}" "$@"
  in_two_rigs "$@"
  exit
fi

test/support/setup.sh node
status=0
"${vitest[@]}" --project unit --passWithNoTests "$@" || status=$?
printf '\ntest: the integration tests were NOT run: they need root (a private libvirtd in namespaces).\n' >&2
printf 'test: run them with: sudo npm test\n' >&2
exit "$((status == 0 ? 1 : status))"
