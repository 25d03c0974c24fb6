"""What an Article 30 record and a DPIA say that follows from the contract: Danish tables, one function each.

The rest of those documents only the administration can say. `renewed` puts the tables into a document, between the
marks that name them, and leaves every other word of it alone.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from schemas import danish_words as danish
from schemas.contract import Contract, EventType, Field, Rule
from schemas.contract_words import BY_FORUM
from schemas.errors import UsageError
from schemas.field_type import field_type

_BEGIN, _END = "<!-- fra kontrakten: {} -->", "<!-- slut -->"
_PART = re.compile(r"<!-- fra kontrakten: (\S+) -->\n(.*?)<!-- slut -->", re.DOTALL)


def renewed(document: str, contract: Contract) -> str:
    """Return a document with its tables made anew. Raises UsageError where a mark names none, or none ends it."""
    if document.count(_BEGIN.split("{", maxsplit=1)[0]) != len(_PART.findall(document)):
        raise UsageError("a table has no name, or no end.")
    return _PART.sub(lambda part: _part(part[1], contract), document)


def _part(name: str, contract: Contract) -> str:
    if name not in TABLES:
        raise UsageError(f"tables are {', '.join(TABLES)}.")
    return f"{_BEGIN.format(name)}\n\n{TABLES[name](contract)}\n\n{_END}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _codes(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _name(contract: Contract, word: str) -> str:
    """Return the Danish of a party, a kind of parties, or a role."""
    if word in contract.parties:
        return contract.parties[word].da
    return danish.KINDS.get(word) or danish.ROLES[word]


def _names(contract: Contract, words: Iterable[str]) -> str:
    return "; ".join(_name(contract, word) for word in words)


def _events(contract: Contract, names: Iterable[str]) -> str:
    return "; ".join(contract.types[name].da for name in dict.fromkeys(names))


def which(contract: Contract) -> str:
    """Say which contract the tables follow from."""
    return f"Kontrakten gælder fra {contract.valid_from.isoformat()}; dens fingeraftryk er `{contract.digest[:16]}`."


def classes(contract: Contract) -> str:
    """Say which data there are, by class, and where they lie."""
    rows = [[f"{level} {name}", _place(level), _held(contract, level)] for level, name in enumerate(danish.CLASSES)]
    return _table(["Klasse", "Hvor", "Felter"], rows)


def _place(level: int) -> str:
    return "Kafka" if level < 2 else "kun boksen (krypteret)"


def _held(contract: Contract, level: int) -> str:
    holders: dict[str, list[str]] = {}
    for type_ in contract.types.values():
        for field in type_.fields.values():
            if field.sensitivity == level:
                holders.setdefault(field.name, []).append(type_.name)
    if level < 2:
        return _codes(holders)
    return "<br>".join(f"`{name}`: {_events(contract, types)}" for name, types in holders.items())


def events(contract: Contract) -> str:
    """Say what is told on the bus, by whom, with which fields of which class."""
    rows = [[type_.da, _names(contract, type_.publishers), _fields(type_)] for type_ in contract.types.values()]
    return _table(["Hændelse", "Siges af", "Felter (klasse)"], rows)


def _fields(type_: EventType) -> str:
    return ", ".join(f"`{field.name}` ({field.sensitivity})" for field in type_.fields.values())


def parties(contract: Contract) -> str:
    """Say who is on the bus, and who may hold case data at all."""
    rows = [
        [party.da, danish.KINDS[party.kind], "ja" if party.holds_case_data else "nej"]
        for party in contract.parties.values()
    ]
    return _table(["Part", "Art", "Må få sagsoplysninger"], rows)


def recipients(contract: Contract) -> str:
    """Say who receives what: of which events, up to which class, through which gates."""
    addressed: dict[str, list[Rule]] = {}
    for rule in contract.rules:
        addressed.setdefault(rule.to, []).append(rule)
    rows = [
        [
            _name(contract, to),
            ", ".join(sorted({str(level) for rule in rules for level in _levels(contract, rule)}))
            or "kun at noget skete",
            _codes(dict.fromkeys(rule.gate.name for rule in rules)),
            _events(contract, (rule.event for rule in rules)),
        ]
        for to, rules in addressed.items()
    ]
    return _table(["Modtager", "Klasser", "Ad porten", "Af hændelserne"], rows)


def _levels(contract: Contract, rule: Rule) -> Iterable[int]:
    own = contract.types[rule.event].fields
    earlier = [field for type_ in contract.types.values() for field in type_.fields.values() if field.is_ref]
    released: list[Field] = [own[name] for name in (*rule.release, *rule.refs)]
    return [field.sensitivity for field in [*released, *(f for f in earlier if f.name in rule.case_refs)]]


def gates(contract: Contract) -> str:
    """Say on which legal basis anything is passed on, on which conditions, with which obligations."""
    rows = [
        [
            f"`{gate.name}`",
            "forummets (se nedenfor)" if gate.basis == BY_FORUM else gate.basis,
            "; ".join(danish.PREDICATES[name] for name in gate.predicates) or "ingen ud over reglen selv",
            "; ".join(danish.OBLIGATIONS[name] for name in gate.obligations) or "ingen særlige",
        ]
        for gate in contract.gates.values()
    ]
    return _table(["Port", "Retsgrundlag", "Betingelser", "Modtagerens pligter"], rows)


def forums(contract: Contract) -> str:
    """Say which meetings there are, for which ages, with whom."""
    ages = field_type(contract.types["concern-raised"].fields["age_band"].type).values
    rows = [
        [
            f"`{forum.name}`",
            forum.basis,
            _codes(age for age in ages if age in forum.ages),
            _names(contract, sorted(forum.parties)) or "efter samtykke",
        ]
        for forum in contract.forums.values()
    ]
    return _table(["Forum", "Retsgrundlag", "Aldre", "Parter"], rows)


def retention(contract: Contract) -> str:
    """Say how long what is kept."""
    rows = [
        [
            danish.RETENTION[kept.name],
            danish.span(kept.keep),
            _since(contract, kept.after),
            danish.condition(kept.condition),
        ]
        for kept in contract.retention
    ]
    return _table(["Hvad", "Hvor længe", "Regnet fra", "Når"], rows)


def _since(contract: Contract, after: str | None) -> str:
    if after is None:
        return "det blev skrevet"
    return contract.types[after].da if after in contract.types else danish.STARTS[after]


def deadlines(contract: Contract) -> str:
    """Say what is due when, and who answers for it."""
    rows = [
        [
            danish.DEADLINES[deadline.name],
            contract.types[deadline.starts].da,
            danish.span(deadline.length) if deadline.length else f"den dag, `{deadline.until}` nævner",
            danish.condition(deadline.condition),
            _events(contract, deadline.met_by),
            _name(contract, deadline.responsible),
        ]
        for deadline in contract.deadlines
    ]
    return _table(["Frist", "Starter ved", "Længde", "Når", "Opfyldes af", "Ansvarlig"], rows)


TABLES: Mapping[str, Callable[[Contract], str]] = {
    "kontrakt": which,
    "personoplysninger": classes,
    "hændelser": events,
    "parter": parties,
    "modtagere": recipients,
    "porte": gates,
    "fora": forums,
    "slettefrister": retention,
    "frister": deadlines,
}
