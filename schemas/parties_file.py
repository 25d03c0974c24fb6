"""parties.yaml, read and checked: who is on the bus."""

import re
from collections.abc import Mapping
from itertools import dropwhile, islice, takewhile

from schemas.contract import Party
from schemas.contract_words import ANYONE, KINDS, PUBLISHER_ROLES, RECIPIENT_ROLES, RESPONSIBLE_ROLES, THE_BUS
from schemas.located_yaml import Located, Word
from schemas.rights import SERVICES
from schemas.vocabulary import PARTY

LONGEST_ID = 40  # an id is part of topic names and of principals
_ID = re.compile(PARTY)
# A party of such a name would be taken for something else, in a file or as a principal.
_TAKEN = KINDS | PUBLISHER_ROLES | frozenset(RECIPIENT_ROLES) | RESPONSIBLE_ROLES | {ANYONE, THE_BUS}
_PRINCIPALS = frozenset(SERVICES) | {"admin"}


def parties(file: Located) -> Mapping[str, Party]:
    """Return the parties by id. Raises ContractError."""
    listed = file.mapping(required=["parties"])["parties"]
    found = {word.text: _party(word, about) for word, about in listed.entries()}
    for word, about in listed.entries():
        under = found[word.text].under
        if under is not None and (under not in found or under == word.text):
            raise about.mapping(optional=None)["under"].refuse(f"unknown party {under!r}")
    return found


def _party(word: Word, about: Located) -> Party:
    if not _ID.fullmatch(word.text) or len(word.text) > LONGEST_ID:
        raise word.place.refuse(f"{word.text!r} cannot be the id of a party")
    if word.text in _TAKEN or word.text in _PRINCIPALS:
        raise word.place.refuse(f"{word.text!r} has another meaning and cannot be the id of a party")
    rest = _rest_of_name(about)
    parts = about.mapping(required=["da", "kind", "holds_case_data"], optional=["under", *rest])
    kind = parts["kind"].text()
    if kind not in KINDS:
        raise parts["kind"].refuse(f"unknown kind {kind!r}")
    under = parts["under"].text() if "under" in parts else None
    name = ", ".join([parts["da"].text(), *rest])
    return Party(word.text, name, kind, parts["holds_case_data"].flag(), under)


def _rest_of_name(about: Located) -> list[str]:
    """Return what YAML cut off a name: in braces a comma ends a text, the rest is keys without a value.

    Only straight after `da`, where it can mean nothing else: {da: De politiske udvalg (ØU, BIU, BR), ...}.
    """
    after_name = dropwhile(lambda entry: entry[0].text != "da", about.entries())
    return [word.text for word, _ in takewhile(lambda entry: entry[1].value is None, islice(after_name, 1, None))]
