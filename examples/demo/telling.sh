# How the demo tells its story: chapters, and commands with what they print. To be sourced.
if [[ -t 1 && -z ${NO_COLOR-} ]]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
chapter() { printf '\n%s== %s%s\n' "$bold" "$1" "$plain"; }
shown() { printf '\n%s$%s %s\n' "$dim" "$plain" "$*"; "$@"; }
# A whole command line, pipes and all.
told() { printf '\n%s$%s %s\n' "$dim" "$plain" "$1"; eval "$1"; }
unnest() { node "$root/dist/bin/unnest.js" "$@"; }
