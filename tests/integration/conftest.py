"""What several integration tests start: the HTTP side with its worker and projector, a database of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests import http_side
from tests.brokers import RunningKafka, RunningPostgres
from tests.http_side import HttpSide


@pytest.fixture(scope="module")
async def side(
    kafka: RunningKafka, postgres: RunningPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[HttpSide]:
    folder: Path = tmp_path_factory.mktemp("web")
    with http_side.worker(kafka):
        async with (
            http_side.own_database(postgres) as dsns,
            http_side.projecting(kafka, dsns["projector"]),
            http_side.serving(kafka, dsns, folder) as opened,
        ):
            yield opened
