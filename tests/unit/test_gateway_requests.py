"""What of an HTTP request becomes a record for admission, and where reading stops."""

from collections.abc import AsyncIterator, Iterable

import pytest

from producers.event_requests import MOST_BODY, check_media_type, submission, wait_preferred
from schemas.admission import MOST_DATA
from schemas.attributes import JSON, STRUCTURED
from schemas.problems import Kind, ProblemError


class Body:
    """A body that counts how much of it was read."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        """Take the chunks."""
        self.chunks = chunks
        self.read = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            self.read += 1
            yield chunk


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("application/cloudevents+json", STRUCTURED),
        ("Application/CloudEvents+JSON; charset=UTF-8", STRUCTURED),
        ("application/json", JSON),
    ],
)
def test_two_media_types_are_taken(content_type: str, kind: str) -> None:
    assert check_media_type(content_type) == kind


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/cloudevents-batch+json", "application/json; charset=latin-1", "a;b;c", "ø"],
)
def test_others_are_not(content_type: str | None) -> None:
    with pytest.raises(ProblemError) as refused:
        check_media_type(content_type)
    assert refused.value.problem.kind is Kind.UNSUPPORTED_MEDIA_TYPE


async def test_binary_mode_takes_ce_headers_decoded_and_nothing_else() -> None:
    raw = [
        (b"Content-Type", b"application/json"),
        (b"Authorization", b"Bearer x"),
        (b"ce-id", b"1"),
        (b"CE-Source", b"urn%3Asamspil"),
        (b"ce-id", b"2"),
        (b"traceparent", b"00-x"),
        (b"ce-\xf8", b"\xf8"),
    ]
    said = await submission(raw, JSON, aiter(Body([b"{", b"}"])))
    assert said.value == b"{}"
    assert said.headers == (
        ("content-type", b"application/json"),
        ("ce_id", b"1"),
        ("ce_source", b"urn:samspil"),
        ("ce_id", b"2"),
        ("ce_ø", b"\xf8"),
    )


async def test_structured_mode_takes_no_header() -> None:
    raw = [(b"content-type", STRUCTURED.encode()), (b"ce-id", b"1")]
    said = await submission(raw, STRUCTURED, aiter(Body([b"{}"])))
    assert said.headers == (("content-type", STRUCTURED.encode()),)


async def test_a_declared_length_beyond_the_bound_is_not_read() -> None:
    body = Body([b"x"] * 10)
    length = (b"content-length", str(MOST_BODY + 1).encode())
    assert (await submission([length], STRUCTURED, aiter(body))).value is None
    assert body.read == 0


async def test_reading_stops_at_the_bound_whatever_was_declared() -> None:
    body = Body([b"x" * 1024] * 10_000)
    assert (await submission([], STRUCTURED, aiter(body))).value is None
    assert body.read <= MOST_BODY // 1024 + 1


async def test_binary_data_too_long_stays_too_long_for_admission() -> None:
    said = await submission([(b"ce-id", b"1")], JSON, aiter(Body([b"x" * (MOST_DATA + 1)])))
    assert said.value is not None
    assert len(said.value) == MOST_DATA + 1
    exact = await submission([], JSON, aiter(Body([b"x" * MOST_DATA])))
    assert exact.value == b"x" * MOST_DATA


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("wait=5", 5),
        ("WAIT=5", 5),
        ('respond-async, wait="7"', 7),
        ("wait = 3; x=y, handling=strict", 3),
        ("wait=9999", 30),
        ("wait=99999", 30),
        ("wait=" + "9" * 5_000, 30),
        ("wait=5, wait=7", 5),
        ("wait=no, wait=7", None),
        ('wait="7";x="a, b"', 7),
        ('a="x, wait=5"', None),
        ('a="x, wait=5", wait=6', 6),
        (r'a="x\", wait=5"', None),
        ('a="x, wait=5', None),
        ('a="x, wait=5\\', None),
        ("respond-async; wait=5", None),
        ("waiting=5", None),
        ("wait;x=5", None),
        ("wait=0", 0),
        ("wait", None),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("nowait=5", None),
        ("", None),
    ],
)
def test_the_preferred_wait(prefer: str, seconds: float | None) -> None:
    assert wait_preferred([prefer], 30) == seconds


def test_the_preferred_wait_of_several_header_lines() -> None:
    assert wait_preferred([], 30) is None
    assert wait_preferred(["respond-async", "handling=lenient, wait=5", "wait=7"], 30) == 5
    assert wait_preferred(['a="never closed', "wait=5"], 30) == 5
