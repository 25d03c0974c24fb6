"""Processes that a chaos run keeps: a kill is one of what runs, and no error of their keeper stays unseen."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from deploy.embedded.parts import MISCONFIGURED
from deploy.embedded.processes import Children, Command
from tests.chaos.kept import Keeper, Kept, RefusesToStartError
from tests.waiting import eventually_sync


@pytest.fixture
def children() -> Iterator[Children]:
    kept = Children()
    yield kept
    kept.close()


def python(children: Children, home: Path, code: str) -> Kept:
    return Kept(children, Command("python", (sys.executable, "-S", "-c", code), home / "log"))


class Broken:
    """Cannot be looked at."""

    def look(self) -> None:
        raise OSError("no more processes")


def test_a_kill_meets_what_runs_alone(children: Children, tmp_path: Path) -> None:
    kept = python(children, tmp_path, "import time; time.sleep(60)")
    kept.start()
    assert kept.kill()
    ended = python(children, tmp_path, "raise SystemExit(1)")
    ended.start()
    eventually_sync(lambda: ended.told.startswith("ended with 1;"))
    assert not ended.kill()


def test_every_error_of_the_keeper_is_kept() -> None:
    keeper = Keeper()
    keeper.add(cast("Kept", Broken()))
    keeper.start()
    eventually_sync(lambda: keeper.failure is not None)
    keeper.stop()
    assert isinstance(keeper.failure, OSError)


def test_a_process_that_refuses_to_start_is_kept_as_that(children: Children, tmp_path: Path) -> None:
    keeper = Keeper()
    keeper.add(python(children, tmp_path, f"raise SystemExit({MISCONFIGURED})")).start()
    keeper.start()
    eventually_sync(lambda: keeper.failure is not None)
    keeper.stop()
    assert isinstance(keeper.failure, RefusesToStartError)
