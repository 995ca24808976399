#!/usr/bin/env bash
# Starts, stops or restarts the libvirtd of the rig that this is called in. Guests live on
# without it, as they do on a real host. `kill` is a stop without any farewell.
#
#   test/support/rig-libvirtd.sh start|stop|kill|restart
set -euo pipefail

readonly SOCKET=/run/libvirt/libvirt-sock
say() { printf 'rig: %s\n' "$*" >&2; }
[[ ${UNNEST_RIG-} == 1 ]] || { say 'only inside rig.sh'; exit 1; }

# libvirtd takes its file away when it ends, at any moment, and bash ends at a $(<FILE) without one.
pid() { cat "$RIG_LIBVIRTD_PID" 2>/dev/null; }
running() {
  local pid
  pid=$(pid) && [[ -n $pid ]] && kill -0 "$pid" 2>/dev/null
}

# Waits until COMMAND succeeds, for at most so many tenths of a second.
wait_until() {
  local tenths=$1
  shift
  while ! "$@"; do
    ((tenths-- > 0)) || return 1
    sleep 0.1
  done
}
answers() { gone || virsh --connect qemu:///system uri >/dev/null 2>&1; }
gone() { ! running; }

start() {
  ! running || return 0
  if ! libvirtd --daemon --pid-file "$RIG_LIBVIRTD_PID" --config /etc/libvirt/libvirtd.conf ||
    ! wait_until 300 answers || gone; then
    say "libvirtd did not come up; the end of $RIG_LIBVIRTD_LOG:"
    tail -n 40 "$RIG_LIBVIRTD_LOG" >&2
    return 1
  fi
}

# end SIGNAL: sends it and waits for the process to be gone.
end() {
  running || return 0
  local pid
  pid=$(pid) && kill "-$1" "$pid" 2>/dev/null || true
  wait_until 300 gone || { say "libvirtd did not react to SIG$1"; return 1; }
  rm -f "$SOCKET" "$RIG_LIBVIRTD_PID"
}

case ${1-} in
  start) start ;;
  stop) end TERM ;;
  kill) end KILL ;;
  restart) end TERM && start ;;
  *) say 'usage: rig-libvirtd.sh start|stop|kill|restart'; exit 2 ;;
esac
