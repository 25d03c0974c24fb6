"""Events as parties would say them, with what a test does not care about filled in: one case, one hour apart."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from schemas.case import Case
from schemas.contract import Contract
from schemas.envelope import Event, source_of, type_of
from schemas.events import EVENTS
from schemas.state import empty
from schemas.verdicts import Refusal
from tests.unit.scenarios import Bus, Heard, contract, sealed

CASE = "11111111-1111-4111-8111-111111111111"
OTHER_CASE = "22222222-2222-4222-8222-222222222222"
ONE, OTHER = "00000000-0000-4000-8000-0000000000aa", "00000000-0000-4000-8000-0000000000bb"
ADULT = "25_plus"

DEFAULTS: dict[str, dict[str, Any]] = {
    "concern-raised": {
        "source_type": "school",
        "age_band": "15_17",
        "observed_on": "2026-01-01",
        "tier_1_signs": 0,
        "tier_2_signs": 2,
        "protective_factors": 1,
        "signs": "ref",
        "person": "ref",
    },
    "child-notification-forwarded": {"received_at": "2026-01-01T10:00:00Z", "person": "ref", "narrative": "ref"},
    "notifier-receipted": {"examination_started": True},
    "concern-screened": {"outcome": "coordinate", "owner": "sof", "grounds": "ref"},
    "meeting-scheduled": {"starts_at": "2026-02-01T10:00:00Z", "forum": "ssp", "invited": ["sof", "buf"]},
    "register-check-requested": {"expires_at": "2026-12-01T10:00:00Z"},
    "register-check-answered": {"relevant": True, "facts": "ref"},
    "meeting-held": {"attended": ["sof", "buf"], "recommendation": "measure", "minutes": "ref"},
    "conversation-held": {"held_on": "2026-01-01", "outcome": "continued"},
    "consent-recorded": {"scope": ["measure"], "recipients": ["vink"], "state": "given"},
    "measure-started": {"kind": "mentor", "provider": "vink", "plan": "ref"},
    "measure-ended": {"reason": "completed"},
    "exit-enrolled": {"voluntary": True, "plan": "ref"},
    "relative-support-started": {"kind": "network", "relative": "ref"},
    "transfer-initiated": {"to": "buf", "kind": "school_change", "due": "2026-12-01", "dossier": "ref"},
    "transfer-declined": {"reason": "moved"},
    "follow-up-held": {"progress": "better"},
    "police-disclosure-decided": {
        "threat_to_society": True,
        "deciders": ["00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"],
        "behaviour": "ref",
        "reasons": "ref",
        "person": "ref",
    },
    "case-closed": {"outcome": "resolved"},
    "correction-issued": {"reason": "withdrawn"},
    "correction-acknowledged": {"done": "deleted"},
    "authority-request-received": {"requester": "pet", "basis": "court_order", "request": "ref"},
    "rights-request-received": {"article": "15", "received_on": "2026-01-01"},
    "prevention-activity-held": {"area": "knowledge", "kind": "research", "held_on": "2026-01-01"},
    "deadline-passed": {"deadline": "transfer", "due_at": "2026-01-02T10:00:00Z", "responsible": "sof"},
    "case-erased": {"reason": "retention", "recipients": ["sof"]},
}


@dataclass
class Talk:
    """One case and who says what of it. Without an id given, each event has a new one."""

    bus: Bus = field(default_factory=lambda: Bus(contract()))
    case: str = CASE
    count: int = 0

    def fresh(self) -> str:
        """Return a new UUID."""
        self.count += 1
        return str(UUID(int=self.count, version=4))

    def ref(self) -> str:
        """Return a new vault reference."""
        return f"vault:{self.fresh()}"

    @property
    def state(self) -> Case:
        """The case as it is; none after its erasure."""
        state = self.bus.states.get(self.case, empty(self.case))
        return state if isinstance(state, Case) else Case(self.case)

    def _data(self, type_: str, given: dict[str, Any]) -> dict[str, Any]:
        filled = {**DEFAULTS.get(type_, {}), **given}
        return {name: self.ref() if value == "ref" else value for name, value in filled.items()}

    def say(self, party: str, type_: str, **data: Any) -> Heard:
        """Say an event, an hour after the one before. `ce_id` and `ce_time` may be given."""
        time = data.pop("ce_time", None) or (self.bus.now + timedelta(hours=1)).isoformat()
        has_case = type_ != "prevention-activity-held"
        event = {
            "specversion": "1.0",
            "id": data.pop("ce_id", None) or self.fresh(),
            "source": source_of(party),
            "type": type_of(type_),
            "time": time,
            "datacontenttype": "application/json",
            **({"subject": self.case} if has_case else {}),
            "data": self._data(type_, data),
        }
        return self.bus.hear(event)

    def ok(self, party: str, type_: str, **data: Any) -> Heard:
        """Say an event that must be taken."""
        heard = self.say(party, type_, **data)
        assert heard.decision is not None, heard.verdict
        return heard

    def refused(self, party: str, type_: str, **data: Any) -> str:
        """Say an event that must be refused, and return why."""
        heard = self.say(party, type_, **data)
        assert isinstance(heard.verdict, Refusal), heard.verdict
        return heard.verdict.reason

    def bus_says(self, type_: str, **data: Any) -> Heard:
        """Let the bus itself say an event: it passes no admission."""
        model = EVENTS[type_].model_validate_json(json.dumps(self._data(type_, data)))
        self.bus.now += timedelta(hours=1)
        event = Event(self.fresh(), "bus", type_, self.case, self.bus.now.isoformat(), model)
        judgement = self.bus.judge(sealed(self.bus.contract, event, self.bus.now))
        return Heard(event.id, judgement.verdict, judgement)


def concerned(age_band: str = "15_17", by: str = "buf", contract_: Contract | None = None) -> Talk:
    """Return the talk of a case in which a concern was raised."""
    talk = Talk(Bus(contract_ or contract()))
    talk.ok(by, "concern-raised", age_band=age_band)
    return talk


def coordinated(age_band: str = "15_17", owner: str = "sof", contract_: Contract | None = None) -> Talk:
    """Return the talk of a case that sof screened to be coordinated (ku, where it is no child's)."""
    talk = concerned(age_band, contract_=contract_)
    screener = "sof" if age_band in {"under_10", "10_14", "15_17"} else "ku"
    talk.ok(screener, "concern-screened", owner=owner)
    return talk


def met(age_band: str = "15_17", forum: str = "ssp", owner: str = "sof", contract_: Contract | None = None) -> Talk:
    """Return the talk of a case with a meeting scheduled, sof and buf invited."""
    talk = coordinated(age_band, owner, contract_)
    talk.ok("ku", "meeting-scheduled", meeting=ONE, forum=forum)
    return talk


def pending(to: str = "buf", kind: str = "school_change") -> Talk:
    """Return the talk of a case with a transfer pending, from sof."""
    talk = coordinated()
    talk.ok("sof", "transfer-initiated", transfer=ONE, to=to, kind=kind)
    return talk


def relatives() -> Talk:
    """Return the talk of a relative's case."""
    talk = Talk()
    talk.ok("vink", "relative-support-started")
    return talk


def views(heard: Heard) -> dict[str, dict[str, Any]]:
    """Return what each recipient got, as JSON."""
    assert heard.decision is not None
    return {view.recipient: json.loads(view.value) for view in heard.decision.views}


def failed(heard: Heard) -> dict[str, dict[str, str]]:
    """Return the rules that failed for each party, as the receipts have them."""
    assert heard.decision is not None
    return {receipt.recipient: dict(receipt.failed) for receipt in heard.decision.receipts if receipt.failed}


def rules(heard: Heard) -> dict[str, list[str]]:
    """Return the rules that held for each recipient."""
    return {party: [ground["rule"] for ground in data["grounds"]] for party, data in views(heard).items()}
