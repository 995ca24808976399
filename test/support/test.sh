#!/usr/bin/env bash
# `npm test [-- PATH...]`: everything a fresh machine needs, then all tests, inside the rig.
# Arguments are vitest's; `--project integration` narrows to that project.
#
# Without root there is no rig: the unit tests run, and the result is still a failure, because
# what was not tried did not pass.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

vitest=(node node_modules/vitest/vitest.mjs run --config test/vitest.config.ts)

if [[ $EUID -eq 0 ]]; then
  test/support/setup.sh
  exec test/support/rig.sh "${vitest[@]}" "$@"
fi

test/support/setup.sh node
status=0
"${vitest[@]}" --project unit --passWithNoTests "$@" || status=$?
printf '\ntest: the integration tests were NOT run: they need root (a private libvirtd in namespaces).\n' >&2
printf 'test: run them with: sudo npm test\n' >&2
exit "$((status == 0 ? 1 : status))"
