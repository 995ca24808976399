#!/usr/bin/env bash
# Packs unnest with all it depends on into one file, and prints its path:
#
#   test/lab/image/pack.sh            what is in this checkout
#   test/lab/image/pack.sh COMMIT     what was at a commit of its history
#
# `npm install --global FILE` needs no network then. Kept by what it was made of. What its programs
# have in them already is not beside them a second time: six thousand files take an emulated host minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

readonly CACHE=.cache/lab COMMIT=${1-}
say() { printf 'lab: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm_quietly() { npm --silent --no-audit --no-fund --ignore-scripts "$@"; }

# tree FOLDER: what is to be packed, built.
tree() {
  if [[ -z $COMMIT ]]; then
    cp -r package.json package-lock.json README.md LICENSE schemas examples dist "$1"
    return
  fi
  git archive "$COMMIT" | tar -x -C "$1"
  say "building $COMMIT"
  (cd "$1" && npm_quietly ci && npm run --silent build && rm -rf node_modules) >&2
}

if [[ -z $COMMIT ]]; then
  test/support/setup.sh node
  key=$({ cat .cache/build.digest package-lock.json test/lab/image/pack.sh; git ls-files -s schemas examples README.md; } | sha256sum | cut -c -16)
else
  git rev-parse --quiet --verify "$COMMIT^{commit}" >/dev/null ||
    fail "$COMMIT is not in this clone's history: git fetch --unshallow brings it"
  key=$(git rev-parse --short=16 "$COMMIT")
fi
file=$CACHE/packages/unnest-$key.tgz
if [[ ! -e $file ]]; then
  mkdir -p "$CACHE/packages" "$work/tree"
  tree "$work/tree"
  cd "$work/tree"
  npm_quietly ci --omit=dev --prefer-offline >&2
  [[ -n $COMMIT ]] || npm pkg delete dependencies
  # `true` would leave out the optional ones.
  npm pkg set --json "bundleDependencies=$(node -p '
    const { dependencies, optionalDependencies } = JSON.parse(fs.readFileSync("package.json", "utf8"));
    JSON.stringify(Object.keys({ ...dependencies, ...optionalDependencies }))')"
  npm_quietly pack --pack-destination "$work" >/dev/null
  cd - >/dev/null
  mv "$work"/unnest-*.tgz "$file"
fi
printf '%s\n' "$file"
