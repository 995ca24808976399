#!/usr/bin/env bash
# Makes .cache/guest-full/full.img: the disk of the fuller guest, with the Node.js that runs this, the
# libraries that it needs, and unnest as it is built in this checkout. Nothing is mounted. A guest of
# the kit that has it with the serial number `full`, and is told `unnest.do=full`, runs them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

readonly KIT=.cache/guest-full
node=$(node -p process.execPath)
digest=$(cat "$node" .cache/build.digest package-lock.json "${BASH_SOURCE[0]}" | sha256sum)
[[ "$(cat "$KIT/digest" 2>/dev/null)" != "$digest" ]] || exit 0

printf 'setup: building the disk of the fuller guest in %s\n' "$KIT" >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root unnest=$work/root/usr/lib/unnest
mkdir -p "$root"/{bin,proc,dev,tmp} "$unnest/node_modules" "$work/kit"
cp "$node" "$root/bin/node"
# Each library where the program looks for it, and the loader.
ldd "$node" | grep -o '/[^ ]*' | while read -r library; do
  cp -L --parents "$library" "$root"
done
cp -r dist package.json "$unnest/"
cp -r node_modules/koffi node_modules/@koromix "$unnest/node_modules/"
mke2fs -q -t ext4 -O ^has_journal -d "$root" "$work/kit/full.img" 320M >/dev/null
printf '%s\n' "$digest" >"$work/kit/digest"
rm -rf "$KIT"
cp -r --sparse=always "$work/kit" "$KIT"
