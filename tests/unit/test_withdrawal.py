"""A consent withdrawn: who is told, what ends of what was released before, and how in a case that is over."""

from collections.abc import Callable

import pytest

from schemas.case import Case
from schemas.may_read import Deposit, Reading, Refused, may_read
from schemas.state import decode, encode
from tests.unit.sayings import ADULT, ONE, OTHER, Talk, coordinated, failed, views
from tests.unit.scenarios import Heard

Ways = Callable[[Talk, Heard], Heard]
GIVEN = {"consent": OTHER, "scope": ["meeting", "measure", "exit", "handover"], "recipients": ["vink", "suf", "ekp"]}


def said(talk: Talk, _: Heard) -> Heard:
    """Withdraw as the catalogue has it."""
    return talk.ok("sof", "consent-recorded", **GIVEN, state="withdrawn")


def corrected(reason: str) -> Ways:
    """Correct the event that gave it."""

    def correct(talk: Talk, given: Heard) -> Heard:
        return talk.ok("sof", "correction-issued", corrects=given.id, reason=reason)

    return correct


ways = pytest.mark.parametrize(
    "withdraw", [said, corrected("withdrawn"), corrected("wrong_subject")], ids=["said", "withdrawn", "wrong_subject"]
)


def consented(owner: str = "sof") -> tuple[Talk, Heard]:
    """An adult's case, in which no other ground than the consent lets anything out."""
    talk = coordinated(ADULT, owner)
    return talk, talk.ok(owner, "consent-recorded", **GIVEN)


def reading(talk: Talk, event: Heard, field: str, party: str) -> Reading | Refused:
    """Ask as the vault does."""
    case = decode(encode(talk.state))
    assert isinstance(case, Case)
    carrier = case.said[event.id]
    deposit = Deposit(carrier.refs[field], carrier.party, talk.case, field)
    return may_read(talk.bus.contract, case, deposit, party, talk.bus.now)


def no_consent(rule: str) -> Refused:
    return Refused("no_consent", ((rule, "no_consent"),))


class TestTold:
    def test_everybody_whom_the_consent_named(self) -> None:
        talk, given = consented()
        told = views(said(talk, given))
        assert set(told) == {"ekp", "ku", "suf", "vink"}
        for party in ("ekp", "suf", "vink"):
            assert told[party]["fields"] == {"consent": OTHER, "scope": GIVEN["scope"], "state": "withdrawn"}

    @pytest.mark.parametrize("reason", ["withdrawn", "wrong_subject"])
    def test_everybody_who_was_told_of_it_where_its_giving_is_corrected(self, reason: str) -> None:
        talk, given = consented()
        told = views(corrected(reason)(talk, given))
        assert set(told) == {"ekp", "ku", "suf", "vink"}
        assert all(view["fields"] == {"corrects": given.id, "reason": reason} for view in told.values())

    @ways
    def test_a_provider_whose_measure_is_open(self, withdraw: Ways) -> None:
        talk, given = consented()
        started = talk.ok("sof", "measure-started", measure=ONE, provider="suf")
        assert views(started)["suf"]["grounds"][0]["obligations"] == ["delete_on_withdrawal"]
        assert "suf" in views(withdraw(talk, given))
        assert not talk.state.measures[ONE].ended  # ending it is its owner's to say, and tells nothing on that ground
        assert views(talk.ok("sof", "measure-ended", measure=ONE))["suf"]["refs"] == {}

    def test_also_by_a_later_owner(self) -> None:
        talk, _ = consented()
        talk.ok("sof", "transfer-initiated", transfer=ONE, to="suf")
        talk.ok("suf", "transfer-accepted", transfer=ONE)
        assert set(views(talk.ok("suf", "consent-recorded", **GIVEN, state="withdrawn"))) == {"ekp", "ku", "vink"}


class TestBound:
    @ways
    def test_measures(self, withdraw: Ways) -> None:
        talk, given = consented()
        started = talk.ok("sof", "measure-started", measure=ONE, provider="suf")
        assert isinstance(reading(talk, started, "plan", "suf"), Reading)
        withdraw(talk, given)
        assert reading(talk, started, "plan", "suf") == no_consent("measure-provider")
        again = talk.ok("sof", "measure-started", measure=OTHER, provider="suf")
        assert failed(again) == {"suf": {"measure-provider": "no_consent"}}
        assert "suf" not in views(again)

    @ways
    def test_exit_programmes(self, withdraw: Ways) -> None:
        talk, given = consented()
        before = talk.ok("vink", "exit-enrolled")
        assert isinstance(reading(talk, before, "plan", "ekp"), Reading)
        withdraw(talk, given)
        assert reading(talk, before, "plan", "ekp") == no_consent("exit-ekp")
        assert failed(talk.ok("vink", "exit-enrolled"))["ekp"] == {"exit-ekp": "no_consent"}

    @ways
    def test_meetings_held_by_consent(self, withdraw: Ways) -> None:
        talk, given = consented()
        invited = ["vink", "suf"]
        talk.ok("ku", "meeting-scheduled", meeting=ONE, forum="consent", invited=invited)
        talk.ok("ku", "register-check-requested", meeting=ONE)
        answered = talk.ok("vink", "register-check-answered", meeting=ONE)
        assert isinstance(reading(talk, answered, "facts", "suf"), Reading)
        withdraw(talk, given)
        assert reading(talk, answered, "facts", "suf") == no_consent("answer-invited")
        assert failed(talk.ok("suf", "register-check-answered", meeting=ONE)) == {
            "vink": {"answer-invited": "no_consent"}
        }
        held = talk.ok("ku", "meeting-held", meeting=ONE, attended=invited)
        assert failed(held) == {party: {"held-attended": "no_consent"} for party in invited}
        elsewhere = {"meeting": OTHER, "forum": "consent", "invited": invited}
        assert talk.refused("ku", "meeting-scheduled", **elsewhere) == "forum_excludes_party"

    @ways
    def test_handovers(self, withdraw: Ways) -> None:
        talk, given = consented()
        talk.ok("sof", "transfer-initiated", transfer=ONE, to="suf")
        withdraw(talk, given)
        assert talk.refused("suf", "transfer-accepted", transfer=ONE) == "no_handover_basis"

    def test_a_handover_made_before(self) -> None:
        talk, given = consented()
        initiated = talk.ok("sof", "transfer-initiated", transfer=ONE, to="suf")
        talk.ok("suf", "transfer-accepted", transfer=ONE)
        assert isinstance(reading(talk, initiated, "dossier", "suf"), Reading)
        corrected("withdrawn")(talk, given)
        refused = Refused("no_handover_basis", (("accepted-new", "no_handover_basis"),))
        assert reading(talk, initiated, "dossier", "suf") == refused

    @ways
    def test_but_not_what_another_consent_covers_too(self, withdraw: Ways) -> None:
        talk, given = consented()
        started = talk.ok("sof", "measure-started", measure=ONE, provider="suf")
        talk.ok("sof", "consent-recorded", consent=talk.fresh(), scope=["measure"], recipients=["suf"])
        withdraw(talk, given)
        assert isinstance(reading(talk, started, "plan", "suf"), Reading)


class TestOver:
    """A closed case takes no consent-recorded, but what was released on a consent can still be read, until erased."""

    def ended(self, how: str) -> tuple[Talk, Heard, Heard]:
        talk, given = consented()
        started = talk.ok("sof", "measure-started", measure=ONE, provider="suf")
        if how == "closed":
            talk.ok("sof", "case-closed")
        else:
            talk.ok("ku", "concern-screened", outcome=how)
        assert isinstance(reading(talk, started, "plan", "suf"), Reading)
        return talk, given, started

    @pytest.mark.parametrize(
        ("how", "reason"),
        [("closed", "case_closed"), ("close", "case_closed"), ("advise", "not_active"), ("police_only", "not_active")],
    )
    def test_the_giving_is_corrected_as_withdrawn(self, how: str, reason: str) -> None:
        talk, given, started = self.ended(how)
        assert talk.refused("sof", "consent-recorded", **GIVEN, state="withdrawn") == reason
        told = corrected("withdrawn")(talk, given)
        assert set(views(told)) == {"ekp", "ku", "suf", "vink"}
        assert talk.state.consents[OTHER].withdrawn
        assert reading(talk, started, "plan", "suf") == no_consent("measure-provider")

    def test_by_whoever_recorded_it(self) -> None:
        talk, given = consented()
        talk.ok("sof", "transfer-initiated", transfer=ONE, to="suf")
        talk.ok("suf", "transfer-accepted", transfer=ONE)
        talk.ok("suf", "case-closed")
        assert talk.refused("suf", "correction-issued", corrects=given.id) == "not_your_event"
        assert set(views(corrected("withdrawn")(talk, given))) == {"ekp", "ku", "suf", "vink"}
