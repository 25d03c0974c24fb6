"""The process that outlives a killed supervisor by a moment, to stop its children.

It reads "+ PID SIGNAL" and "- PID 0" on standard input. When that ends, the supervisor is gone: whatever is
still named gets its signal, some seconds, and then SIGKILL. It imports nothing of samspil, to start at once
and to need nothing.
"""

import os
import signal
import sys
import time

PATIENCE_SECONDS = 10


def watch() -> dict[int, int]:
    """The children still there when the supervisor's end of the pipe closed."""
    children: dict[int, int] = {}
    for line in sys.stdin:
        what, pid, number = line.split()
        if what == "+":
            children[int(pid)] = int(number)
        else:
            children.pop(int(pid), None)
    return children


def send(pid: int, number: int) -> bool:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a Ctrl-C is the supervisor's to answer
    children = watch()
    waiting = [pid for pid, number in children.items() if send(pid, number)]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while waiting and time.monotonic() < deadline:
        time.sleep(0.1)
        waiting = [pid for pid in waiting if send(pid, 0)]
    for pid in waiting:
        send(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
