import hashlib

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from schemas.canonical import canonical, digest

# What we make canonical: no floating point numbers, integers below 2^53, keys in ASCII.
keys = st.text(st.characters(max_codepoint=0x7F, exclude_characters="\0"))
texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(keys, inner),
    max_leaves=20,
)


@given(values)
def test_ours_is_rfc_8785(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]  # hypothesis cannot say "JSON"


def test_order_of_keys_does_not_matter() -> None:
    assert canonical({"b": [1, True, None], "a": "ø"}) == '{"a":"ø","b":[1,true,null]}'.encode()
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1}) == hashlib.sha256(b'{"a":2,"b":1}').hexdigest()
