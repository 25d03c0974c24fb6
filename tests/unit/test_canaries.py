"""The search finds a planted text whatever it stands in: a scan that finds nothing must be able to find something."""

import base64
from pathlib import Path

import pytest

from tests.canaries import CPRS, Canaries


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
@pytest.mark.parametrize("after", ["", "!", "!!"])
def test_every_form_is_found_wherever_it_stands(before: str, after: str) -> None:
    canaries = Canaries()
    text = before + canaries.at("here") + after
    raw = text.encode()
    for held in (
        raw,
        text.upper().encode(),
        text.encode("utf-16-le"),
        raw.hex().encode(),
        raw.hex().upper().encode(),
        base64.b64encode(raw),
        base64.urlsafe_b64encode(raw),
    ):
        assert canaries.in_bytes(b"..." + held + b"..."), held
    assert canaries.in_bytes(raw) == ["here"]


def test_what_is_not_there_is_not_found() -> None:
    canaries = Canaries()
    canaries.at("here")
    assert not canaries.in_bytes(Canaries().at("elsewhere").encode() + bytes(10_000))
    assert canaries.in_bytes(CPRS[0].replace("-", "").encode())


def test_files_are_named(tmp_path: Path) -> None:
    canaries = Canaries()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "segment.log").write_bytes(bytes(500) + canaries.at("a header").encode() + b"\xff")
    assert canaries.in_files(tmp_path) == ["deep/segment.log: a header"]
