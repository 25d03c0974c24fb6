"""Events in a file, judged without a bus: the same pure functions, with the file's own times for a clock.

A line may carry `recordedtime`, when the bus took it; without one, it was taken when it was said, and never
before the line above it.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from schemas import admission, judge, state
from schemas.canonical import canonical
from schemas.case import State
from schemas.check import BUS
from schemas.contract import Contract, Contracts
from schemas.envelope import SOURCE_PREFIX, Admitted, Event, Seal, binary
from schemas.errors import MalformedError
from schemas.records import Headers, Inbound
from schemas.verdicts import Refusal, Verdict
from schemas.vocabulary import instant

STRUCTURED: Headers = (("content-type", b"application/cloudevents+json"),)
SEAL = (
    "recordedtime",
    "salt",
    "contract",
    "inboxoffset",
    "withheld",
)  # what the bus adds, and no publisher says
NO_SALT = "00" * 16


_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Paper:
    """One line: the event as its publisher said it, who says so, and when the bus took it, if it is told."""

    said: bytes
    party: str
    recorded: datetime | None
    time: datetime | None


def paper(line: bytes) -> Paper:
    """Read one line as far as it can be read; the rest is for admission to refuse."""
    try:
        body = json.loads(line)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return Paper(line, "", None, None)
    # The line itself where nothing is taken off, so that what is wrong with it stays.
    said = {name: value for name, value in body.items() if name not in SEAL}
    raw = line if len(said) == len(body) else json.dumps(said).encode()
    return Paper(raw, _party(body), _moment(body.get("recordedtime")), _moment(body.get("time")))


def _party(body: dict[str, Any]) -> str:
    source = body.get("source")
    return source.removeprefix(SOURCE_PREFIX) if isinstance(source, str) else ""


def _moment(text: object) -> datetime | None:
    try:
        return instant(text) if isinstance(text, str) else None
    except ValueError:
        return None


def is_deposit(line: bytes) -> bool:
    """Whether the line is a scenario's deposit: nothing that a bus judges."""
    return line.lstrip().startswith(b'{"deposit"')


def admit(contract: Contract, on_paper: Paper, now: datetime) -> Event | Refusal:
    return admission.admit(contract, on_paper.party, STRUCTURED, on_paper.said, now)


@dataclass(slots=True)
class PaperBus:
    """Judges line by line, keeping each case."""

    contracts: Contracts
    now: datetime = _BEGINNING
    states: dict[str, State] = field(default_factory=dict)

    def take(self, line: bytes) -> Refusal | Admitted:
        """Admit a line at its time, and seal it. Raises UnknownContractError where no contract is that old."""
        on_paper = paper(line)
        self.now = max(self.now, on_paper.recorded or on_paper.time or self.now)
        contract = self._contract()
        recorded = self.now.astimezone(UTC).isoformat().replace("+00:00", "Z")
        seal = Seal(recorded, NO_SALT, contract.digest)
        if on_paper.party == BUS:
            return _of_the_bus(on_paper.said, seal)
        event = admit(contract, on_paper, self.now)
        return event if isinstance(event, Refusal) else Admitted(event, seal)

    def state_of(self, admitted: Admitted) -> State:
        key = admitted.event.key
        return self.states.get(key) or state.empty(key)

    def hear(self, line: bytes) -> Verdict:
        """Judge a line and keep what follows."""
        admitted = self.take(line)
        if isinstance(admitted, Refusal):
            return admitted
        contract = self.contracts.named(admitted.seal.contract)
        judgement = judge.judge(contract, self.state_of(admitted), admitted)
        self.states[admitted.event.key] = judgement.state
        return judgement.verdict

    def _contract(self) -> Contract:
        first = self.contracts.first
        early = self.now.year < first.valid_from.year  # a line without a time, before any that has one
        return first if early else self.contracts.at(self.now)


def _of_the_bus(said: bytes, seal: Seal) -> Admitted | Refusal:
    """Read what the bus said itself, which no party may say and admission therefore refuses."""
    body = json.loads(said)
    data = canonical(body.pop("data", None))
    texts = {name: text for name, text in body.items() if isinstance(text, str)}
    sealed = {"recordedtime": seal.recorded, "salt": seal.salt, "contract": seal.contract}
    try:
        return admission.unseal(Inbound("", 0, 0, None, data, binary({**texts, **sealed})))
    except MalformedError:
        return Refusal(None, "bad_envelope")


def lines_of(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the events of a file by line, numbered as an editor does; or all of it, where it is one event."""
    if _is_one_value(raw):
        return iter([(1, raw)])
    return ((number, line) for number, line in enumerate(raw.split(b"\n"), 1) if line.strip())


def _is_one_value(raw: bytes) -> bool:
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return True


def hear_all(bus: PaperBus, raw: bytes) -> Iterable[tuple[int, Verdict]]:
    """Yield a verdict per event of a file, by line number; deposits are passed over."""
    return ((number, bus.hear(line)) for number, line in lines_of(raw) if not is_deposit(line))
