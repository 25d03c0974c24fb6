"""Many cases in one situation, and events that each of them takes at any time, however often.

The case is the scenario's first one, after its first events. Which later events it takes
again and again (under new ids) is found by trying. `more` of them are folded in beforehand, so that a run in which
few cases hear much and one in which many hear little judge cases of the same size.
"""

from collections.abc import Iterator, Mapping
from itertools import cycle, islice
from random import Random

from deploy.bench.load import Form, Names, Said, cut, form, renamed, template, uuids
from deploy.scenario_file import Deposit
from schemas import state, topics
from schemas.admission import unseal
from schemas.case import State
from schemas.contract import Contract
from schemas.envelope import Admitted
from schemas.judge import judge
from schemas.outputs import state_record
from schemas.records import Inbound, Outbound
from schemas.verdicts import Accepted

_OPENING = 5  # events: raised, screened, coordinated
_AGAIN = 4  # times that an event must be taken
_RECORDED = "ce_recordedtime"


class Cases:
    """States to restore, and events for them."""

    def __init__(self, contract: Contract, more: int = 0) -> None:
        self._contract = contract
        told = _first_story(template(contract))
        self._case = str(told[0].case)
        opened = state.empty(self._case)
        for said in told[:_OPENING]:
            opened = judge(contract, opened, _admitted(said.admitted)).state
        # All are recorded when the last of the opening was: no deadline has passed by then, so the bus says nothing of
        # its own before an event, and what is counted is what was sent.
        recorded = dict(told[_OPENING - 1].admitted.headers)[_RECORDED] or b""
        self._seal = {"ce_salt": b"00" * 16, "ce_inboxoffset": b"0", _RECORDED: recorded}
        known = {id_: id_ for id_ in uuids(state.encode(opened))} | {self._case.encode(): self._case.encode()}
        self._opening = told[:_OPENING]
        self._again = [said for said in told[_OPENING:] if self._repeatable(form(said.admitted), opened, known)]
        for number, said in enumerate(islice(cycle(self._again), more)):
            opened = self._after(form(said.admitted), opened, _OfCase(f"more/{number}/", known)) or opened
        self._encoded = cut(state.encode(opened))

    @property
    def state_bytes(self) -> int:
        """Return how large a case is."""
        return len(self._encoded.of({id_: id_ for id_ in self._encoded.ids}))

    def states(self, count: int) -> Iterator[Outbound]:
        """Yield the states of so many cases as COORDINATE writes them."""
        for number in range(count):
            names = Names(_seed(number))
            key = names[self._case.encode()].decode()
            yield state_record(key, self._encoded.of(names), self._contract.digest)

    def events(self, count: int, cases: range, seed: int) -> Iterator[Outbound]:
        """Yield events of random ones of these cases, as ADMIT writes them."""
        forms = {said: form(said.admitted) for said in self._again}
        for said, names in self._drawn(count, cases, seed):
            yield forms[said].of(names, self._seal)

    def submitted(self, count: int, cases: int, seed: int) -> Iterator[tuple[Outbound, tuple[Deposit, ...]]]:
        """Yield the same as their parties write them, each with what has to be in the vault before."""
        for said, names in self._drawn(count, range(cases), seed):
            yield _submission(said, names)

    def opening(self, cases: int) -> Iterator[list[tuple[Outbound, tuple[Deposit, ...]]]]:
        """Yield what opens these cases: the first event of each, then the second of each, and so on."""
        for said in self._opening:
            yield [_submission(said, Names(_seed(number))) for number in range(cases)]

    def _drawn(self, count: int, cases: range, seed: int) -> Iterator[tuple[Said, "Names"]]:
        chance = Random(seed)  # noqa: S311 - it draws a load
        for number, said in enumerate(islice(cycle(self._again), count)):
            names = Names(_seed(chance.choice(cases)))
            known = {id_: names[id_] for id_ in (self._case.encode(), *self._encoded.ids)}
            yield said, _OfCase(f"event/{seed}/{number}/", known)

    def _repeatable(self, event: Form, opened: State, known: Mapping[bytes, bytes]) -> bool:
        after: State | None = opened
        for turn in range(_AGAIN):
            after = self._after(event, after, _OfCase(f"try/{turn}/", known)) if after is not None else None
        return after is not None

    def _after(self, event: Form, before: State, names: "_OfCase") -> State | None:
        """Return the case after an event, None where it does not take it."""
        judgement = judge(self._contract, before, _admitted(event.of(names, self._seal)))
        taken = isinstance(judgement.verdict, Accepted) and not judgement.verdict.duplicate
        return judgement.state if taken else None


class _OfCase(Names):
    """Names of an event: what its case knows keeps its name there, all else is new."""

    def __init__(self, seed: str, known: Mapping[bytes, bytes]) -> None:
        super().__init__(seed)
        self.update(known)


def _first_story(said: tuple[Said, ...]) -> list[Said]:
    case = next(one.case for one in said if one.case)
    return [one for one in said if one.case == case and one.accepted and one.submitted]


def _submission(said: Said, names: Names) -> tuple[Outbound, tuple[Deposit, ...]]:
    if said.submitted is None:
        raise ValueError("the bus's own events are not submitted")
    return form(said.submitted).of(names, {}), tuple(renamed(deposit, names) for deposit in said.deposits)


def _seed(number: int) -> str:
    return f"case/{number}/"


def _admitted(record: Outbound) -> Admitted:
    return unseal(Inbound(topics.ADMITTED, 0, 0, record.key, record.value, record.headers))
