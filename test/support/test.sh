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

readonly BLOBS=.cache/test-blobs PARTS=12
vitest=(node node_modules/vitest/vitest.mjs run --config test/vitest.config.ts)

# Whether nothing but reporters was asked for.
is_whole() {
  local argument
  for argument in "$@"; do
    [[ $argument == --reporter=* || $argument == --outputFile* ]] || return 1
  done
}

# More parts than rigs, or one rig would have nothing to do while the other has it all.
in_two_rigs() {
  rm -rf "$BLOBS"
  mkdir -p "$BLOBS"
  local part status=0
  # shellcheck disable=SC2016 -- for the shell that xargs starts
  seq "$PARTS" | xargs -P2 -I{} bash -c \
    'test/support/rig.sh "${@:3}" --shard="$1/$2" --reporter=blob \
       --outputFile="'"$BLOBS"'/$1.json" >".cache/test-$1.log" 2>&1 || true' \
    part {} "$PARTS" "${vitest[@]}"
  for ((part = 1; part <= PARTS; part += 1)); do
    [[ -s $BLOBS/$part.json ]] && continue
    printf 'test: part %d of the tests did not come to its end:\n' "$part" >&2
    tail -n 100 ".cache/test-$part.log" >&2
    status=1
  done
  "${vitest[@]}" --merge-reports="$BLOBS" "$@" || status=$?
  return "$status"
}

if [[ $EUID -eq 0 ]]; then
  test/support/setup.sh node host guest full
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
