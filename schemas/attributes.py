"""The CloudEvents attributes that a party may write, and the one form that each has.

What is not listed is refused, so that nothing can be said beside the catalogue.
Sources: CloudEvents 1.0 (with its distributed tracing extension), W3C Trace Context, RFC 3986, RFC 9110.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from schemas.vocabulary import CASE_ID, UUID, instant

STRUCTURED = "application/cloudevents+json"
JSON = "application/json"
TRACE = ("traceparent", "correlationid", "causationid")
REQUIRED = frozenset({"specversion", "id", "source", "type", "time", "datacontenttype"})
HEADER_PREFIX, CONTENT_TYPE = "ce_", "content-type"

_MEDIA_TYPE = re.compile(
    r"\s*(?P<name>[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+)\s*(?P<parameters>(?:;.*)?)", re.IGNORECASE
)
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s;\"]*)", re.IGNORECASE)
_URI_REFERENCE = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]{1,512}")
_TEXT = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]{1,512}")
_UUID, _CASE_ID = re.compile(UUID), re.compile(CASE_ID)
# Version ff is invalid, and so are ids of zeros only.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def media_type(text: str) -> str | None:
    """Return the media type in lower case, without parameters; None where it is none or not in UTF-8."""
    if text in {JSON, STRUCTURED}:
        return text  # as nearly every record has it
    match = _MEDIA_TYPE.fullmatch(text)
    if match is None:
        return None
    charsets = [name.lower() for name in _CHARSET.findall(match["parameters"])]
    return match["name"].lower() if all(name in {"utf-8", "utf8", "us-ascii"} for name in charsets) else None


def _is_instant(text: str) -> bool:
    try:
        instant(text)
    except ValueError:
        return False
    return True


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


ATTRIBUTES: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "specversion": lambda text: text == "1.0",
        "id": _matches(_UUID),
        "source": _matches(_URI_REFERENCE),
        "type": _matches(_TEXT),
        "subject": _matches(_CASE_ID),
        "time": _is_instant,
        "datacontenttype": lambda text: media_type(text) == JSON,
        "dataschema": _matches(_URI_REFERENCE),  # taken, and dropped: the type says which schema holds
        "traceparent": _matches(_TRACEPARENT),
        "correlationid": _matches(_UUID),
        "causationid": _matches(_UUID),
    }
)
