"""Padding of values before they are sealed, so that the length of what is at rest says little.

AES-GCM keeps lengths: a short yes and a long story would look different in every backup. A value is written behind its
length and filled up with zeros to the next power of two, 256 bytes at least. What the vault takes (256 KiB) has one of
twelve lengths. Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs",
PoPETs 2019, section 4) wastes 12 % at most instead of half, but gives hundreds of lengths; values are small, and
space is not what is short here.
"""

from schemas.errors import SamspilError

LEAST = 256
_LENGTH_BYTES = 4


class PaddingError(SamspilError):
    """What was padded is not whole."""


def padded(value: bytes) -> bytes:
    """Return the value behind its length, filled up to the next power of two."""
    whole = _LENGTH_BYTES + len(value)
    size = max(LEAST, 1 << (whole - 1).bit_length())
    return len(value).to_bytes(_LENGTH_BYTES, "big") + value + bytes(size - whole)


def unpadded(text: bytes) -> bytes:
    """Return the value. Raises PaddingError."""
    value = text[_LENGTH_BYTES:][: int.from_bytes(text[:_LENGTH_BYTES], "big")]
    if padded(value) != text:
        raise PaddingError
    return value
