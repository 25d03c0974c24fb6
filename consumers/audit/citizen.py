"""What a citizen may see of the disclosures: all, but what would tell of an authority's secret request.

Such a request (gate G7) may be secret to whom it is about. It is left out whole, and so is what leads back to it: a
correction of it, its acknowledgements, reads of its reference. Counts are of what is left, so that no gap tells.
"""

from collections.abc import Iterable
from dataclasses import replace

from consumers.audit.disclosures import Disclosure
from consumers.audit.history import Told
from schemas.contract import Contract
from schemas.events.rights import CorrectionAcknowledged, CorrectionIssued

SECRET = "authority-request-received"  # noqa: S105 - a type of event


def for_citizen(contract: Contract, rows: Iterable[Disclosure], told: Told | None = None) -> tuple[Disclosure, ...]:
    """Return the rows without those of a secret request, and without the names of who read the vault."""
    everything = tuple(rows)
    hidden, names = secret_events(everything, told), _secret_names(contract)
    shown = (row for row in everything if row.event not in hidden and not _is_of(names, row) and _is_told(row))
    return tuple(replace(row, actor=None) for row in shown)


def secret_events(rows: Iterable[Disclosure], told: Told | None = None) -> frozenset[str | None]:
    """Return the events of secret requests, and those that lead back to one."""
    everything = tuple(rows)
    secret = {row.event for row in everything if row.type == SECRET}
    if told is None or not told.events:
        return frozenset(secret | (_suspect(everything, secret) if secret else set()))
    for retold in told.events:  # in log order: what refers comes after what it refers to
        event = retold.admitted.event
        about = event.data.corrects if isinstance(event.data, CorrectionIssued) else None
        about = event.data.correction if isinstance(event.data, CorrectionAcknowledged) else about
        if event.type == SECRET or about in secret:
            secret.add(event.id)
    return frozenset(secret)


def _suspect(rows: tuple[Disclosure, ...], secret: set[str | None]) -> set[str | None]:
    """Return the corrections that may be of a secret event, where the log that would say so is not there."""
    knowing = {row.recipient for row in rows if row.event in secret}
    corrections = {row.event for row in rows if row.type == "correction-issued" and row.recipient in knowing}
    return corrections | {row.event for row in rows if row.type == "correction-acknowledged"}


def _secret_names(contract: Contract) -> frozenset[str]:
    """Return the names of references that a secret event alone has."""
    types = contract.types.items()
    others = {f.name for name, type_ in types if name != SECRET for f in type_.fields.values() if f.is_ref}
    secret = contract.types.get(SECRET)
    return frozenset({f.name for f in secret.fields.values() if f.is_ref} - others) if secret else frozenset()


def _is_of(names: frozenset[str], row: Disclosure) -> bool:
    return row.outcome in {"read", "read_refused"} and not names.isdisjoint(row.refs)


def _is_told(row: Disclosure) -> bool:
    """Whether it can be told what a receipt is about: what cannot might be a secret."""
    return row.type is not None or all(ground.gate for ground in row.grounds)
