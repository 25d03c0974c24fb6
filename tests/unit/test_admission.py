import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.admission import MOST_DATA, admit, unseal
from schemas.attributes import ATTRIBUTES
from schemas.canonical import canonical
from schemas.contract_files import load
from schemas.envelope import Admitted, Event, Seal, attributes, binary, sealed_headers
from schemas.errors import MalformedError
from schemas.records import Headers, Inbound
from schemas.verdicts import Refusal
from tests.contracts import IN_FORCE

CONTRACT = load(IN_FORCE)
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CASE, OTHER = "41bf18fc-565e-4426-8cff-222e1cda8c0f", "1561cff2-a7de-41b9-a231-0bfc562efcad"
REF = f"vault:{OTHER}"
CONCERN: Mapping[str, Any] = {
    "source_type": "school",
    "age_band": "15_17",
    "observed_on": "2026-03-02",
    "tier_1_signs": 0,
    "tier_2_signs": 2,
    "protective_factors": 1,
    "signs": REF,
    "person": REF,
}
TWO = canonical(CONCERN)  # the only 2 after a colon is that of tier_2_signs
MEETING = {"meeting": OTHER, "starts_at": "2026-03-07T01:00:00Z", "forum": "ssp", "invited": ["sof", "buf"]}
STRUCTURED: Headers = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
CPR = ["251248-9996", "2512489996", "150981-9996", "291182-9996", "021122-3989"]


def envelope(**changes: str | None) -> dict[str, str]:
    """Return the attributes of a concern that buf raises, with changes (None: left out)."""
    written = {
        "specversion": "1.0",
        "id": OTHER,
        "source": "urn:samspil:party:buf",
        "type": "dk.samspil.concern-raised.v1",
        "subject": CASE,
        "time": "2026-03-02T11:00:00Z",
        "datacontenttype": "application/json",
        **changes,
    }
    return {name: text for name, text in written.items() if text is not None}


def judged(said: Mapping[str, str], data: object, party: str = "buf") -> Event | Refusal:
    """Admit it in both modes, which must not differ."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    whole = b'%s, "data": %s}' % (json.dumps(said).encode()[:-1], raw)
    in_binary = admit(CONTRACT, party, binary(said), raw, NOW)
    assert admit(CONTRACT, party, STRUCTURED, whole, NOW) == in_binary
    return in_binary


def refused(said: Mapping[str, str], data: object = CONCERN, party: str = "buf") -> tuple[str, tuple[str, ...]]:
    refusal = judged(said, data, party)
    assert isinstance(refusal, Refusal)
    return refusal.reason, refusal.paths


def test_what_is_right_is_admitted_as_it_was_said() -> None:
    trace = {
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "correlationid": CASE,
        "causationid": OTHER,
    }
    event = judged(envelope(**trace, dataschema="https://samspil.dk/concern-raised"), {**CONCERN, "notifier": None})
    assert isinstance(event, Event)
    assert (event.id, event.party, event.type, event.case) == (OTHER, "buf", "concern-raised", CASE)
    assert event.time == "2026-03-02T11:00:00Z"
    assert event.fields == CONCERN
    assert event.trace == trace


def test_other_headers_are_dropped() -> None:
    headers = (*binary(envelope()), ("Faust-Ag-ReplyTo", b"evil"), ("content-length", b"\xff"))
    event = admit(CONTRACT, "buf", headers, canonical(CONCERN), NOW)
    assert isinstance(event, Event)
    assert attributes(event) == envelope()


def without(name: str) -> dict[str, str | None]:
    return {name: None}


BAD_ENVELOPES: list[tuple[dict[str, str | None], list[str]]] = [
    *((without(name), ["/" + name]) for name in envelope()),
    *((without(name) | {name: ""}, ["/" + name]) for name in ATTRIBUTES),
    ({"specversion": "0.3"}, ["/specversion"]),
    ({"id": OTHER.upper()}, ["/id"]),
    ({"id": OTHER.replace("-", "")}, ["/id"]),
    ({"subject": "2512489996"}, ["/subject"]),
    ({"subject": "6fa459ea-ee8a-3ca4-894e-db77e160355e"}, ["/subject"]),  # a UUID, but no random one
    ({"source": "urn samspil"}, ["/source"]),
    ({"type": "a\nb"}, ["/type"]),
    ({"time": "2026-03-02T11:00:00"}, ["/time"]),
    ({"time": "2026-03-02T11:00:00z"}, ["/time"]),
    ({"time": "0001-01-01T00:00:00+23:59"}, ["/time"]),
    ({"datacontenttype": "text/plain"}, ["/datacontenttype"]),
    ({"datacontenttype": "application/json; charset=latin1"}, ["/datacontenttype"]),
    ({"datacontenttype": "application/cloudevents-batch+json"}, ["/datacontenttype"]),
    ({"traceparent": "00-" + "0" * 32 + "-00f067aa0ba902b7-01"}, ["/traceparent"]),
    ({"correlationid": "251248-9996"}, ["/correlationid"]),
    ({"causationid": "1"}, ["/causationid"]),
    ({"partitionkey": "x"}, [""]),
    ({"recordedtime": "2026-03-02T11:00:00Z"}, [""]),  # the bus alone says it
    ({"id": "1", "time": "now", "person": "x"}, ["", "/id", "/time"]),
]


@pytest.mark.parametrize(("changes", "paths"), BAD_ENVELOPES)
def test_a_bad_envelope_is_the_first_reason(changes: dict[str, str | None], paths: list[str]) -> None:
    reason, told = refused(envelope(**changes), {}, party="pet")
    assert (reason, list(told)) == ("bad_envelope", paths)


def test_a_subject_where_there_is_no_case_is_superfluous() -> None:
    activity = envelope(type="dk.samspil.prevention-activity-held.v1")
    assert refused(activity) == ("bad_envelope", ("/subject",))
    assert refused(envelope(type="dk.samspil.unheard-of.v1", subject=None)) == ("unknown_type", ("/type",))


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (*binary(envelope()), ("ce_id", CASE.encode())),
        (*binary(envelope()), ("content-type", b"application/json")),
        (*binary(envelope(subject=None)), ("ce_subject", b"\xff")),
        (*binary(envelope(time=None)), ("ce_Time", b"2026-03-02T11:00:00Z")),
        (*binary(envelope()), ("ce_datacontenttype", b"application/json")),
        (*binary(envelope()), ("ce_data", b"x")),
        (*binary(envelope()), ("ce_", b"x")),
        (("content-type", b"application/cloudevents-batch+json"),),
        (("content-type", b"application/cloudevents+avro"),),
        (("content-type", b"\xff"),),
    ],
)
def test_bad_headers_are_a_bad_envelope(headers: Headers) -> None:
    refusal = admit(CONTRACT, "buf", headers, canonical(CONCERN), NOW)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "bad_envelope"


def test_a_null_header_is_a_bad_envelope() -> None:
    null: Any = None  # Kafka permits it, whatever the type says
    refusal = admit(CONTRACT, "buf", (*binary(envelope(id=None)), ("ce_id", null)), canonical(CONCERN), NOW)
    assert refusal == Refusal(None, "bad_envelope", ("/id",))


WHOLE = json.dumps({**envelope(), "data": CONCERN})


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        (b"", [""]),
        (b"null", [""]),
        (b"[" + WHOLE.encode() + b"]", [""]),
        (WHOLE.encode()[:-1], [""]),
        (WHOLE.encode() + b"x", [""]),
        (WHOLE.encode()[:-1] + b",}", [""]),
        (WHOLE.encode("utf-16"), [""]),
        (b"\xef\xbb\xbf" + WHOLE.encode(), [""]),
        (WHOLE.replace("school", "\udcff").encode(errors="surrogateescape"), [""]),
        (WHOLE.replace('"school"', "[" * 100_000).encode(), [""]),
        (WHOLE.replace('"1.0"', '"1.0", "data_base64": "e30="').encode(), [""]),
        (WHOLE.replace('"1.0"', '"1.0", "251248-9996": "x"').encode(), [""]),
        (WHOLE.replace('"1.0"', '"1.0", "data": {}').encode(), ["/data"]),
        (WHOLE.replace('"1.0"', '"1.0", "id": "x"').encode(), ["/id"]),
        (WHOLE.replace('"1.0"', "1.0").encode(), ["/specversion"]),
        (WHOLE.replace('"1.0"', "null").encode(), ["/specversion"]),
        (WHOLE.replace("concern-raised", "\\ud800").encode(), ["/type"]),
        (WHOLE.replace("concern-raised", "\\u0000").encode(), ["/type"]),
    ],
)
def test_a_structured_event_that_cannot_be_read_is_a_bad_envelope(value: bytes, paths: list[str]) -> None:
    refusal = admit(CONTRACT, "buf", STRUCTURED, value, NOW)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, list(refusal.paths)) == ("bad_envelope", paths)
    assert refusal.id == (OTHER if paths not in (["/id"], [""]) or b"base64" in value or b"9996" in value else None)


def test_the_reasons_come_in_the_catalogues_order() -> None:
    large = b'"' + b"x" * MOST_DATA + b'"'
    foreign, ahead = "urn:samspil:party:sof", "2026-03-02T12:05:00.000001Z"
    said = envelope(source=foreign, time=ahead, type="dk.samspil.what.v1", specversion="2")
    steps: list[tuple[str, dict[str, str], bytes | dict[str, Any]]] = [
        ("bad_envelope", {}, large),
        ("too_large", {"specversion": "1.0"}, large),
        ("not_your_source", {}, b"{}"),
        ("clock_ahead", {"source": "urn:samspil:party:buf"}, b"{}"),
        ("unknown_type", {"time": "2026-03-02T12:05:00Z"}, b"{}"),
        ("not_a_publisher", {"type": "dk.samspil.meeting-scheduled.v1"}, b"{}"),
        ("schema", {"type": "dk.samspil.concern-raised.v1"}, b"{}"),
    ]
    for reason, mended, data in steps:
        said = {**said, **mended}
        assert refused(said, data)[0] == reason
    assert isinstance(judged(said, CONCERN), Event)


def test_the_limit_is_the_datas_bytes_as_sent() -> None:
    padded = canonical(CONCERN)[:-1] + b" " * (MOST_DATA - len(canonical(CONCERN))) + b"}"
    assert isinstance(judged(envelope(), padded), Event)
    assert refused(envelope(), b"{ " + padded[1:]) == ("too_large", ("/data",))


def test_only_the_partys_own_source_is_taken() -> None:
    assert refused(envelope(), party="sof") == ("not_your_source", ("/source",))
    nobody = envelope(source="urn:samspil:party:nobody")
    assert refused(nobody, party="nobody") == ("not_your_source", ("/source",))


@pytest.mark.parametrize(
    ("party", "name", "taken"),
    [
        ("buf", "concern-raised", True),  # by its kind
        ("by-aarhus", "concern-raised", False),
        ("ku", "meeting-scheduled", True),  # by its id
        ("sof", "meeting-scheduled", False),
        ("pet", "case-closed", True),  # a role: the case decides
        ("pet", "register-check-answered", True),
        ("pet", "correction-issued", True),  # any
        ("ku", "deadline-passed", False),  # the bus alone
        ("ku", "case-erased", False),
        ("bus", "case-erased", False),
    ],
)
def test_who_may_never_say_a_type_is_no_publisher(party: str, name: str, taken: bool) -> None:  # noqa: FBT001 - a table
    said = envelope(type=f"dk.samspil.{name}.v1", source=f"urn:samspil:party:{party}")
    reason, _ = refused(said, {}, party)
    assert reason == ("schema" if taken else "not_your_source" if party == "bus" else "not_a_publisher")


@pytest.mark.parametrize(
    ("data", "paths"),
    [
        (b"", ["/data"]),
        (b"null", ["/data"]),
        (b"[]", ["/data"]),
        (b'"x"', ["/data"]),
        (canonical({**CONCERN, "religion": "x"}), ["/data"]),
        (canonical({**CONCERN, "x": 1, "age_band": "x", "tier_1_signs": -1}),
         ["/data", "/data/age_band", "/data/tier_1_signs"]),
        (canonical({**CONCERN, "person": None}), ["/data/person"]),
        (canonical({**CONCERN, "person": "251248-9996"}), ["/data/person"]),
        (canonical({**CONCERN, "person": {"cpr": "251248-9996"}}), ["/data/person"]),
        (canonical(CONCERN).replace(b'"school"', b'"sch\\u0000ool"'), ["/data/source_type"]),
        (TWO.replace(b":2", b":2.0"), ["/data/tier_2_signs"]),
        (TWO.replace(b":2", b":NaN"), ["/data/tier_2_signs"]),
        (TWO.replace(b":2", b":1e400"), ["/data/tier_2_signs"]),
        (TWO.replace(b":2", b":" + b"9" * 30), ["/data/tier_2_signs"]),
        (TWO.replace(b":2", b':2,"tier_2_signs":2'), ["/data"]),
        (TWO.replace(b":2", b':2,"tier_2\\u005fsigns":3'), ["/data"]),
    ],
)  # fmt: skip
def test_data_that_the_model_does_not_take_fails_the_schema(data: bytes, paths: list[str]) -> None:
    if data:
        reason, told = refused(envelope(), data)
    else:
        refusal = admit(CONTRACT, "buf", binary(envelope()), None, NOW)
        assert isinstance(refusal, Refusal)
        reason, told = refusal.reason, refusal.paths
    assert (reason, list(told)) == ("schema", paths)


@pytest.mark.parametrize("data", [b"{", canonical(CONCERN) + b"{}", b'{"a": "\xff"}', b"[" * 50_000])
def test_broken_data_fails_the_schema_in_binary_mode(data: bytes) -> None:
    assert admit(CONTRACT, "buf", binary(envelope()), data, NOW) == Refusal(OTHER, "schema", ("/data",))


def test_items_of_a_list_are_pointed_at() -> None:
    said = envelope(type="dk.samspil.meeting-scheduled.v1", source="urn:samspil:party:ku")
    assert isinstance(judged(said, MEETING, "ku"), Event)
    for invited, path in [
        (["sof", "nobody"], "/data/invited/1"),
        (["sof", 7], "/data/invited/1"),
        (["sof", "sof"], "/data/invited"),
        ([], "/data/invited"),
        ("sof", "/data/invited"),
        ({"251248-9996": 1}, "/data/invited"),
    ]:
        assert refused(said, {**MEETING, "invited": invited}, "ku") == ("schema", (path,))
    many = [f"nobody-{i}" for i in range(50)]
    _, paths = refused(said, {**MEETING, "invited": many}, "ku")
    assert len(paths) == 20
    assert list(paths) == sorted(set(paths))


@pytest.mark.parametrize("cpr", CPR)
@pytest.mark.parametrize("where", [*envelope(), "dataschema", "traceparent", "correlationid", *CONCERN, "notifier"])
def test_a_cpr_number_is_taken_nowhere_and_repeated_nowhere(cpr: str, where: str) -> None:
    if where in ATTRIBUTES and where != "dataschema":
        refusal = judged(envelope(**{where: cpr}), CONCERN)
    elif where == "dataschema":
        refusal = judged(envelope(**{where: cpr}), {})
    else:
        refusal = judged(envelope(), {**CONCERN, where: cpr})
    assert isinstance(refusal, Refusal)
    assert cpr not in repr(refusal)


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(CPR)
headers_of_any_kind = st.lists(
    st.tuples(
        st.sampled_from([*(name for name, _ in binary(envelope())), "ce_x"]) | st.text(max_size=10),
        st.binary(max_size=30) | st.sampled_from([text for _, text in binary(envelope())]),
    ),
    max_size=10,
).map(tuple)


@given(headers_of_any_kind, st.none() | st.binary(max_size=200) | st.just(canonical(CONCERN)))
def test_any_record_gets_an_answer(headers: Headers, value: bytes | None) -> None:
    assert isinstance(admit(CONTRACT, "buf", headers, value, NOW), Event | Refusal)
    assert isinstance(admit(CONTRACT, "buf", (*headers, *binary(envelope())), value, NOW), Event | Refusal)
    assert isinstance(admit(CONTRACT, "buf", STRUCTURED, value, NOW), Event | Refusal)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words | st.just("\udc00"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(words | st.sampled_from(list(envelope())), words, max_size=3),
    st.dictionaries(words | st.sampled_from(list(CONCERN)), json_values, max_size=3),
)
def test_no_answer_repeats_the_input(said: dict[str, str], data: dict[str, Any]) -> None:
    whole = json.dumps({**envelope(), **said, "data": {**CONCERN, **data}}).encode()
    answer = admit(CONTRACT, "buf", STRUCTURED, whole, NOW)
    if isinstance(answer, Refusal):
        known = {"", "/data", *("/" + name for name in ATTRIBUTES), *("/data/" + name for name in CONCERN)}
        known |= {"/data/notifier", "/data/narrative"}
        assert set(answer.paths) <= known
        assert answer.id in {None, OTHER}


@given(
    st.fixed_dictionaries(
        {"held_on": st.dates().map(str), "participants": st.none() | st.integers(0, 2**31 - 1)},
    ),
    st.datetimes(datetime(1, 1, 3), datetime(2026, 3, 1)).map(lambda time: time.isoformat() + "+01:00"),  # noqa: DTZ001
)
def test_what_was_admitted_is_admitted_again_and_read_back_as_it_was(data: dict[str, Any], time: str) -> None:
    said = envelope(type="dk.samspil.prevention-activity-held.v1", subject=None, time=time)
    event = judged(said, {"area": "preventive", "kind": "outreach", **data})
    assert isinstance(event, Event)
    value = canonical(event.fields)
    assert admit(CONTRACT, "buf", binary(attributes(event)), value, NOW) == event
    for offset in (None, 7):
        sealed = Admitted(event, Seal("2026-03-02T12:00:00Z", "0f" * 16, CONTRACT.digest, offset))
        headers = (*sealed_headers(sealed), ("ce_withheld", b"sof,buf"))
        assert unseal(Inbound("samspil.log.v1", 3, 14, b"key", value, headers)) == sealed


@pytest.mark.parametrize(
    ("lost", "value"),
    [("ce_type", b"{}"), ("ce_salt", b"{}"), ("ce_time", b"{}"), ("", b"{}"), ("", b"251248-9996"), ("", None)],
)
def test_a_record_that_the_bus_did_not_write_is_named_by_its_place_alone(lost: str, value: bytes | None) -> None:
    event = judged(envelope(), CONCERN)
    assert isinstance(event, Event)
    headers = sealed_headers(Admitted(event, Seal("2026-03-02T12:00:00Z", "0f" * 16, CONTRACT.digest, 1)))
    kept = tuple(header for header in headers if header[0] != lost)
    with pytest.raises(MalformedError) as error:
        unseal(Inbound("samspil.log.v1", 3, 14, b"key", value, kept))
    assert error.value.detail == "samspil.log.v1/3@14"
    assert error.value.__suppress_context__
