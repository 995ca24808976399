#!/usr/bin/env bash
# Prints the shared libraries of PROGRAM, and its loader, each where the program looks for it.
set -euo pipefail
ldd "$1" | awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^\//) { print $i; next } }'
