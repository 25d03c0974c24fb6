"""What `policy explain` says of each rule is what the decision itself did, for every event and every party."""

import json
from collections.abc import Iterator
from typing import Any

from deploy.cli.explanation import Explanation, explain
from deploy.paper_log import PaperBus
from deploy.scenario_file import Utterance
from schemas import judge
from schemas.envelope import Admitted
from schemas.verdicts import Accepted, Refusal
from tests import wire


def said() -> list[dict[str, Any]]:
    return [line.event for line in wire.scenario() if isinstance(line, Utterance)]


def moments() -> Iterator[tuple[PaperBus, Admitted]]:
    """Each well-formed event of the scenario, with the bus as it stood before it."""
    bus = PaperBus(wire.contracts())
    for event in said():
        line = json.dumps(event).encode()
        admitted = bus.take(line)
        if isinstance(admitted, Admitted):
            yield bus, admitted
        bus.hear(line)


def explained(bus: PaperBus, admitted: Admitted, party: str) -> Explanation:
    return explain(wire.contracts().newest, bus.state_of(admitted), admitted, party)


def test_it_agrees_with_every_decision_of_the_scenario() -> None:
    contract = wire.contracts().newest
    seen = set()
    for bus, admitted in moments():
        decision = judge.judge(contract, bus.state_of(admitted), admitted).decision
        if decision is None:
            continue
        receipts = {receipt.recipient: receipt for receipt in decision.receipts}
        for party in contract.parties:
            told = explained(bus, admitted, party)
            released = tuple(ruled.rule for ruled in told.ruled if ruled.said == "released")
            withheld = tuple((ruled.rule, ruled.reason) for ruled in told.ruled if ruled.said == "withheld")
            receipt = receipts.get(party)
            assert released == (receipt.rules if receipt else ())
            assert withheld == (tuple(receipt.failed.items()) if receipt else ())
            names = {name for ruled in told.ruled for name in (*ruled.fields, *ruled.refs, *ruled.case_refs)}
            assert names == ({*receipt.fields, *receipt.refs} if receipt else set())
            seen |= {ruled.said for ruled in told.ruled}
    assert seen == {"released", "withheld", "not_addressed", "when_not_met", "own_event"}


def test_a_basis_that_the_forum_decides_is_told() -> None:
    bus, admitted = next(m for m in moments() if m[1].event.id == "912af19d-2551-4621-8ef6-02058668e8fd")
    [ruled] = [r for r in explained(bus, admitted, "politi").ruled if r.said == "released"]
    assert (ruled.gate, ruled.predicates, ruled.basis) == (
        "forum",
        ("forum_permits",),
        "retsplejeloven § 115, stk. 1, nr. 1",
    )


def test_a_refused_event_releases_nothing() -> None:
    bus, admitted = next(m for m in moments() if m[1].event.id == "457dfca3-e91b-4503-b2ed-e186f26939ae")
    told = explained(bus, admitted, "ku")
    assert isinstance(told.verdict, Refusal)
    assert (told.view, told.ruled) == (None, ())


def test_a_line_of_the_log_brings_its_own_time_and_seal() -> None:
    """What the log holds beside the event itself is the bus's, and is taken off before admission."""
    bus = PaperBus(wire.contracts())
    line = {**said()[0], "recordedtime": "2026-03-05T00:00:00Z", "salt": "00" * 16, "contract": "x", "inboxoffset": "1"}
    assert isinstance(bus.hear(json.dumps(line).encode()), Accepted)
    assert bus.now.isoformat() == "2026-03-05T00:00:00+00:00"


def test_time_never_runs_back() -> None:
    bus = PaperBus(wire.contracts())
    bus.hear(json.dumps({**said()[0], "recordedtime": "2026-03-05T00:00:00Z"}).encode())
    admitted = bus.take(json.dumps(said()[1]).encode())
    assert isinstance(admitted, Admitted)
    assert admitted.seal.recorded.startswith("2026-03-05T00:00:00")


def test_the_bus_itself_speaks_in_a_case_log() -> None:
    """A deadline that passed is said by the bus, which is no party."""
    bus = PaperBus(wire.contracts())
    bus.hear(json.dumps(said()[0]).encode())
    passed = {
        **said()[0],
        "id": "7f2f5a0e-1111-4b5e-9d5b-0a8a4f0f0001",
        "source": "urn:samspil:party:bus",
        "type": "dk.samspil.deadline-passed.v1",
        "time": "2026-03-03T11:00:00Z",
        "data": {"deadline": "assessment_24h", "due_at": "2026-03-03T11:00:00Z", "responsible": "sof"},
    }
    admitted = bus.take(json.dumps(passed).encode())
    assert isinstance(admitted, Admitted)
    view = explained(bus, admitted, "sof").view
    assert view is not None
    assert view.data["fields"]["deadline"] == "assessment_24h"
    broken = bus.take(json.dumps({**passed, "data": {}}).encode())
    assert isinstance(broken, Refusal)
