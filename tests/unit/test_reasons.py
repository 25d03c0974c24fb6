"""Every reason that a party may be told has words on the command line, and no word is of a reason that nobody gives."""

from itertools import chain

from deploy.cli.reasons import MEANINGS
from deploy.cli.verdict_lines import why
from schemas import orders
from schemas.check import UNTAKEN
from schemas.contract_words import NEEDS
from streams.dead_letters import INTERNAL

# As catalogue.yaml has them in its order of judgement; no machine reads that.
ADMISSION = {
    "bad_envelope",
    "too_large",
    "not_your_source",
    "clock_ahead",
    "unknown_type",
    "not_a_publisher",
    "schema",
    "unknown_ref",
}
CASE = {"id_taken", "unknown_case", "case_exists", "case_closed", "case_full", "not_a_publisher", UNTAKEN, INTERNAL}


def test_every_reason_has_words_and_no_other() -> None:
    assert MEANINGS.keys() == ADMISSION | CASE | set(chain.from_iterable(NEEDS.values())) | orders.REFUSED.keys()
    assert all(words and words[-1] != "." for words in MEANINGS.values())


def test_a_reason_of_a_newer_bus_stands_for_itself() -> None:
    assert why("not_on_sundays", ["/time"]) == "not_on_sundays at /time"


def test_a_refusal_says_where_and_what_it_means() -> None:
    assert why("not_your_source", ["/source"]).startswith("not_your_source at /source (its source is not the party")
    assert why("bad_envelope", [""]).startswith("bad_envelope at the whole event (")
    assert why("case_full", []) == "case_full (the case holds 1,000 events)"
