#!/usr/bin/env bash
# `npm run lab` and `npm run test:lab`: sets up what is missing, then goes on in TypeScript.
#
#   test/lab/lab.sh tell [ARGUMENT...]                         see main.ts
#   test/lab/lab.sh test [--only NAME] [--full] [--break NAME] [VITEST'S ARGUMENT...]
#
# --break sabotages that scenario, which then must fail: it shows that it can.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

say() { printf 'lab: %s\n' "$*" >&2; }
[[ $EUID -eq 0 ]] || { say 'must be run as root: it unpacks the files of a host'; exit 1; }
form=$1
shift

test/support/setup.sh node host lab guest
mkdir -p .cache
exec 9>.cache/lab.lock
case ${1-} in
  shell | primary | down) ;;
  *) flock --nonblock 9 || { say 'waiting for another lab of this checkout'; flock 9; } ;;
esac

case $form in
  tell) exec node --import tsx test/lab/main.ts "$@" ;;
  test) ;;
esac
rest=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --only) export UNNEST_LAB_ONLY=$2; shift ;;
    --break) export UNNEST_LAB_BREAK=$2; shift ;;
    --full) export UNNEST_LAB_SET=full ;;
    *) rest+=("$1") ;;
  esac
  shift
done
exec node node_modules/vitest/vitest.mjs run --config test/lab/vitest.config.ts ${rest[@]+"${rest[@]}"}
