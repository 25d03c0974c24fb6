"""What the publishers say: whole lives of cases, the same for the same seed, with no end.

A line is `sure` where it must be accepted whatever the others say and however often it is said; the rest may
be refused, which is an answer too. Lives are told in blocks: within one, a publisher goes from case to case.
In the shared cases all publishers speak, and who comes first is nobody's to say.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from tests.speech import Saying

LIVES_A_BLOCK = 6


@dataclass(frozen=True, slots=True)
class Line:
    """One saying, and whether it must be accepted."""

    saying: Saying
    sure: bool = True


Life = list[Line]


@dataclass(frozen=True, slots=True)
class Teller:
    """One party's tongue: every id, reference and choice comes from its random numbers."""

    party: str
    chance: random.Random
    now: datetime

    def uuid(self) -> str:
        return str(UUID(int=self.chance.getrandbits(128), version=4))

    def ref(self) -> str:
        return f"vault:{self.uuid()}"

    def day(self, days: int = 0) -> str:
        return (self.now + timedelta(days=days)).date().isoformat()

    def moment(self, days: int = 0) -> str:
        return (self.now + timedelta(days=days)).isoformat(timespec="seconds").replace("+00:00", "Z")

    def say(self, type_: str, case: str | None, *, sure: bool = True, **data: Any) -> Line:
        return Line(Saying(self.party, self.uuid(), type_, case, data, self.moment()), sure)

    def concern(self, case: str, *ages: str, **more: Any) -> Line:
        return self.say(
            "concern-raised",
            case,
            source_type=self.chance.choice(["school", "street", "housing", "citizen"]),
            age_band=self.chance.choice(ages),
            observed_on=self.day(-2),
            tier_1_signs=self.chance.randint(1, 3),
            tier_2_signs=self.chance.randint(0, 4),
            protective_factors=self.chance.randint(0, 3),
            signs=self.ref(),
            person=self.ref(),
            **more,
        )

    def notified(self, case: str) -> Line:
        return self.say(
            "child-notification-forwarded",
            case,
            received_at=self.moment(-1),
            person=self.ref(),
            narrative=self.ref(),
        )

    def screened(self, case: str, outcome: str, owner: str) -> Line:
        return self.say("concern-screened", case, outcome=outcome, owner=owner, grounds=self.ref())

    def talks(self, case: str, count: int) -> Life:
        held_on = self.day(-1)
        return [self.say("conversation-held", case, held_on=held_on, outcome="continued") for _ in range(count)]

    def corrects(self, line: Line, reason: str) -> Line:
        return self.say("correction-issued", line.saying.case, corrects=line.saying.id, reason=reason)

    def asked(self, case: str) -> Line:
        return self.say("authority-request-received", case, requester="pet", basis="pet_act_4", request=self.ref())

    def police(self, case: str, *, sure: bool = True) -> Line:
        return self.say(
            "police-disclosure-decided",
            case,
            sure=sure,
            threat_to_society=True,
            deciders=[self.uuid(), self.uuid()],
            behaviour=self.ref(),
            reasons=self.ref(),
            person=self.ref(),
        )


def _activity(teller: Teller) -> Life:
    kind, people = teller.chance.choice(["outreach", "policy", "research"]), teller.chance.randint(1, 40)
    said = teller.say(
        "prevention-activity-held", None, area="knowledge", kind=kind, held_on=teller.day(-9), participants=people
    )
    return [said, said]  # said twice, so that the second is answered as a duplicate


def _nonsense(teller: Teller) -> Life:
    """Return what no admission takes, and what no case takes."""
    return [
        teller.say("follow-up-held", teller.uuid(), sure=False, progress="splendid"),
        teller.say("conversation-held", teller.uuid(), sure=False, held_on=teller.day(), outcome="declines"),
    ]


def _measured(teller: Teller) -> Life:
    case, consent, measure, later, transfer = (teller.uuid() for _ in range(5))
    provider = teller.chance.choice(["vink", "bif"])  # the consent names the one, not the other

    def consents(state: str) -> Line:
        scope, recipients = ["measure", "handover"], ["vink", "ekp"]
        return teller.say("consent-recorded", case, consent=consent, scope=scope, recipients=recipients, state=state)

    def starts(id_: str, provider: str) -> Line:
        return teller.say("measure-started", case, measure=id_, kind="mentor", provider=provider, plan=teller.ref())

    # not article 17: its answer erases the case, and the check folds what the log still holds (test_ticks erases)
    request = teller.say("rights-request-received", case, article="15", received_on=teller.day())
    return [
        teller.concern(case, "18_24", "25_plus", narrative=teller.ref()),
        teller.screened(case, "own_administration", "sof"),
        consents("given"),
        starts(measure, provider),
        *(teller.say("follow-up-held", case, progress="better", next_due=teller.day(30)) for _ in range(3)),
        teller.say("measure-ended", case, measure=measure, reason="completed"),
        consents("withdrawn"),
        starts(later, "vink"),  # who learns nothing of it any more
        teller.say(
            "transfer-initiated",
            case,
            transfer=transfer,
            to="kriminalforsorgen",
            kind="release",
            due=teller.day(20),
            dossier=teller.ref(),
        ),
        teller.say("transfer-cancelled", case, transfer=transfer),
        request,
        teller.say("rights-request-answered", case, request=request.saying.id),
        teller.say("case-closed", case, outcome="resolved"),
    ]


def _child(teller: Teller) -> Life:
    case = teller.uuid()
    concern = teller.concern(case, "10_14", "15_17")
    talks = teller.talks(case, 3)
    return [
        concern,
        teller.screened(case, "own_administration", "buf"),
        teller.notified(case),
        teller.say("notifier-receipted", case, concern=concern.saying.id, examination_started=True),
        *talks,
        teller.corrects(talks[0], "wrong_fact"),
        teller.asked(case),
    ]


def _dangerous(teller: Teller) -> Life:
    case = teller.uuid()
    decision = teller.police(case)
    return [
        teller.concern(case, "25_plus"),
        teller.screened(case, "police_only", teller.chance.choice(["suf", "bif"])),
        decision,
        teller.corrects(decision, "withdrawn"),
    ]


def _coordinated(teller: Teller) -> Life:
    case, first, second = (teller.uuid() for _ in range(3))
    forum = teller.chance.choice(["psp", "ssp"])
    held = teller.say(
        "meeting-held", case, meeting=first, attended=["politi"], recommendation="follow_up", minutes=teller.ref()
    )
    return [
        teller.concern(case, "18_24"),
        teller.screened(case, "coordinate", "sof"),
        _meeting(teller, case, first, forum, ["sof", "politi"]),
        teller.say("register-check-requested", case, meeting=first, expires_at=teller.moment(1)),
        held,
        _meeting(teller, case, second, forum, ["politi"]),
        teller.say("meeting-cancelled", case, meeting=second),
        teller.asked(case),
        teller.corrects(held, "wrong_recipient"),
        teller.police(case),
    ]


def _meeting(teller: Teller, case: str, meeting: str, forum: str, invited: list[str], *, sure: bool = True) -> Line:
    return teller.say(
        "meeting-scheduled",
        case,
        sure=sure,
        meeting=meeting,
        starts_at=teller.moment(7),
        forum=forum,
        invited=invited,
    )


def _advised(teller: Teller) -> Life:
    case = teller.uuid()
    return [teller.concern(case, "25_plus"), teller.screened(case, teller.chance.choice(["advise", "close"]), "bif")]


def _raised(teller: Teller) -> Life:
    case = teller.uuid()
    concern = teller.concern(case, "under_10", "10_14", narrative=teller.ref(), notifier=teller.ref())
    return [
        concern,
        teller.notified(case),
        *teller.talks(case, 3),
        teller.asked(case),
        teller.corrects(concern, teller.chance.choice(["wrong_fact", "wrong_subject"])),
    ]


def _worried(teller: Teller) -> Life:
    case = teller.uuid()
    return [teller.concern(case, "18_24"), *teller.talks(case, 2)]


@dataclass(frozen=True, slots=True)
class Shared:
    """The ids of a case of which all publishers speak."""

    case: str
    meeting: str
    transfer: str


def _shared_of_sof(teller: Teller, shared: Shared) -> Life:
    case = shared.case
    return [
        teller.concern(case, "15_17"),
        teller.screened(case, "coordinate", "sof"),
        *(teller.say("follow-up-held", case, progress="unchanged") for _ in range(3)),
        teller.say(
            "transfer-initiated",
            case,
            transfer=shared.transfer,
            to="buf",
            kind="youth_education",
            due=teller.day(20),
            dossier=teller.ref(),
        ),
    ]


def _shared_of_ku(teller: Teller, shared: Shared) -> Life:
    case, meeting = shared.case, shared.meeting
    return [
        _meeting(teller, case, meeting, "ssp", ["buf", "sof"], sure=False),
        teller.say("register-check-requested", case, sure=False, meeting=meeting, expires_at=teller.moment(1)),
        teller.police(case, sure=False),
        teller.say(
            "meeting-held",
            case,
            sure=False,
            meeting=meeting,
            attended=["buf"],
            recommendation="measure",
            minutes=teller.ref(),
        ),
    ]


def _shared_of_buf(teller: Teller, shared: Shared) -> Life:
    case, meeting = shared.case, shared.meeting
    return [
        teller.say("conversation-held", case, sure=False, held_on=teller.day(-1), outcome="no_show"),
        teller.say("register-check-answered", case, sure=False, meeting=meeting, relevant=True, facts=teller.ref()),
        *(_accepts(teller, shared) for _ in range(8)),  # until there is something to accept
    ]


def _accepts(teller: Teller, shared: Shared) -> Line:
    return teller.say("transfer-accepted", shared.case, sure=False, transfer=shared.transfer)


_LIVES: Mapping[str, tuple[Callable[[Teller], Life], ...]] = MappingProxyType(
    {
        "sof": (_measured, _child, _dangerous, _measured, _child, _advised, _nonsense, _activity),
        "ku": (_coordinated, _coordinated, _coordinated, _advised, _nonsense, _activity),
        "buf": (_raised, _worried, _raised, _worried, _nonsense, _activity),
    }
)
_SHARED: Mapping[str, Callable[[Teller, Shared], Life]] = MappingProxyType(
    {"sof": _shared_of_sof, "ku": _shared_of_ku, "buf": _shared_of_buf}
)
PARTIES = tuple(_LIVES)


def blocks(party: str, seed: int, now: datetime) -> Iterator[list[Life]]:
    """Yield a party's lives without end, in blocks of some that it tells side by side."""
    teller = Teller(party, random.Random(f"{seed}/{party}"), now)  # noqa: S311 - to be repeated, no secret
    number = 0
    while True:
        # The same for every party, so that all speak of this case.
        common = Teller(party, random.Random(f"{seed}/shared/{number}"), now)  # noqa: S311 - as above
        shared = Shared(common.uuid(), common.uuid(), common.uuid())
        yield [
            _SHARED[party](teller, shared),
            *(teller.chance.choice(_LIVES[party])(teller) for _ in range(LIVES_A_BLOCK - 1)),
        ]
        number += 1


def interleaved(block: list[Life]) -> Iterator[Line]:
    """Yield a block's lines, a step of each life in turn."""
    for step in range(max(map(len, block))):
        yield from (life[step] for life in block if step < len(life))
