"""YAML with a place for every word, and without YAML's surprises, for files that decide what may leave.

Of YAML only mappings, lists and scalars: no anchors, tags, second documents or keys said twice. Scalars are
those of YAML 1.2: `on`, `10_14` and `2026-01-01` are words, where YAML 1.1 sees true, 1014 and a date.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml

from schemas.errors import ContractError
from schemas.strict_json import Json

DEEPEST = 12
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,14}")
# What looks like a number but is read differently by different readers must stand in quotes.
_NUMBER_LIKE = re.compile(r"[-+]?(\.?[0-9]+(\.[0-9]*)?(e[-+]?[0-9]+)?|0[xo][0-9a-f]+|\.(inf|nan))", re.IGNORECASE)
_NULL = re.compile(r"~|null", re.IGNORECASE)
_WORDS: Mapping[str, bool | None] = {"true": True, "false": False, "": None}  # "": a key that stands alone

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's where it was built in: ten times faster

Scalar: TypeAlias = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a word stands."""

    file: str
    line: int

    def refuse(self, why: str) -> ContractError:
        """Return the error that names this place."""
        return ContractError(f"{self.file}:{self.line}: {why}")


@dataclass(frozen=True, slots=True)
class Located:
    """A YAML value with its place; every reading refuses what is of another kind."""

    place: Place
    value: "Scalar | tuple[Located, ...] | Mapping[Word, Located]"

    def refuse(self, why: str) -> ContractError:
        """Return the error that names this value's place."""
        return self.place.refuse(why)

    def mapping(self, *, required: Sequence[str] = (), optional: Sequence[str] | None = ()) -> "Mapping[str, Located]":
        """Return a mapping with these keys; `optional=None` lets any other key pass."""
        if not isinstance(self.value, Mapping):
            raise self.refuse("a mapping is expected")
        for word in self.value:
            if optional is not None and word.text not in required and word.text not in optional:
                raise word.place.refuse(f"unknown key {word.text!r}")
        entries = {word.text: located for word, located in self.value.items()}
        for name in required:
            if name not in entries:
                raise self.refuse(f"{name!r} is missing")
        return entries

    def entries(self) -> "Iterator[tuple[Word, Located]]":
        """Yield the keys of a mapping, with their places, and the values."""
        if not isinstance(self.value, Mapping):
            raise self.refuse("a mapping is expected")
        yield from self.value.items()

    def items(self) -> "tuple[Located, ...]":
        """Return a list's items."""
        if not isinstance(self.value, tuple):
            raise self.refuse("a list is expected")
        return self.value

    def text(self) -> str:
        """Return a non-empty text."""
        if not isinstance(self.value, str) or not self.value:
            raise self.refuse("a text is expected")
        return self.value

    def number(self) -> int:
        """Return an integer."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self.refuse("an integer is expected")
        return self.value

    def flag(self) -> bool:
        """Return true or false."""
        if not isinstance(self.value, bool):
            raise self.refuse("true or false is expected")
        return self.value

    def plain(self) -> Json:
        """Return the value as JSON data, without places."""
        if isinstance(self.value, Mapping):
            return {word.text: located.plain() for word, located in self.value.items()}
        if isinstance(self.value, tuple):
            return [located.plain() for located in self.value]
        return self.value


@dataclass(frozen=True, slots=True)
class Word:
    """A key of a mapping, with its place."""

    place: Place
    text: str


def read(path: Path) -> Located:
    """Return the one document of a YAML file. Raises ContractError, with file and line."""
    file = path.as_posix()
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ContractError(f"{file}: cannot be read ({type(error).__name__})") from None
    except UnicodeDecodeError:
        raise ContractError(f"{file}: is not UTF-8") from None
    return parse(text, file)


def parse(text: str, file: str) -> Located:
    """Return the one document of a YAML text. Raises ContractError, with file and line."""
    try:
        return _document(_Events(yaml.parse(text, Loader=_LOADER), file))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Place(file, line).refuse(f"not YAML: {error.problem}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Place(file, line).refuse("a character that YAML does not allow") from None


class _Events:
    """The parser's events, one ahead, with their places."""

    def __init__(self, events: Iterator[yaml.Event], file: str) -> None:
        self._events = events
        self._file = file

    def next(self) -> tuple[yaml.Event, Place]:
        event = next(self._events)
        return event, Place(self._file, event.start_mark.line + 1 if event.start_mark else 1)


def _document(events: _Events) -> Located:
    events.next()  # the stream starts
    start, place = events.next()
    if not isinstance(start, yaml.DocumentStartEvent):
        raise place.refuse("an empty file")
    whole = _value(*events.next(), events, DEEPEST)
    events.next()  # the document ends
    end, place = events.next()
    if not isinstance(end, yaml.StreamEndEvent):
        raise place.refuse("a second document")
    return whole


def _value(event: yaml.Event, place: Place, events: _Events, depth: int) -> Located:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
        raise place.refuse("anchors and aliases are not taken")
    if getattr(event, "tag", None) is not None:
        raise place.refuse("tags are not taken")
    if depth == 0:
        raise place.refuse("nested too deep")
    if isinstance(event, yaml.ScalarEvent):
        return Located(place, event.value if event.style else _scalar(event.value, place))
    if isinstance(event, yaml.SequenceStartEvent):
        return Located(place, _items(events, depth - 1))
    return Located(place, _entries(events, depth - 1))


def _items(events: _Events, depth: int) -> tuple[Located, ...]:
    items = []
    while not isinstance((following := events.next())[0], yaml.SequenceEndEvent):
        items.append(_value(*following, events, depth))
    return tuple(items)


def _entries(events: _Events, depth: int) -> Mapping[Word, Located]:
    entries: dict[Word, Located] = {}
    texts: set[str] = set()
    while not isinstance((following := events.next())[0], yaml.MappingEndEvent):
        key = _value(*following, events, depth)
        word = Word(key.place, key.text())
        if word.text in texts:
            raise key.refuse(f"{word.text!r} stands here twice")
        texts.add(word.text)
        entries[word] = _value(*events.next(), events, depth)
    return entries


def _scalar(text: str, place: Place) -> Scalar:
    """Return what an unquoted scalar is in YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER_LIKE.fullmatch(text) or _NULL.fullmatch(text):
        raise place.refuse(f"{text!r} is read differently by different readers: write it in quotes")
    return text
