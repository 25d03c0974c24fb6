"""Logs: events of the catalogue, fields of the allow-list, and never a value."""

import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
import structlog

from deploy import logs
from schemas.log_events import FIELDS, LogEvent

CPR = "251248-9996"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What a configured process writes; the configuration before is put back."""
    before = structlog.get_config()
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    reading, writing = os.pipe()
    out = logs.configure("web", writing, for_ever=False)
    os.set_blocking(reading, False)
    try:
        yield lambda: [orjson.loads(line) for line in os.read(reading, 65_536).splitlines()]
    finally:
        logging.captureWarnings(capture=False)
        root.handlers, root.level = handlers, level
        structlog.configure(**before)
        out.close()
        os.close(reading)
        os.close(writing)


def test_an_event_of_the_catalogue_with_its_fields(lines: Lines) -> None:
    structlog.get_logger().info(LogEvent.INBOX_TRUNCATED, topic="samspil.inbox.ku.v1", offset=7)
    (line,) = lines()
    assert (line["event"], line["service"], line["level"]) == ("inbox_truncated", "web", "info")
    assert (line["topic"], line["offset"]) == ("samspil.inbox.ku.v1", 7)


def test_fields_that_are_not_listed_and_texts_that_are_no_event_are_dropped(lines: Lines) -> None:
    log = structlog.get_logger()
    log.info(LogEvent.SERVICE_STARTED, value=CPR, data={"cpr": CPR}, key=CPR)
    log.warning(CPR)
    log.error(LogEvent.STEP_FAILED, error=ValueError(CPR), name=[CPR])
    log.info(LogEvent.SERVICE_STARTED, stack_info=CPR, exc_info=ValueError(CPR))
    text = orjson.dumps(lines()).decode()
    assert CPR not in text
    assert '"error":"ValueError"' in text
    assert "client_message" in text


def test_libraries_say_that_they_said_something(lines: Lines) -> None:
    logging.getLogger("library.consumer").warning("key %s", CPR)
    logging.getLogger("uvicorn.error").error("request %s", CPR, exc_info=ValueError(CPR))
    logging.getLogger("asyncpg").info("value %s", CPR)
    logging.getLogger("py.warnings").warning("%s", CPR)
    found = lines()
    assert [(line["event"], line["logger"], line["level"]) for line in found] == [
        ("client_message", "library.consumer", "warning"),
        ("client_message", "uvicorn.error", "error"),
        ("client_message", "py.warnings", "warning"),
    ]
    assert CPR not in str(found)


def test_every_name_is_its_own_word() -> None:
    assert all(event.value == event.name.lower() for event in LogEvent)
    assert {"data", "value", "key", "subject", "id", "text"}.isdisjoint(FIELDS)


def test_a_library_that_repeats_itself_is_heard_once_a_second(lines: Lines) -> None:
    for _ in range(100):
        logging.getLogger("library").warning("the broker is away")
    logging.getLogger("library").error("and now it is worse")
    assert [line["level"] for line in lines()] == ["warning", "error"]
