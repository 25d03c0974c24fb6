"""One run: a bus of its own, faults under load, and the check of everything that is left."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path

from schemas import contract_files
from tests import brokers
from tests.chaos import checker, journal, lives, policy_reading, reading, rebalances, standstill
from tests.chaos.broker import Broker, SingleBroker
from tests.chaos.faults import Faults, Tally
from tests.chaos.findings import Result
from tests.chaos.found import Journal
from tests.chaos.installation import HTTP_PARTY, Installation, installed
from tests.chaos.plan import Fault, Kind, Shape, draw
from tests.chaos.rebalances import Claims
from tests.chaos.watch import Watch
from tests.waiting import eventually_sync

_PROGRESS_SECONDS = 120.0  # without an answer for so long, the bus is stuck
_END_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Report:
    """What happened in a run, and what its check found."""

    seed: int
    brokers: int
    seconds: float
    tally: Tally
    led: Counter[str]  # by the brokers that were taken away
    claims: Claims
    ended_alone: int
    notes: Counter[str]  # of the publishers
    stalls: dict[Kind | None, float]
    longest_wait: tuple[float, str]  # of one event, and its id
    result: Result


class StuckError(Exception):
    """A run does not go on: where everything stands. What was waited for its cause tells."""


def run(
    home: Path,
    seed: int,
    shape: Shape,
    say: Callable[[str], None],
    broker: Callable[[Path], Broker] = SingleBroker,
) -> Report:
    """Run a plan to its end and check what came of it. Raises StuckError."""
    began = time.monotonic()
    with installed(home, seed, broker) as bus:
        say(f"seed {seed}, began {bus.began.isoformat()}")
        parties = list(bus.publishers)
        watch = Watch(bus.broker.access(), map(bus.journal, parties), parties)
        watch.start()
        try:
            bus.start()
            say(f"serving after {time.monotonic() - began:.0f} s")
            faults = Faults(bus)
            _play(draw(seed, shape), bus, faults, watch, say)
            _finish(bus, watch)
            say(f"all judged after {time.monotonic() - began:.0f} s; checking")
            result = _checked(bus)
        except Exception as error:  # noqa: BLE001 - raised anew, with where everything stands
            # Where nothing is started again, whatever was waited for did not come because of that.
            raise StuckError(standstill.told(bus, watch)) from bus.keeper.failure or error
        finally:
            watch.stop()
        return Report(
            seed,
            bus.broker.count,
            time.monotonic() - began,
            faults.tally,
            bus.broker.led,
            rebalances.claims(home / "logs"),
            bus.keeper.ended_alone,
            watch.notes,
            watch.stalls,
            watch.longest_wait,
            result,
        )


def _play(plan: tuple[Fault, ...], bus: Installation, faults: Faults, watch: Watch, say: Callable[[str], None]) -> None:
    _progress(bus, watch)
    for number, fault in enumerate(plan, 1):
        time.sleep(fault.pause)
        watch.under_way = fault.kind
        began = time.monotonic()
        faults.apply(fault)
        _progress(bus, watch)
        took = time.monotonic() - began
        say(f"{number}/{len(plan)} {fault}: {took:.1f} s; {faults.tally.kills} kills, {watch.judged} judged")
    watch.under_way = None


def _progress(bus: Installation, watch: Watch) -> None:
    """Return once something was judged that was acknowledged after now."""
    looks = watch.looks
    # All that is acknowledged by now is known then.
    _until(lambda: watch.looks > looks + 1, bus, watch, _PROGRESS_SECONDS)
    before = watch.acknowledged
    _until(lambda: watch.newest_judged > before, bus, watch, _PROGRESS_SECONDS)


def _finish(bus: Installation, watch: Watch) -> None:
    """Let the publishers come to an end and the bus judge all they said; then stop who writes."""
    bus.enough.touch()
    _until(lambda: all(kept.is_done for kept in bus.publishers.values()), bus, watch, _END_SECONDS)
    _until(lambda: watch.waiting == 0, bus, watch, _END_SECONDS)
    bus.scale(0)


def _until(condition: Callable[[], bool], bus: Installation, watch: Watch, seconds: float) -> None:
    def met() -> bool:
        if bus.keeper.failure is not None:  # then nothing is started again
            raise bus.keeper.failure
        assert watch.is_alive(), "the watch has ended"
        return condition()

    eventually_sync(met, seconds)


def _checked(bus: Installation) -> Result:
    parties = list(bus.publishers)
    journals = [_journal(bus, party) for party in parties]
    told = {known.id for journal_ in journals if journal_.over_http for known in journal_.acknowledged}
    dsn = bus.postgres.dsn()

    def verdicts() -> reading.Verdicts:
        return asyncio.run(reading.verdicts(dsn))

    with suppress(AssertionError):  # the projector follows a moment later; what it never tells the check finds
        eventually_sync(lambda: told <= {id_ for party, id_ in verdicts() if party == HTTP_PARTY}, 60)
    found = reading.read(bus.broker.access(), brokers.parties(), verdicts())
    contracts = contract_files.load_all(brokers.POLICIES)
    return checker.check(found, journals, contracts, policy_reading.read_all(brokers.POLICIES))


def _journal(bus: Installation, party: str) -> Journal:
    """Return what a party has said and what it was acknowledged: whole blocks, since it ends with one."""
    known = journal.read(bus.journal(party))
    ids = {line.id for line in known}
    told = takewhile(partial(_begun, ids), lives.blocks(party, bus.seed, bus.began))
    lines = tuple(line for block in told for line in lives.interleaved(block))
    return Journal(party, lines, tuple(known), over_http=party == HTTP_PARTY)


def _begun(known: set[str], block: list[lives.Life]) -> bool:
    return any(line.saying.id in known for life in block for line in life)
