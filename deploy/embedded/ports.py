"""Ports on the loopback interface.

The embedded default takes free ports and keeps them in its state file, so that an address that a person has
bookmarked stays the same after a restart. A port that somebody set is never exchanged for another one.
"""

import socket
from collections.abc import Iterable, Mapping

from schemas.errors import MisconfiguredError

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers themselves do: a port whose last connections linger in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose(names: Iterable[str], kept: Mapping[str, int]) -> dict[str, int]:
    """A port for each name: the kept one while it is free, else a new free one; all different."""
    with_sockets = [(name, _claim(kept.get(name, 0))) for name in names]
    try:
        return {name: int(claimed.getsockname()[1]) for name, claimed in with_sockets}
    finally:
        # Held open until all are chosen, so that no two names get the same one.
        for _, claimed in with_sockets:
            claimed.close()


def _claim(wanted: int) -> socket.socket:
    claimed = socket.socket()
    claimed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        claimed.bind((HOST, wanted))
    except OSError:
        claimed.bind((HOST, 0))
    return claimed


def require_free(port: int, setting: str) -> None:
    if not is_free(port):
        raise MisconfiguredError(
            f"port {port} is taken: stop the program that has it, or set {setting} to another port."
        )
