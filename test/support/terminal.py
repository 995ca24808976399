#!/usr/bin/env python3
"""Runs a command on a terminal of its own (a pty), and acts as the person at it.

    terminal.py STEP... -- COMMAND [ARGUMENT...]

Each STEP is `wait:TEXT` (until the command has written it), `type:TEXT` (C escapes hold, such as \\r and
\\x1d), `signal:NAME`, `is:raw` or `is:cooked` (until the terminal is like that), or `sleep:SECONDS`. At the
end it waits for the command and prints one line of JSON: its exit code, all that it wrote, whether the
terminal's settings are those of before.
"""
import json, os, pty, select, signal, sys, termios, time

# Seconds for each step.
patience = 100

def main():
    at = sys.argv.index('--')
    steps, command = sys.argv[1:at], sys.argv[at + 1:]
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    child = os.fork()
    if child == 0:
        os.setsid()
        import fcntl
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(slave, fd)
        os.execvp(command[0], command)
    said = b''
    def read(seconds):
        nonlocal said
        if not select.select([master], [], [], seconds)[0]:
            return
        try:
            said += os.read(master, 65536)
        except OSError:
            pass
    def is_raw():
        return termios.tcgetattr(slave)[3] & (termios.ICANON | termios.ECHO | termios.ISIG) == 0
    def fail(step):
        os.kill(child, signal.SIGKILL)
        print(json.dumps({'failed': step, 'said': said.decode('latin-1')}))
        sys.exit(1)
    heard = 0
    for step in steps:
        kind, _, value = step.partition(':')
        value = value.encode().decode('unicode_escape')
        if kind == 'wait':
            end = time.monotonic() + patience
            while value.encode('latin-1') not in said[heard:]:
                if time.monotonic() > end:
                    fail(step)
                read(0.1)
            heard = said.index(value.encode('latin-1'), heard) + len(value)
        elif kind == 'type':
            os.write(master, value.encode('latin-1'))
        elif kind == 'signal':
            os.kill(child, getattr(signal, value))
        elif kind == 'sleep':
            time.sleep(float(value))
        elif kind == 'is':
            end = time.monotonic() + patience
            while is_raw() != (value == 'raw'):
                if time.monotonic() > end:
                    fail(step)
                read(0.1)
    end = time.monotonic() + patience
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() > end:
            fail('end')
        read(0.05)
    read(0)
    print(json.dumps({
        'code': os.waitstatus_to_exitcode(status),
        'said': said.decode('latin-1'),
        'restored': termios.tcgetattr(slave) == before,
    }))

main()
