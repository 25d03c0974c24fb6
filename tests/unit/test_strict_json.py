import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.canonical import canonical
from schemas.errors import MalformedError
from schemas.strict_json import DEEPEST, EXACT, MOST_BYTES, parse

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-EXACT, EXACT) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=20,
)


@given(values)
def test_every_plain_json_value_is_read_as_it_is(value: object) -> None:
    for escaped in (True, False):
        assert parse(json.dumps(value, ensure_ascii=escaped).encode(), 10**6) == value


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"a": 1,}',
        b"[1] [2]",
        b"\xef\xbb\xbf{}",
        b'{"a": 1, "a": 2}',
        b'[{"a": 1, "\\u0061": 1}]',
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e999",
        b'"\\ud800"',
        b'{"\\udc00": 1}',
        b'"a\\u0000b"',
        b'"a\x00b"',
        b'"a\nb"',
        b"'a'",
        b"01",
        b"9007199254740992",
        b"-9007199254740992",
        b"1" * 5000,
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1),
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b'"' + b"x" * MOST_BYTES + b'"',
        "// a comment\n1".encode("utf-16"),
    ],
)
def test_what_readers_could_read_differently_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedError):
        parse(raw)


def test_what_only_looks_like_a_fault_is_none() -> None:
    assert parse(b'"\\\\u0000"') == "\\u0000"
    assert parse(b'"\\ud83d\\ude00"') == "\U0001f600"
    assert parse(b'[{"a": 1}, {"a": 1}]') == [{"a": 1}, {"a": 1}]
    assert parse(b"[" * DEEPEST + b"]" * DEEPEST)
    assert parse(b"-9007199254740991") == -EXACT
    assert len(parse(b'"' + b"x" * (MOST_BYTES - 2) + b'"')) == MOST_BYTES - 2


@given(st.binary() | st.text().map(str.encode) | st.text('[]{}",:\\u0001dDNaInfity-. ').map(str.encode))
def test_any_bytes_are_one_value_or_malformed(raw: bytes) -> None:
    try:
        value = parse(raw)
    except MalformedError:
        return
    assert parse(canonical(value)) == value


@given(texts)
def test_the_error_repeats_nothing(secret: str) -> None:
    with pytest.raises(MalformedError) as refusal:
        parse(b'{"' + b"251248-9996" + b'": 1, "251248-9996": ' + json.dumps(secret).encode() + b"}")
    assert "251248" not in str(refusal.value)
    assert refusal.value.__context__ is None or "251248" not in str(refusal.value.__context__)
