"""Values at rest: lengths that say little, and nothing that opens where it was not deposited."""

import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.vault_cipher import Sealed, UnopenableError, sealed, unsealed
from consumers.vault_padding import LEAST, PaddingError, padded, unpadded
from consumers.vault_routes import MOST_VALUE
from schemas.may_read import Deposit

KEY = os.urandom(32)
DEPOSIT = Deposit("vault:00000000-0000-4000-8000-0000000000aa", "buf", "11111111-1111-4111-8111-111111111111", "person")
SIZES = {LEAST << doubling for doubling in range(12)}


@given(st.binary(max_size=4096))
def test_what_was_padded_comes_back(value: bytes) -> None:
    assert unpadded(padded(value)) == value


@given(st.integers(0, MOST_VALUE))
def test_a_length_is_one_of_twelve(length: int) -> None:
    size = len(padded(bytes(length)))
    assert size in SIZES
    assert size >= length + 4
    assert size == LEAST or size < 2 * (length + 4)


def test_values_of_like_length_look_alike() -> None:
    short, longer = (sealed(KEY, DEPOSIT, "application/json", value) for value in (b"1", b'"a text of some words"'))
    assert len(short.text) == len(longer.text) == LEAST + 16


@pytest.mark.parametrize(
    "text", [b"", b"\0\0\0", b"\0\0\0\1" + bytes(100), b"\0\0\1\1" + bytes(252), bytes(255) + b"1"]
)
def test_what_is_not_padded_so_is_refused(text: bytes) -> None:
    with pytest.raises(PaddingError):
        unpadded(text)


@given(st.binary(max_size=600))
def test_what_was_sealed_opens(value: bytes) -> None:
    assert unsealed(KEY, DEPOSIT, sealed(KEY, DEPOSIT, "application/json", value)) == value


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"ref": "vault:00000000-0000-4000-8000-0000000000bb"},
        {"party": "sof"},
        {"case": "22222222-2222-4222-8222-222222222222"},
        {"field": "signs"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_moved_to_another_place_it_does_not_open(elsewhere: dict[str, str]) -> None:
    kept = sealed(KEY, DEPOSIT, "application/json", b"{}")
    with pytest.raises(UnopenableError):
        unsealed(KEY, replace(DEPOSIT, **elsewhere), kept)


def test_changed_or_under_another_key_it_does_not_open() -> None:
    kept = sealed(KEY, DEPOSIT, "application/json", b"{}")
    changed = bytes([kept.text[0] ^ 1]) + kept.text[1:]
    for key, wrong in (
        (os.urandom(32), kept),
        (KEY, replace(kept, text=changed)),
        (KEY, replace(kept, nonce=os.urandom(12))),
        (KEY, replace(kept, content_type="text/plain")),
        (KEY, Sealed("application/json", kept.nonce, b"")),
    ):
        with pytest.raises(UnopenableError):
            unsealed(key, DEPOSIT, wrong)
