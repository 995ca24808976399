#!/usr/bin/env bash
# Makes .cache/guest-full/full.img: a file system with Node.js and this package, for guests that
# are to run unnest itself. It is a disk of its own, beside the thin kit, since only few guests
# want it: attach it with the serial `full` and say unnest.do=full (see init). Nothing is mounted
# to make it. It stays until what is in it changes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

readonly SOURCE=test/support/guest KIT=.cache/guest-full
# koffi is the one dependency that the bundles in dist/ leave out.
readonly PACKAGE=(dist schemas package.json node_modules/koffi node_modules/@koromix)

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

[[ -e dist/bin/unnest.js ]] || fail 'dist/ is missing: run test/support/setup.sh node'
node=$(node -p process.execPath)
mapfile -t libraries < <(test/support/libraries.sh "$node")

digest=$(
  {
    printf '%s\0' "$SOURCE/full.sh" package-lock.json "$node" "${libraries[@]}"
    find dist schemas package.json -type f -print0 | sort -z
  } | xargs -0 sha256sum | sha256sum
)
[[ "$(cat "$KIT/digest" 2>/dev/null)" != "$digest" ]] || exit 0

say 'building the disk of the fuller guest in .cache/guest-full'
# Not in /tmp, which may be memory.
work=$(mktemp -d .cache/guest-full.XXXXXX)
trap 'rm -rf "$work"' EXIT

root=$work/root
mkdir -p "$root"/{dev,proc,sys,tmp,run} "$root/usr/lib/unnest" "$work/kit"
install -D -m 0755 "$node" "$root/usr/bin/node"
for library in "${libraries[@]}"; do install -D -m 0755 "$library" "$root$library"; done
cp -r --parents "${PACKAGE[@]}" "$root/usr/lib/unnest/"

# It is only ever mounted read-only: no journal, and little room.
mebibytes=$(du -sm --apparent-size "$root" | cut -f 1)
truncate -s "$((mebibytes * 5 / 4 + 16))M" "$work/kit/full.img"
mke2fs -q -t ext4 -L unnest-full -m 0 -O ^has_journal -E root_owner=0:0 -d "$root" "$work/kit/full.img"
printf '%s\n' "$digest" >"$work/kit/digest"
chmod -R a+rX "$work/kit"
rm -rf "$KIT"
mv "$work/kit" "$KIT"
