"""The words that a contract may use are those that functions stand behind, no more and no fewer."""

from schemas import needs, predicates, recipients
from schemas.contract_files import load
from schemas.contract_words import CASELESS_ROLES, NEEDS, PREDICATES, RECIPIENT_ROLES
from schemas.events import EVENTS
from tests.contracts import IN_FORCE


def test_every_need_is_a_function() -> None:
    assert {name: frozenset(reasons) for name, reasons in needs.NEEDS.items()} == dict(NEEDS)
    assert NEEDS.keys() <= EVENTS.keys()


def test_every_predicate_is_a_function() -> None:
    assert predicates.PREDICATES.keys() == PREDICATES.keys()


def test_every_recipient_role_is_a_function() -> None:
    # `everyone` is said of no case and resolved beside the table
    assert recipients.ROLES.keys() | CASELESS_ROLES == RECIPIENT_ROLES.keys()


def test_the_contract_in_force_uses_every_word() -> None:
    contract = load(IN_FORCE)
    assert contract.predicates == dict(PREDICATES)
    assert {name: frozenset(type_.needs) for name, type_ in contract.types.items() if type_.needs} == dict(NEEDS)
    assert RECIPIENT_ROLES.keys() <= {rule.to for rule in contract.rules}
