"""What is said to the bus under measurement: the shipped scenario, over and over, as new cases.

Of its events every one that was accepted, the one said twice, and a few that their case refuses; what admission
refuses is no work of a case. To these come the two types that only the bus itself says. Each replay renames
everything that has a UUID, so nothing is said twice that was not; several replays run at once, so neighbours are
of different cases, and a new one begins whenever one ends. All of it follows from the seed.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import md5
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from deploy.scenario_file import Deposit, Utterance, read_scenario
from schemas import topics
from schemas.admission import admit, unseal
from schemas.canonical import canonical
from schemas.case import State
from schemas.check import BUS
from schemas.clock_times import rfc3339
from schemas.contract import Contract
from schemas.envelope import Admitted, Seal, binary, source_of, type_of
from schemas.judge import Judgement, judge
from schemas.records import Headers, Inbound, Outbound
from schemas.state import empty
from schemas.verdicts import Accepted, Refusal
from schemas.vocabulary import UUID, instant
from streams.admit import admitted_record

SCENARIO = Path(__file__).parents[1] / "scenarios" / "first-weeks.jsonl"
AT_ONCE = 60  # replays under way: some five hundred open cases
LEAST_ACCEPTED = 0.95
_REFUSED = 3  # of a replay's events; real parties err seldom
_FAR = "2099-01-01T00:00:00Z"  # register checks expire then: a load judged later is judged alike
_STRUCTURED: Headers = (("content-type", b"application/cloudevents+json"),)
_UUID = re.compile(UUID.strip("^$").encode())


@dataclass(frozen=True, slots=True)
class Said:
    """One event of a replay, before it is renamed. `submitted`: what its party wrote; None for the bus's own."""

    type: str
    case: str | None
    party: str
    accepted: bool
    admitted: Outbound
    submitted: Outbound | None
    deposits: tuple[Deposit, ...] = ()  # what the event refers to and its party has to deposit first


@dataclass(frozen=True, slots=True)
class Text:
    """Bytes cut at their UUIDs, so that a replay puts in its own."""

    between: tuple[bytes, ...]
    ids: tuple[bytes, ...]

    def of(self, names: "Mapping[bytes, bytes]") -> bytes:
        parts = [self.between[0]]
        for id_, rest in zip(self.ids, self.between[1:], strict=True):
            parts += (names[id_], rest)
        return b"".join(parts)


class Names(dict[bytes, bytes]):
    """The UUIDs of one replay by those of the scenario."""

    def __init__(self, seed: str) -> None:
        super().__init__()
        self._seed = seed.encode()

    def __missing__(self, id_: bytes) -> bytes:
        drawn = md5(self._seed + id_, usedforsecurity=False).hexdigest()
        name = f"{drawn[:8]}-{drawn[8:12]}-4{drawn[13:16]}-8{drawn[17:20]}-{drawn[20:]}".encode()
        self[id_] = name
        return name


@dataclass(frozen=True, slots=True)
class Form:
    """A record of the template, ready to be renamed."""

    record: Outbound
    key: Text
    value: Text
    headers: tuple[tuple[str, Text], ...]

    def of(self, names: Names, own: Mapping[str, bytes]) -> Outbound:
        """Return the record under these names; `own`: headers whose values the replay gives."""
        key, topic = self.key.of(names), self.record.topic
        headers = tuple((name, own[name] if name in own else text.of(names)) for name, text in self.headers)
        partition = topics.partition_of(key) if topic == topics.ADMITTED else self.record.partition
        return Outbound(topic, partition, key, self.value.of(names), headers)


class Load:
    """Events without end, the same for the same seed."""

    def __init__(self, contract: Contract, seed: int = 1, at_once: int = AT_ONCE) -> None:
        """`at_once`: how many replays are under way; a small load needs few, or it never gets past their beginnings."""
        self.said = template(contract)
        self._seed = seed
        self._at_once = at_once
        self._admitted = [form(said.admitted) for said in self.said]
        self._submitted = [form(said.submitted) if said.submitted else None for said in self.said]

    @property
    def accepted_share(self) -> float:
        """Return how many of a replay's events are accepted."""
        return sum(said.accepted for said in self.said) / len(self.said)

    @property
    def types(self) -> Mapping[str, int]:
        """Return how often each type is accepted in a replay."""
        return Counter(said.type for said in self.said if said.accepted)

    @property
    def ramp(self) -> int:
        """Return after how many events every stage of a story is under way."""
        return self._at_once * len(self.said) // 2

    def admitted(self) -> Iterator[tuple[Said, Outbound]]:
        """Yield events as ADMIT writes them."""
        places: Counter[str] = Counter()
        for replay, number, names in self._order():
            said = self.said[number]
            salt = md5(f"{self._seed}/{replay}/{number}".encode(), usedforsecurity=False).hexdigest().encode()
            own = {"ce_salt": salt, "ce_inboxoffset": str(places[said.party]).encode()}
            places[said.party] += said.submitted is not None
            yield said, self._admitted[number].of(names, own)

    def submitted(self) -> Iterator[tuple[Said, Outbound]]:
        """Yield the same events as their parties write them to their inboxes; the bus's own are passed over."""
        for _, number, names in self._order():
            form = self._submitted[number]
            if form is not None:
                yield self.said[number], form.of(names, {})

    def _order(self) -> Iterator[tuple[int, int, Names]]:
        """Yield which event of which replay comes next."""
        chance, coming = Random(self._seed), count()  # noqa: S311 - it draws a load
        under_way: list[list[Any]] = []
        last: list[Any] = []
        for turn in count():
            while len(under_way) < min(self._at_once, 4 + turn * self._at_once // len(self.said)):
                number = next(coming)
                under_way.append([number, 0, Names(f"{self._seed}/{number}/")])
            chance.shuffle(under_way)
            if under_way[0] is last:  # a neighbour of itself
                under_way.append(under_way.pop(0))
            for story in under_way:
                yield story[0], story[1], story[2]
                story[1] += 1
            last = under_way[-1]
            under_way = [story for story in under_way if story[1] < len(self.said)]


def template(contract: Contract) -> tuple[Said, ...]:
    """Return one replay: the scenario's events that count, judged on the events' own clock."""
    states: dict[str, State] = {}
    deposits = {line.ref: line for line in read_scenario(SCENARIO) if isinstance(line, Deposit)}
    now = datetime.min.replace(tzinfo=UTC)
    found: list[Said] = []
    refused = 0
    for spoken in _spoken():
        now = max(now, instant(spoken.event["time"]))
        event = admit(contract, spoken.party, _STRUCTURED, json.dumps(spoken.event).encode(), now)
        if isinstance(event, Refusal):
            continue
        admitted = Admitted(event, Seal(rfc3339(now), "00" * 16, contract.digest, 0))
        judgement = judge(contract, states.get(event.key, empty(event.key)), admitted)
        if isinstance(judgement.verdict, Refusal) and (refused := refused + 1) > _REFUSED:
            continue
        states[event.key] = judgement.state
        refers = [f"vault:{id_.decode()}" for id_ in uuids(json.dumps(spoken.event["data"]).encode())]
        needed = tuple(deposits.pop(ref) for ref in refers if ref in deposits)
        found.append(_said(admitted, judgement, _submission(spoken), needed))
    own = (
        _said(admitted, judge(contract, states[admitted.event.key], admitted), None)
        for admitted in _of_the_bus(contract, found, now)
    )
    return (*found, *own)


def _said(
    admitted: Admitted, judgement: Judgement, submitted: Outbound | None, deposits: tuple[Deposit, ...] = ()
) -> Said:
    event, verdict = admitted.event, judgement.verdict
    accepted = isinstance(verdict, Accepted) and not verdict.duplicate
    return Said(event.type, event.case, event.party, accepted, admitted_record(admitted), submitted, deposits)


def renamed(deposit: Deposit, names: "Names") -> Deposit:
    """Return a deposit as this replay makes it."""
    case = names[deposit.case.encode()].decode()
    ref = names[deposit.ref.removeprefix("vault:").encode()].decode()
    return replace(deposit, case=case, ref=f"vault:{ref}")


def _spoken() -> Iterator[Utterance]:
    for line in read_scenario(SCENARIO):
        if isinstance(line, Utterance):
            if "expires_at" in (data := line.event.get("data") or {}):
                data["expires_at"] = _FAR
            yield line


def _submission(spoken: Utterance) -> Outbound:
    said = {name: text for name, text in spoken.event.items() if name != "data"}
    data = json.dumps(spoken.event["data"], separators=(",", ":")).encode()
    key = said.get("subject", spoken.party).encode()
    return Outbound(topics.inbox(spoken.party), 0, key, data, binary(said))


def _of_the_bus(contract: Contract, said: Sequence[Said], now: datetime) -> Iterator[Admitted]:
    """Yield what only the bus says: a deadline that passed, and (the last of its case) an erasure."""
    moment = rfc3339(now + timedelta(days=1))
    by_length = [case for case, _ in Counter(one.case for one in said if one.case and one.accepted).most_common()]
    passed = {"deadline": "follow_up", "due_at": moment, "responsible": "ku"}
    erased = {"reason": "retention", "recipients": ["buf", "sof"]}
    for case, type_, data in ((by_length[0], "deadline-passed", passed), (by_length[-1], "case-erased", erased)):
        id_ = Names(type_)[case.encode()].decode()
        head = {"specversion": "1.0", "id": id_, "source": source_of(BUS), "type": type_of(type_), "subject": case}
        head |= {"time": moment, "datacontenttype": "application/json"}
        head |= {"recordedtime": moment, "salt": "00" * 16, "contract": contract.digest}
        yield unseal(Inbound(topics.ADMITTED, 0, 0, None, canonical(data), binary(head)))


def form(record: Outbound) -> Form:
    """Return a record ready to be renamed."""
    headers = tuple((name, cut(value)) for name, value in record.headers)
    return Form(record, cut(record.key or b""), cut(record.value or b""), headers)


def uuids(text: bytes) -> list[bytes]:
    """Return every UUID that is written somewhere."""
    return _UUID.findall(text)


def cut(text: bytes) -> Text:
    """Return bytes cut at their UUIDs."""
    return Text(tuple(_UUID.split(text)), tuple(_UUID.findall(text)))
