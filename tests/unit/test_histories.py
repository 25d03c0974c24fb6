"""What must hold in every history: nothing leaves that no rule names, replays are equal, states come back."""

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.case import Case
from schemas.case_facts import involved
from schemas.contract import Rule
from schemas.judge import replay
from schemas.may_read import Deposit, Reading, may_read
from schemas.state import decode, empty, encode
from schemas.verdicts import Accepted, Refusal
from schemas.views import View
from tests.unit.histories import PARTIES, Step, histories, opened, take
from tests.unit.sayings import DEFAULTS, Talk, views
from tests.unit.scenarios import Heard, contract, disclosed

QUICK = settings(max_examples=120)


def rules_of(view: View) -> list[Rule]:
    """Return the rules that a view names as its grounds."""
    return [contract().rule[ground["rule"]] for ground in view.data["grounds"]]


def holds_only_what_its_rules_name(view: View, type_: str) -> bool:
    """Whether fields, references and earlier references are all listed by the view's rules."""
    listed: dict[str, set[str]] = {"fields": set(), "refs": set(), "case_refs": set()}
    for rule in rules_of(view):
        assert rule.event == type_
        for part, names in (("fields", rule.release), ("refs", rule.refs), ("case_refs", rule.case_refs)):
            listed[part] |= set(names)
    return all(view.data[part].keys() <= names for part, names in listed.items())


def classes(view: View, type_: str) -> set[int]:
    """Return the classes of the fields that a view shows as values."""
    return {contract().types[type_].fields[name].sensitivity for name in view.data["fields"]}


def check_views(heard: Heard, party: str, type_: str) -> None:
    """Hold every view and receipt of an accepted event against what must always hold."""
    decision = heard.decision
    assert decision is not None
    for view in decision.views:
        assert holds_only_what_its_rules_name(view, type_)
        assert classes(view, type_) <= {0, 1}
        assert "vault:" not in str(view.data["fields"])
        if not contract().parties[view.recipient].holds_case_data:
            assert all(rule.non_holder for rule in rules_of(view))
            assert classes(view, type_) <= {0}
            assert not {*view.data["refs"], *view.data["case_refs"]}
        if view.recipient == party:
            assert all(rule.to_publisher for rule in rules_of(view))
    shown = [view.recipient for view in decision.views]
    receipts = [receipt.recipient for receipt in decision.receipts]
    assert shown == sorted(set(shown))
    assert receipts == sorted(set(receipts))
    assert {r.recipient for r in decision.receipts if r.outcome == "released"} == set(shown)
    assert all(receipt.rules or receipt.failed for receipt in decision.receipts)
    assert set(decision.withheld) <= set(receipts) - set(shown)


def check_case(case: Case) -> None:
    """Hold a case against what the needs promise of it."""
    assert Counter(transfer.state for transfer in case.transfers.values())["pending"] <= 1
    assert sum(m.forum == "ssd" and m.state != "cancelled" for m in case.meetings.values()) <= 2
    assert case.owner != "ku"
    assert all(involved(case, party) for said in case.said.values() for party in said.shown)
    assert all(set(meeting.attended) <= set(meeting.invited) for meeting in case.meetings.values())


@QUICK
@given(histories)
def test_views_receipts_and_cases(history: tuple[str, list[Step]]) -> None:
    talk = opened(history[0])
    for step in history[1]:
        before = dict(talk.bus.states)
        heard = take(talk, step)
        if heard.decision is None:
            assert talk.bus.states.keys() - before.keys() <= {talk.case}
            assert all(talk.bus.states[key] == state for key, state in before.items())
            continue
        event = talk.bus.accepted[-1].event
        check_views(heard, event.party, event.type)
        check_case(talk.state)
        assert heard.verdict == Accepted(event.id, heard.decision.withheld)


@QUICK
@given(histories)
def test_replay_is_the_same_bytes_and_states_come_back(history: tuple[str, list[Step]]) -> None:
    talk = opened(history[0])
    states = {talk.case: talk.state}
    lived = [heard for heard in (take(talk, step) for step in history[1]) if heard.decision]
    again: dict[str, Any] = {key: decode(encode(state)) for key, state in states.items()}
    for admitted, heard in zip(talk.bus.accepted[-len(lived) :] if lived else [], lived, strict=True):
        key = admitted.event.key
        state, decision = replay(contract(), again.get(key, empty(key)), admitted)
        assert disclosed(decision) == disclosed(heard.decision)
        assert heard.judgement is not None
        assert encode(state) == encode(heard.judgement.state)
        again[key] = decode(encode(state))
        assert again[key] == state


@QUICK
@given(histories, st.integers(0, 10_000))
def test_nobody_reads_what_no_view_showed_it_nor_what_was_recalled(history: tuple[str, list[Step]], pick: int) -> None:
    talk = opened(history[0])
    opening = [*talk.state.said.values()]
    shown = {(party, ref) for said in opening for party in {"bif", *said.shown} for ref in said.refs.values()}
    for step in history[1]:
        heard = take(talk, step)
        for party, data in views(heard).items() if heard.decision else ():
            shown |= {(party, ref) for ref in data["refs"].values()}
            shown |= {(party, ref) for refs in data["case_refs"].values() for ref in refs}
    case = talk.state
    deposits = [Deposit(r, s.party, case.id, f) for s in case.said.values() for f, r in s.refs.items()]
    for deposit in deposits and (deposits[pick % len(deposits) :] + deposits)[:8]:
        recalled = any(s.recalled for s in case.said.values() if deposit.ref in s.refs.values())
        for party in PARTIES:
            reading = may_read(contract(), case, deposit, party, talk.bus.now)
            if party == deposit.party:
                assert isinstance(reading, Reading)
            elif isinstance(reading, Reading):
                assert (party, deposit.ref) in shown
                assert not recalled
                assert reading.rules
                assert reading.events


@QUICK
@given(histories, st.sampled_from([party for party in PARTIES if party != "ku"]), st.sampled_from(sorted(DEFAULTS)))
def test_a_stranger_learns_nothing(history: tuple[str, list[Step]], stranger: str, last: str) -> None:
    talk = opened(history[0])
    for step in history[1]:
        take(talk, step)
    if involved(talk.state, stranger):
        return
    said = talk.say(stranger, last)
    if last == "prevention-activity-held":
        assert isinstance(said.verdict, Accepted)
    else:
        assert isinstance(said.verdict, Refusal)
        assert said.verdict.reason in {"unknown_case", "case_exists", "not_a_publisher", "schema"}


def test_histories_are_no_idle_talk() -> None:
    taken: Counter[str] = Counter()

    @settings(max_examples=300, database=None, derandomize=True)
    @given(histories)
    def say(history: tuple[str, list[Step]]) -> None:
        talk: Talk = opened(history[0])
        for step in history[1]:
            heard = take(talk, step)
            if heard.decision:
                taken[step.type] += 1

    say()
    assert set(contract().types) - set(taken) == {"relative-support-started"}  # that one opens a history
