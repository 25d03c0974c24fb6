"""`samspil dead`: what no step could judge, and another try once the reason is mended.

Letters hold coordinates only; the record itself stands on the topic that it was read from: admitted events for
seven days, an inbox until it is truncated, within about a second. A publisher has been told `internal` and may have
said its event again: then the second try is a duplicate, and answered as one.
"""

from contextlib import AsyncExitStack
from functools import partial

import typer
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from consumers.dead_letters import DeadLetter, again, open_letters, settled
from consumers.kept_records import ends_of, inbound, kept
from deploy import clients
from deploy import settings as settings_
from deploy.cli import reach
from deploy.cli.console import NO, Json, answer, answer_json, note, table
from deploy.settings import Settings
from producers.inbox import AcknowledgedSender
from schemas import topics
from schemas.errors import UnreachableError
from schemas.records import Inbound

READER, SETTLER = "audit", "worker"  # each service may do its own part and no more
DEAD_TOPIC = ((topics.DEAD, 0),)
_PATIENCE_MS = 20_000

app = typer.Typer(no_args_is_help=True, help="What no step could judge: list it, or have it judged again.")


@app.command("list")
def list_command(as_json: Json = False) -> None:
    """List what no step could judge, by coordinates: topic, partition, offset, step and the class of the error."""
    letters = reach.run(standing(settings_.load()))
    if as_json:
        for letter in letters:
            answer_json(letter.body())
    elif letters:
        header = ("TOPIC", "PARTITION", "OFFSET", "STEP", "ERROR")
        table(header, [tuple(str(value) for value in letter.body().values()) for letter in letters])
    note(f"{len(letters)} dead letters.")


@app.command("retry")
def retry_command(as_json: Json = False) -> None:
    """Have every dead record judged again, at the end of the topic that it was read from, and settle its letter.

    A record that is no longer kept is told of once more, and then forgotten too. Exit code 0: all were submitted;
    1: some are no longer kept.
    """
    results = reach.run(retry(settings_.load()))
    for letter, submitted in results:
        if as_json:
            answer_json({**letter.body(), "submitted": submitted})
        else:
            said = "submitted again" if submitted else "no longer kept: its publisher must say it again"
            answer(f"{letter.key.decode()}  {said}")
    gone = sum(not submitted for _, submitted in results)
    note(f"{len(results) - gone} submitted, {gone} no longer kept.")
    raise typer.Exit(NO if gone else 0)


async def standing(settings: Settings) -> tuple[DeadLetter, ...]:
    """Return the letters that are not settled."""
    ear = reach.ear(settings, READER)
    found = [inbound(r) async for records in kept(ear, await ends_of(ear, DEAD_TOPIC)) for r in records]
    return open_letters(found)


async def retry(settings: Settings) -> list[tuple[DeadLetter, bool]]:
    """Submit what is kept to judgement again; say of each letter whether it was."""
    letters = await standing(settings)
    results = []
    async with AsyncExitStack() as stack:
        send = {
            principal: await stack.enter_async_context(
                AcknowledgedSender(partial(clients.producer, settings.kafka(principal)))
            )
            for principal in dict.fromkeys([*map(writer_of, letters), SETTLER] if letters else ())
        }
        for letter in letters:
            record = await record_of(settings, letter)
            if record is not None:
                await send[writer_of(letter)](again(record))
            await send[SETTLER](settled(letter))
            results.append((letter, record is not None))
    return results


def writer_of(letter: DeadLetter) -> str:
    """Return the service that may write to the topic of a letter's record."""
    return "worker" if letter.topic == topics.ADMITTED else "gateway"


async def record_of(settings: Settings, letter: DeadLetter) -> Inbound | None:
    """Return the record that a letter speaks of, if its topic still keeps it."""
    at = TopicPartition(letter.topic, letter.partition)
    consumer = reach.ear(settings, SETTLER)("read_committed")
    try:
        await consumer.start()
        consumer.assign([at])
        begins, ends = await consumer.beginning_offsets([at]), await consumer.end_offsets([at])
        if not begins[at] <= letter.offset < ends[at]:
            return None
        consumer.seek(at, letter.offset)
        found = await _next(consumer, at)
        return inbound(found) if found.offset == letter.offset else None
    finally:
        await consumer.stop()


async def _next(consumer: AIOKafkaConsumer, at: TopicPartition) -> ConsumerRecord:
    """Return the next record, which is there. Raises UnreachableError."""
    found = (await consumer.getmany(at, timeout_ms=_PATIENCE_MS, max_records=1)).get(at, ())
    if not found:
        raise UnreachableError(f"topic {at.topic}, partition {at.partition} does not move on.")
    return found[0]
