"""What leaves: views, grounds, markers, receipts and the verdict's withheld parties, gate by gate and role by role."""

import json

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from schemas.canonical import canonical
from schemas.contract_words import PREDICATES as PREDICATE_WORDS
from schemas.contract_words import RECIPIENT_ROLES
from schemas.decide import decide
from schemas.predicates import PREDICATES
from schemas.recipients import EVERYONE, ROLES
from schemas.verdicts import Accepted
from schemas.views import Receipt, View, heading_of, view_digest
from tests.unit.sayings import ADULT, CASE, ONE, OTHER, Talk, concerned, coordinated, failed, met, rules, views
from tests.unit.scenarios import Bus, Heard, contract, play, said


def test_words_of_the_policy_have_functions_and_no_other() -> None:
    assert set(PREDICATES) == set(PREDICATE_WORDS)
    assert {*ROLES, EVERYONE} == set(RECIPIENT_ROLES)


class TestView:
    def test_form(self) -> None:
        talk = Talk()
        heard = talk.ok("buf", "concern-raised", ce_time="2026-03-02T12:00:00+01:00")
        assert heard.decision is not None
        view = heard.decision.views[1]
        said = talk.bus.accepted[-1].event.fields
        assert view.recipient == "sof"
        assert {name: text for name, text in view.body().items() if name != "data"} == {
            "specversion": "1.0",
            "id": view.id,
            "source": "urn:samspil:party:buf",
            "type": "dk.samspil.concern-raised.v1",
            "subject": CASE,
            "time": "2026-03-02T12:00:00+01:00",
            "datacontenttype": "application/json",
            "causationid": heard.id,
        }
        ground = {
            "rule": "concern-sof",
            "gate": "child",
            "basis": "barnets lov §§ 133-137",
            "obligations": [],
        }
        fields = ("source_type", "age_band", "observed_on", "tier_1_signs", "tier_2_signs", "protective_factors")
        assert json.loads(view.value) == {
            "fields": {name: said[name] for name in fields},
            "refs": {name: said[name] for name in ("signs", "person")},  # no narrative was given
            "case_refs": {},
            "grounds": [ground],
            "contract": contract().digest,
        }

    def test_grounds_in_the_order_of_the_rules_each_with_its_obligations(self) -> None:
        talk = met()
        grounds = views(talk.ok("ku", "meeting-held", meeting=ONE))["sof"]["grounds"]
        assert [(ground["rule"], ground["gate"], ground["basis"], ground["obligations"]) for ground in grounds] == [
            ("held-attended", "forum", "retsplejeloven § 115, stk. 1, nr. 1", ["no_investigation_use"]),
            ("held-owner", "ownership", "databeskyttelsesloven §§ 6-8", []),
        ]

    def test_several_rules_make_one_view(self) -> None:
        talk = met()
        held = views(talk.ok("ku", "meeting-held", meeting=ONE))
        assert set(held["sof"]["fields"]) == {"meeting", "attended", "recommendation"}
        assert set(held) == {"sof", "buf"}

    def test_the_publisher_is_left_out_but_where_the_rule_says_self(self) -> None:
        talk = concerned()
        assert rules(talk.ok("sof", "concern-screened", outcome="advise")) == {"ku": ["screened-ku"]}
        assert rules(talk.ok("sof", "concern-screened"))["sof"] == ["screened-owner"]

    def test_a_rule_whose_when_does_not_hold_leaves_nothing(self) -> None:
        talk = coordinated(owner="bif")
        assert rules(talk.ok("bif", "rights-request-received", article="15")) == {"dpo": ["rights-dpo"]}
        asked = talk.ok("bif", "rights-request-received", article="17")
        assert set(rules(asked)) == {"dpo", "ku", "sof"}
        assert failed(asked) == {}


class TestMarker:
    def test_says_only_that_something_happened(self) -> None:
        heard = coordinated(owner="vink").ok("vink", "exit-enrolled")
        assert heard.decision is not None
        view = next(view for view in heard.decision.views if view.recipient == "ku")
        assert view.heading.type == "dk.samspil.case-touched.v1"
        assert (view.data["fields"], view.data["refs"], view.data["case_refs"]) == ({}, {}, {})

    def test_typed_or_united_with_an_ordinary_rule_keeps_the_type(self) -> None:
        heard = coordinated().ok("sof", "case-closed")
        assert heard.decision is not None
        types = {view.recipient: view.heading.type for view in heard.decision.views}
        assert types == {"ku": "dk.samspil.case-closed.v1"}
        assert rules(heard) == {"ku": ["closed-ku", "closed-recipients"]}
        typed = met().ok("sof", "case-closed")
        assert typed.decision is not None
        assert {view.recipient: (view.heading.type, view.data["fields"]) for view in typed.decision.views} == {
            "buf": ("dk.samspil.case-closed.v1", {}),
            "ku": ("dk.samspil.case-closed.v1", {"outcome": "resolved"}),
        }


class TestReceipts:
    def test_released(self) -> None:
        talk = met()
        heard = talk.ok("ku", "register-check-requested", meeting=ONE)
        assert heard.decision is not None
        admitted = talk.bus.accepted[-1]
        receipt, view = heard.decision.receipts[0], heard.decision.views[0]
        assert receipt.body() == {
            "event": heard.id,
            "subject": CASE,
            "recipient": "buf",
            "outcome": "released",
            "time": admitted.seal.recorded,
            "actor": None,
            "rules": ["check-invited"],
            "failed": {},
            "fields": ["expires_at", "meeting"],
            "refs": ["person"],
            "contract": contract().digest,
            "view_digest": view_digest(admitted.seal.salt, view),
        }

    def test_withheld(self) -> None:
        talk = Talk()
        decision = talk.ok("buf", "concern-raised", age_band=ADULT).decision
        assert decision is not None
        assert [receipt.recipient for receipt in decision.receipts] == ["ku", "sof"]
        body = decision.receipts[1].body()
        assert (body["outcome"], body["rules"], body["failed"]) == ("withheld", [], {"concern-sof": "not_a_child"})
        assert (body["fields"], body["refs"], body["view_digest"]) == ([], [], None)

    def test_failed_rules_stand_beside_those_that_held(self) -> None:
        talk = coordinated(ADULT)
        heard = talk.ok("buf", "concern-raised", age_band=ADULT)
        assert heard.decision is not None
        body = heard.decision.receipts[1].body()
        assert (body["recipient"], body["outcome"]) == ("sof", "released")
        assert (body["rules"], body["failed"]) == (["concern-owner"], {"concern-sof": "not_a_child"})

    def test_whom_no_rule_addresses_gets_none(self) -> None:
        decision = coordinated().ok("sof", "rights-request-received").decision
        assert decision is not None
        assert [receipt.recipient for receipt in decision.receipts] == ["dpo"]


class TestVerdict:
    def test_names_parties_that_the_events_own_data_named_and_a_rule_addressed(self) -> None:
        talk = coordinated(ADULT)
        started = talk.ok("sof", "measure-started", measure=ONE, provider="suf")
        assert started.verdict == Accepted(started.id, ("suf",))
        asked = {"consent": OTHER, "recipients": ["vink", "bolig-nord", "pet"]}
        consent = talk.ok("sof", "consent-recorded", **asked)
        assert consent.verdict == Accepted(consent.id, ("bolig-nord", "pet"))

    def test_does_not_name_whom_the_data_did_not_name(self) -> None:
        talk = coordinated(ADULT, "ekp")
        enrolled = talk.ok("ekp", "exit-enrolled")
        assert failed(enrolled) == {"vink": {"exit-vink": "no_consent"}}
        assert enrolled.verdict == Accepted(enrolled.id)

    def test_does_not_name_the_publisher_nor_whom_no_rule_addressed(self) -> None:
        talk = coordinated()
        assert talk.ok("sof", "measure-started", measure=ONE, provider="sof").verdict == Accepted(
            next(reversed([*talk.state.said]))
        )
        request = talk.ok("ku", "authority-request-received", requester="pet")
        assert request.verdict == Accepted(request.id)


class TestHolders:
    def test_a_non_holder_is_served_by_a_rule_for_non_holders_alone(self) -> None:
        talk = concerned(by="bolig-nord")
        heard = talk.ok("ku", "notifier-receipted", concern=next(iter(talk.state.said)))
        assert views(heard)["bolig-nord"]["fields"] == {"concern": next(iter(talk.state.said))}
        assert failed(heard) == {"bolig-nord": {"receipt-authority": "may_not_hold_case_data"}}

    def test_and_is_not_told_of_corrections(self) -> None:
        talk = concerned(by="bolig-nord")
        receipt = talk.ok("ku", "notifier-receipted", concern=next(iter(talk.state.said)))
        heard = talk.ok("ku", "correction-issued", corrects=receipt.id)
        assert failed(heard) == {"bolig-nord": {"correction": "may_not_hold_case_data"}}

    def test_activities_reach_everyone_but_small_counts_reach_nobody(self) -> None:
        heard = Talk().ok("vink", "prevention-activity-held", participants=4)
        assert set(views(heard)) == set(contract().parties) - {"vink"}
        assert all("participants" not in view["fields"] for view in views(heard).values())
        heard = Talk().ok("vink", "prevention-activity-held", participants=5)
        assert all(view["fields"]["participants"] == 5 for view in views(heard).values())
        assert heard.decision is not None
        assert {
            (view.heading.case, receipt.subject) for view in heard.decision.views for receipt in heard.decision.receipts
        } == {(None, None)}


def test_an_event_is_decided_alike_once_its_decision_is_remembered() -> None:
    talk = met()
    heard = talk.ok("sof", "case-closed")
    assert decide(contract(), talk.state, talk.bus.accepted[-1]) == heard.decision
    assert "ku" in rules(talk.bus_says("case-erased"))
    alone = Talk()
    alone.ok("ku", "concern-raised")
    assert "ku" not in rules(alone.bus_says("case-erased"))


def test_output_is_sorted_and_canonical() -> None:
    decision = met().ok("ku", "register-check-requested", meeting=ONE).decision
    assert decision is not None
    recipients = [view.recipient for view in decision.views]
    assert recipients == sorted(recipients)
    assert [receipt.recipient for receipt in decision.receipts] == recipients
    assert decision.views[0].value == canonical(json.loads(decision.views[0].value))


@given(st.text(), st.text(), st.none() | st.text(), st.text(), st.text(), st.text())
def test_a_view_is_a_canonical_event_whatever_its_attributes(
    id_: str, source: str, case: str | None, time: str, event: str, said: str
) -> None:
    view = View("ku", id_, heading_of("dk.samspil.x.v1", source, case, time, event), canonical({"fields": said}))
    assert view.letter() == canonical(view.body())
    assert view.body() == {
        "specversion": "1.0",
        "id": id_,
        "source": source,
        "type": "dk.samspil.x.v1",
        **({"subject": case} if case else {}),
        "time": time,
        "datacontenttype": "application/json",
        "causationid": event,
        "data": {"fields": said},
    }


def test_receipts_are_canonical() -> None:
    bus = Bus(contract())
    values = [receipt.value() for heard in play(bus, said("first-weeks")) for receipt in _receipts(heard)]
    assert len(values) > 200
    assert all(value == rfc8785.dumps(json.loads(value)) for value in values)


def _receipts(heard: Heard) -> tuple[Receipt, ...]:
    return heard.decision.receipts if heard.decision else ()
