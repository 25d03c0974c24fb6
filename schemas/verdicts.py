"""What a publisher is told about what it said."""

from typing import Any

from schemas.canonical import canonical
from schemas.records import Headers, Outbound
from schemas.topics import refusals
from schemas.value import Value


class Refusal(Value, frozen=True):
    """An event was not taken: the reason code of the catalogue and JSON pointers to what is at fault.

    `id` is None where the event had no readable one. A pointer names known fields only: what a sender
    made up stays unsaid.
    """

    id: str | None
    reason: str
    paths: tuple[str, ...] = ()

    def body(self) -> dict[str, Any]:
        """Return the verdict as JSON values."""
        return {"id": self.id, "verdict": "refused", "reason": self.reason, "paths": list(self.paths)}


class Accepted(Value, frozen=True):
    """An event was taken. `withheld`: parties that the event named and that got no view of it."""

    id: str
    withheld: tuple[str, ...] = ()
    duplicate: bool = False

    def body(self) -> dict[str, Any]:
        """Return the verdict as JSON values."""
        repeated = {"duplicate": True} if self.duplicate else {}
        return {"id": self.id, "verdict": "accepted", "withheld": list(self.withheld), **repeated}


Verdict = Refusal | Accepted


def answer(party: str, verdict: Verdict, inbox_offset: int | None) -> Outbound:
    """Return the record that tells a party its verdict: a refusal, or that it said something twice.

    The header names the place of the submission in the party's inbox, so that an id said again is told
    from its first saying; what the gateway refuses has none.
    """
    place: Headers = () if inbox_offset is None else (("ce_inboxoffset", str(inbox_offset).encode()),)
    key = verdict.id.encode() if verdict.id else None
    return Outbound(refusals(party), 0, key, canonical(verdict.body()), place)
