"""Random histories of a case: what parties might say, mostly sensible, so that many events are taken.

A step is a type of event and some numbers; against the case as it then is, the numbers choose who says it,
of which meeting, consent, measure, transfer or event. The same steps always give the same history.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import strategies as st

from schemas.contract_words import ANYONE, PUBLISHER_ROLES, THE_BUS
from tests.unit.sayings import Talk, relatives
from tests.unit.scenarios import Heard, contract

PARTIES = sorted(contract().parties)
HOLDERS = ["sof", "buf", "bif", "vink", "suf", "ekp", "politi", "kriminalforsorgen"]
OFTEN = ["meeting-scheduled", "register-check-requested", "register-check-answered", "consent-recorded"]
SELDOM = ["case-closed", "case-erased", "prevention-activity-held", "meeting-cancelled"]
TYPES = [type_ for type_ in contract().types for _ in range(8 if type_ in OFTEN else 1 if type_ in SELDOM else 4)]
OPENING = {
    "meeting-scheduled": "meeting",
    "consent-recorded": "consent",
    "measure-started": "measure",
    "transfer-initiated": "transfer",
}
FOLLOWING = {
    "register-check-requested": "meeting",
    "register-check-answered": "meeting",
    "meeting-held": "meeting",
    "meeting-cancelled": "meeting",
    "measure-ended": "measure",
    "transfer-accepted": "transfer",
    "transfer-declined": "transfer",
    "transfer-cancelled": "transfer",
}
EARLIER = {
    "notifier-receipted": ("concern", "concern-raised"),
    "correction-issued": ("corrects", ""),
    "correction-acknowledged": ("correction", "correction-issued"),
    "rights-request-answered": ("request", "rights-request-received"),
}
CHOICES: Mapping[str, Mapping[str, Sequence[Any]]] = {
    "concern-raised": {"age_band": ["15_17", "15_17", "10_14", "18_24", "25_plus"], "narrative": [None, "ref"]},
    "concern-screened": {
        "outcome": [*["coordinate"] * 8, "own_administration", "advise", "close"],
        "owner": ["bif", "bif", "sof", "buf"],
    },
    "meeting-scheduled": {
        "forum": ["ssp", "ksp", "psp", "ssd", "consent"],
        "invited": [["sof", "politi"], ["sof", "buf"], ["vink", "suf"], ["sof", "vink", "politi"]],
    },
    "meeting-held": {"attended": [["sof"], ["sof", "politi"], ["vink", "suf"]]},
    "consent-recorded": {
        "state": ["given", "given", "withdrawn"],
        "scope": [["measure", "exit"], ["meeting"], ["handover"]],
        "recipients": [["vink", "suf"], ["suf", "ekp", "bolig-nord"]],
    },
    "measure-started": {"provider": ["vink", "suf", "ekp"], "plan": [None, "ref"]},
    "transfer-initiated": {
        "to": ["buf", "suf", "bif", "kriminalforsorgen"],
        "kind": ["turning_18", "school_change", "release"],
    },
    "correction-issued": {"reason": ["wrong_subject", "wrong_fact", "wrong_recipient", "withdrawn"]},
    "rights-request-received": {"article": ["15", "17"]},
    "prevention-activity-held": {"participants": [None, 4, 5]},
    "deadline-passed": {"responsible": ["sof", "ku", "bif"]},
}


@dataclass(frozen=True)
class Step:
    """A type and the numbers that choose the rest."""

    type: str
    numbers: tuple[int, ...]


def _steps(seed: int, length: int) -> list[Step]:
    chance = Random(seed)  # noqa: S311 - it draws test data
    return [Step(chance.choice(TYPES), tuple(chance.choices(range(840), k=6))) for _ in range(length)]


# A seed varies far more than lists that hypothesis draws itself; a failing history still shrinks in length.
steps = st.builds(_steps, st.integers(0, 2**32), st.integers(1, 50))
histories = st.tuples(st.sampled_from(["case", "case", "case", "relative"]), steps)


def opened(how: str) -> Talk:
    """Return a talk of a case that somebody opened and, where it is no relative's, screened."""
    if how == "relative":
        return relatives()
    talk = Talk()
    talk.ok("bolig-nord", "concern-raised")
    talk.ok("sof", "concern-screened", owner="bif")
    return talk


def take(talk: Talk, step: Step) -> Heard:
    """Let somebody say what the step is against the case as it is."""
    who, *numbers = step.numbers
    choices = {name: values[n % len(values)] for n, (name, values) in zip(numbers, _choices(step), strict=False)}
    data = {**choices, **_about(talk, step, numbers[-1])}
    if step.type in {"deadline-passed", "case-erased"}:
        return talk.bus_says(step.type, **data)
    return talk.say(_publisher(talk, step.type, who, data), step.type, **data)


def _choices(step: Step) -> list[tuple[str, Sequence[Any]]]:
    return [*CHOICES.get(step.type, {}).items()]


def _about(talk: Talk, step: Step, number: int) -> dict[str, str]:
    case = talk.state
    known = {
        "meeting": case.meetings,
        "consent": case.consents,
        "measure": case.measures,
        "transfer": case.transfers,
    }
    if step.type in OPENING:
        ids = [*known[OPENING[step.type]], *(talk.fresh() for _ in range(5))]
        return {OPENING[step.type]: ids[number % len(ids)]}
    if step.type in FOLLOWING:
        ids = [*known[FOLLOWING[step.type]]][-2:] or [talk.fresh()]
        return {FOLLOWING[step.type]: ids[number % len(ids)]}
    if step.type in EARLIER:
        field, wanted = EARLIER[step.type]
        ids = [*talk.state.said] + 9 * [id_ for id_, said in talk.state.said.items() if said.type == wanted]
        return {field: ids[number % len(ids)] if ids else talk.fresh()}
    return {}


def _publisher(talk: Talk, type_: str, number: int, data: Mapping[str, Any]) -> str:
    """Return somebody who probably may say it: one in six says what it may not."""
    corrected = talk.state.said.get(data.get("corrects", ""))
    if number % 6 == 0:
        return PARTIES[number % len(PARTIES)]
    if corrected and corrected.party in PARTIES:
        return corrected.party
    publishers = contract().types[type_].publishers
    pending = talk.state.pending_transfer
    named = {"owner": talk.state.owner, "new_owner": pending[1].to if pending else None}
    words = PUBLISHER_ROLES | {ANYONE, THE_BUS}
    likely = [party for party in HOLDERS if party in publishers or contract().parties[party].kind in publishers]
    likely += [party for role, party in named.items() if role in publishers and party]
    likely += [party for party in publishers if party in contract().parties]
    likely += [
        party for meeting in talk.state.meetings.values() for party in meeting.invited if "invited" in publishers
    ]
    likely += HOLDERS if words & {*publishers} - {"owner", "new_owner", "invited", "recipient"} else []
    return likely[number % len(likely)] if likely else "ku"
