"""The contract's three files, read and checked as one: a contract with one unknown word is refused whole.

The digest is over what the files say, not how: comments, quotes and line breaks do not matter.
"""

import re
from datetime import date
from pathlib import Path

from schemas import catalogue_file, parties_file, policy_file, rules_file, terms_file
from schemas.canonical import digest
from schemas.contract import Contract, Contracts
from schemas.errors import ContractError
from schemas.located_yaml import Located, read
from schemas.vocabulary import DATE

FILES = ("catalogue", "parties", "policy")
_POLICY = (
    "version",
    "valid_from",
    "predicates",
    "gates",
    "forums",
    "rules",
    "deadlines",
    "retention",
)


def load(directory: Path) -> Contract:
    """Return the contract that a folder's three files make. Raises ContractError, with file and line."""
    catalogue, parties, policy = (read(directory / f"{name}.yaml") for name in FILES)
    return checked(catalogue, parties, policy)


def checked(catalogue: Located, parties: Located, policy: Located) -> Contract:
    """Return the contract that three files make together. Raises ContractError, with file and line."""
    sections = policy.mapping(required=_POLICY)
    members = parties_file.parties(parties)
    types = catalogue_file.types(catalogue, members)
    predicates = policy_file.predicates(sections["predicates"])
    gates = policy_file.gates(sections["gates"], predicates)
    forums = policy_file.forums(sections["forums"], members, types)
    known = rules_file.Known(members, types, gates, forums)
    said = {name: file.plain() for name, file in zip(FILES, (catalogue, parties, policy), strict=True)}
    return Contract(
        valid_from=_date(sections["valid_from"]),
        version=_version(sections["version"]),
        parties=members,
        types=types,
        predicates=predicates,
        gates=gates,
        forums=forums,
        rules=rules_file.rules(sections["rules"], known),
        deadlines=terms_file.deadlines(sections["deadlines"], members, types),
        retention=terms_file.retention(sections["retention"], types),
        digest=digest(said),
    )


def load_all(policies: Path) -> Contracts:
    """Return the contracts below a folder, each in a folder named by its first day. Raises ContractError."""
    if not policies.is_dir():
        raise ContractError(f"{policies.as_posix()}: no such folder")
    folders = sorted(folder for folder in policies.iterdir() if folder.is_dir() and not folder.name.startswith("."))
    if not any(map(holds_contract, folders)):
        raise ContractError(f"{policies.as_posix()}: holds no contract")
    return Contracts([_dated(folder) for folder in folders])


def holds_contract(folder: Path) -> bool:
    """Say whether any file of a contract is in a folder; one that may not be looked into holds none."""
    try:
        return any((folder / f"{name}.yaml").exists() for name in FILES)
    except OSError:
        return False


def _dated(folder: Path) -> Contract:
    contract = load(folder)
    if contract.valid_from.isoformat() != folder.name:
        raise ContractError(f"{folder.as_posix()}: its policy.yaml is valid from {contract.valid_from.isoformat()}")
    return contract


def _date(written: Located) -> date:
    text = written.text()
    try:
        return date.fromisoformat(text if re.fullmatch(DATE, text) else "")
    except ValueError:
        raise written.refuse(f"{text!r} is no date") from None


def _version(written: Located) -> int:
    if written.number() < 1:
        raise written.refuse("versions start at 1")
    return written.number()
