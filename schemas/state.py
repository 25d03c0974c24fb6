"""A case's state as bytes: canonical JSON without what is empty, so that states compare and stay small.

A state read back is the state written, or StateError: what cannot be read whole is never judged on.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson

from schemas.canonical import canonical
from schemas.case import (
    Case,
    Consent,
    Measure,
    Meeting,
    Said,
    Screening,
    Shown,
    State,
    Transfer,
    Utterances,
)
from schemas.errors import StateError
from schemas.vocabulary import CASE_ID

VERSION = 1
Part = TypeVar("Part")
Written = TypeVar("Written")
_CASE_ID = re.compile(CASE_ID)


def empty(key: str) -> State:
    """Return the state before any event, of a case (its id) or of a party (what it says outside cases)."""
    return Case(key) if _CASE_ID.fullmatch(key) else Utterances(key)


def encode(state: State) -> bytes:
    """Return the state's canonical bytes."""
    return canonical({"v": VERSION, **(_case(state) if isinstance(state, Case) else _utterances(state))})


def decode(raw: bytes) -> State:
    """Return the state that these bytes are. Raises StateError."""
    try:
        value = orjson.loads(raw)
        if value["v"] != VERSION:
            raise StateError("version")
        return _case_from(value) if "case" in value else _utterances_from(value)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StateError(type(error).__name__) from None


def _kept(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are not empty: what is absent reads back as its default."""
    return {name: value for name, value in values.items() if value}


def _each(parts: Mapping[str, Part], write: Callable[[Part], Written]) -> dict[str, Written]:
    return {name: write(part) for name, part in parts.items()}


def _tuples(parts: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(part) for name, part in parts.items()}


def _utterances(state: Utterances) -> dict[str, Any]:
    said = [[id_, *withheld] for id_, withheld in state.said.items()]  # a list: its order is the log's
    return {"party": state.party, "said": said}


def _utterances_from(value: Mapping[str, Any]) -> Utterances:
    return Utterances(value["party"], {id_: tuple(withheld) for id_, *withheld in value["said"]})


def _case(case: Case) -> dict[str, Any]:
    screening = case.screening
    return {
        "case": case.id,
        **_kept(
            {
                "relative": case.relative,
                "owner": case.owner,
                "screening": [screening.outcome, screening.by] if screening else None,
                "closed": case.closed,
                "said": [[id_, _said(said)] for id_, said in case.said.items()],  # a list, as above
                "meetings": _each(case.meetings, _meeting),
                "consents": _each(case.consents, _consent),
                "measures": _each(case.measures, _measure),
                "transfers": _each(case.transfers, _transfer),
                "acknowledged": case.acknowledged,
            }
        ),
    }


def _case_from(value: Mapping[str, Any]) -> Case:
    screening = value.get("screening")
    return Case(
        id=value["case"],
        relative=value.get("relative", False),
        owner=value.get("owner"),
        screening=Screening(*screening) if screening else None,
        closed=value.get("closed", False),
        said={id_: _said_from(said) for id_, said in value.get("said", [])},
        meetings=_each(value.get("meetings", {}), _meeting_from),
        consents=_each(value.get("consents", {}), _consent_from),
        measures=_each(value.get("measures", {}), lambda measure: Measure(**measure)),
        transfers=_each(value.get("transfers", {}), lambda transfer: Transfer(**transfer)),
        acknowledged=_tuples(value.get("acknowledged", {})),
    )


def _said(said: Said) -> dict[str, Any]:
    return {
        "party": said.party,
        "type": said.type,
        **_kept(
            {
                "refs": said.refs,
                "age_band": said.age_band,
                "about": said.about,
                "corrected": said.corrected,
                "shown": _each(said.shown, _shown),
                "withheld": said.withheld,
            }
        ),
    }


def _said_from(value: Mapping[str, Any]) -> Said:
    return Said(
        party=value["party"],
        type=value["type"],
        refs=value.get("refs", {}),
        age_band=value.get("age_band"),
        about=value.get("about"),
        corrected=value.get("corrected", {}),
        shown=_each(value.get("shown", {}), _shown_from),
        withheld=tuple(value.get("withheld", ())),
    )


def _shown(shown: Shown) -> dict[str, Any]:
    return {"rules": shown.rules, **_kept({"refs": shown.refs, "earlier": shown.earlier})}


def _shown_from(value: Mapping[str, Any]) -> Shown:
    return Shown(tuple(value["rules"]), _tuples(value.get("refs", {})), _tuples(value.get("earlier", {})))


def _meeting(meeting: Meeting) -> dict[str, Any]:
    return {
        "forum": meeting.forum,
        "invited": meeting.invited,
        "state": meeting.state,
        **_kept({"attended": meeting.attended, "check_expires_at": meeting.check_expires_at}),
    }


def _meeting_from(value: Mapping[str, Any]) -> Meeting:
    return Meeting(
        forum=value["forum"],
        invited=tuple(value["invited"]),
        state=value["state"],
        attended=tuple(value.get("attended", ())),
        check_expires_at=value.get("check_expires_at"),
    )


def _consent(consent: Consent) -> dict[str, Any]:
    return {
        "scope": sorted(consent.scope),
        "recipients": sorted(consent.recipients),
        "event": consent.event,
        **_kept({"withdrawn": consent.withdrawn}),
    }


def _consent_from(value: Mapping[str, Any]) -> Consent:
    return Consent(
        scope=frozenset(value["scope"]),
        recipients=frozenset(value["recipients"]),
        event=value["event"],
        withdrawn=value.get("withdrawn", False),
    )


def _measure(measure: Measure) -> dict[str, Any]:
    return {"provider": measure.provider, "event": measure.event, **_kept({"ended": measure.ended})}


def _transfer(transfer: Transfer) -> dict[str, Any]:
    return {
        "to": transfer.to,
        "from_party": transfer.from_party,
        "kind": transfer.kind,
        "event": transfer.event,
        "state": transfer.state,
        **_kept({"closing_event": transfer.closing_event}),
    }
