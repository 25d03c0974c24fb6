"""Events as a party's Kafka client would say them: well formed, many, and about nobody."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from schemas.envelope import source_of, type_of
from schemas.records import Headers


@dataclass(frozen=True, slots=True)
class Saying:
    """One event of a party, in CloudEvents binary mode."""

    party: str
    id: str
    type: str
    case: str | None
    data: dict[str, Any]
    time: str
    correlation: str | None = None

    @property
    def key(self) -> bytes:
        return (self.case or self.party).encode()

    @property
    def value(self) -> bytes:
        return json.dumps(self.data).encode()

    @property
    def headers(self) -> Headers:
        said = {
            "specversion": "1.0",
            "id": self.id,
            "source": source_of(self.party),
            "type": type_of(self.type),
            "time": self.time,
            **({"subject": self.case} if self.case else {}),
            **({"correlationid": self.correlation} if self.correlation else {}),
        }
        return (("content-type", b"application/json"), *(("ce_" + name, text.encode()) for name, text in said.items()))

    def known_as(self, id_: str) -> "Saying":
        return replace(self, id=id_)

    def caused_by(self, correlation: str) -> "Saying":
        return replace(self, correlation=correlation)


def say(party: str, type_: str, case: str | None, time: str | None = None, **data: Any) -> Saying:
    """Say something under a new id, now unless a time is given."""
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return Saying(party, str(uuid4()), type_, case, data, time or now)


def vault_ref() -> str:
    return f"vault:{uuid4()}"


def concern(party: str, case: str, **changes: Any) -> Saying:
    """A concern about an adult, which opens a case."""
    data = {
        "source_type": "housing",
        "age_band": "18_24",
        "observed_on": datetime.now(UTC).date().isoformat(),
        "tier_1_signs": 1,
        "tier_2_signs": 2,
        "protective_factors": 1,
        "signs": vault_ref(),
        "person": vault_ref(),
    }
    return say(party, "concern-raised", case, **{**data, **changes})


def activity(party: str) -> Saying:
    """Something said outside any case, seen by everyone."""
    return say(
        party,
        "prevention-activity-held",
        None,
        area="knowledge",
        kind="outreach",
        held_on="2026-01-15",
        participants=12,
    )


def life(case: str) -> Iterator[Saying]:
    """A case's first weeks, said by several: accepted when each waits for the one before."""
    meeting = str(uuid4())
    yield concern("buf", case)
    yield say("ku", "concern-screened", case, outcome="coordinate", owner="sof", grounds=vault_ref())
    yield say("ku", "meeting-scheduled", case, **_meeting(meeting))
    yield say("ku", "meeting-held", case, **_held(meeting))
    yield say("sof", "measure-started", case, measure=str(uuid4()), kind="mentor", provider="vink")
    yield say("sof", "follow-up-held", case, progress="better")


def lonely_life(party: str, case: str) -> Iterator[Saying]:
    """A case of which one party says everything, so that its inbox alone keeps the order."""
    if party == "vink":
        yield say(party, "relative-support-started", case, kind="network", relative=vault_ref())
        yield from (say(party, "follow-up-held", case, progress="unchanged") for _ in range(4))
        return
    yield concern(party, case)
    if party == "sof":
        measure = str(uuid4())
        yield say(party, "concern-screened", case, outcome="own_administration", owner="sof", grounds=vault_ref())
        yield say(party, "measure-started", case, measure=measure, kind="mentor", provider="vink")
        yield say(party, "measure-ended", case, measure=measure, reason="completed")
        yield say(party, "case-closed", case, outcome="resolved")
    elif party == "ku":
        meeting = str(uuid4())
        yield say(party, "concern-screened", case, outcome="coordinate", owner="sof", grounds=vault_ref())
        yield say(party, "meeting-scheduled", case, **_meeting(meeting))
        yield say(party, "meeting-held", case, **_held(meeting))
    else:
        for outcome in ("accepts_contact", "continued", "continued"):
            yield say(party, "conversation-held", case, held_on="2026-01-20", outcome=outcome)


def _meeting(meeting: str) -> dict[str, Any]:
    return {
        "meeting": meeting,
        "starts_at": "2026-02-01T10:00:00Z",
        "forum": "psp",
        "invited": ["sof", "politi"],
    }


def _held(meeting: str) -> dict[str, Any]:
    return {
        "meeting": meeting,
        "attended": ["sof", "politi"],
        "recommendation": "measure",
        "minutes": vault_ref(),
    }
