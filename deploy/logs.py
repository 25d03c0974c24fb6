"""Logs as events: only names of the catalogue, only fields of the allow-list, one JSON object a line.

Whatever else is handed to a logger is dropped here, last, so that no value of an event can get into a log
by mistake. What libraries say through the standard library becomes "a library said something", with the
logger's name and the level alone: their messages carry keys and values.
"""

import logging
import os
from collections.abc import MutableMapping
from typing import Any, BinaryIO

import orjson
import structlog

from schemas.log_events import FIELDS, LogEvent

_QUIET_SECONDS = 1.0
_STRUCTURAL = frozenset({"event", "level", "timestamp"})
_NAMES = frozenset(LogEvent)
Entry = MutableMapping[str, Any]


def configure(service: str, descriptor: int = 2, level: int = logging.INFO, *, for_ever: bool = True) -> BinaryIO:
    """Make this process log as a service, to a file descriptor (Faust redirects what is printed).

    Returns the open file: the process keeps it for as long as it lives. A test closes it, and so says that it
    is not `for_ever`: then no logger remembers it.
    """
    # Its own copy of the descriptor, so that closing standard error elsewhere does not end the log.
    out = os.fdopen(os.dup(descriptor), "wb", buffering=0)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _of_service(service),
            allow,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(out),
        cache_logger_on_first_use=for_ever,
    )
    root = logging.getLogger()
    root.handlers = [Libraries()]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    return out


def _of_service(service: str) -> structlog.typing.Processor:
    def add(_logger: object, _method: str, entry: Entry) -> Entry:
        return {"service": service, **entry}

    return add


def allow(_logger: object, _method: str, entry: Entry) -> Entry:
    """Keep what may be logged; an event outside the catalogue loses its name, an exception all but its class."""
    event = entry.get("event")
    kept = {name: _plain(entry[name]) for name in entry if name in FIELDS or name in _STRUCTURAL}
    return kept if event in _NAMES else {**kept, "event": LogEvent.CLIENT_MESSAGE.value}


def _plain(value: object) -> str | int | float | bool | None:
    if isinstance(value, BaseException):
        return type(value).__name__
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return type(value).__name__


def render(_logger: object, _method: str, entry: Entry) -> bytes:
    """Return the line."""
    return orjson.dumps(dict(entry))


class Libraries(logging.Handler):
    """What the standard library's loggers hear, without the message.

    Each logger is heard once a second: a client without its broker says the same a hundred times.
    """

    def __init__(self) -> None:
        super().__init__()
        self._heard: dict[tuple[str, int], float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Say that a library said something."""
        who = (record.name, record.levelno)
        if record.created < self._heard.get(who, 0.0) + _QUIET_SECONDS:
            return
        self._heard[who] = record.created
        log = structlog.get_logger()
        say = {logging.CRITICAL: log.critical, logging.ERROR: log.error}.get(record.levelno, log.warning)
        say(LogEvent.CLIENT_MESSAGE, logger=record.name)
