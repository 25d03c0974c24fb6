"""The bus's time on the HTTP side: the wall's, or the newest that was recorded; and which contract it names."""

from datetime import UTC, datetime, timedelta

from deploy.bus_time import BusTime
from deploy.clock import EventsClock, WallClock
from schemas.contract import CITY
from schemas.envelope import Event
from schemas.verdicts import Refusal
from tests import speech, wire

FAR = datetime(2999, 1, 1, tzinfo=UTC)


async def nothing() -> datetime | None:
    return None


async def test_on_the_wall_what_comes_too_early_is_refused() -> None:
    bus = BusTime(wire.contracts(), WallClock(), nothing)
    assert abs(await bus.now() - datetime.now(UTC)) < timedelta(seconds=5)
    early = speech.activity("ku")
    headers = tuple((name, FAR.isoformat().encode() if name == "ce_time" else text) for name, text in early.headers)
    _, judged = await bus.admission("ku", headers, early.value)
    assert judged == Refusal(early.id, "clock_ahead", ("/time",))


async def test_where_the_clock_follows_events_nothing_comes_too_early() -> None:
    bus = BusTime(wire.contracts(), EventsClock(wire.contracts()), nothing)
    first = wire.contracts().first
    assert (await bus.now()).astimezone(CITY).date() == first.valid_from
    early = speech.activity("ku")
    headers = tuple((name, FAR.isoformat().encode() if name == "ce_time" else text) for name, text in early.headers)
    contract, judged = await bus.admission("ku", headers, early.value)
    assert isinstance(judged, Event)
    assert contract == first


async def test_it_follows_what_was_recorded_and_never_runs_back() -> None:
    recorded = [datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)]

    async def newest() -> datetime | None:
        return recorded.pop(0)

    bus = BusTime(wire.contracts(), EventsClock(wire.contracts()), newest)
    assert [await bus.now(), await bus.now()] == [datetime(2026, 3, 2, tzinfo=UTC)] * 2
