"""The smallest benchmark, as a person starts it: a real broker, a real copy, figures for programs."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import SAMSPIL

EVENTS = 4_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the benchmark may put its home."""
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def measured(folder: Path) -> dict[str, Any]:
    run = subprocess.run(
        [SAMSPIL, "bench", "--quick", "--only", "c", "--events", str(EVENTS), "--json"],
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    body: dict[str, Any] = json.loads(run.stdout)
    return body


def test_figures_are_positive_and_say_what_they_are(measured: dict[str, Any]) -> None:
    figures = {figure["key"]: figure for figure in measured["figures"]}
    assert set(figures) == {"c.plain", "c.transactional"}
    for figure in figures.values():
        assert figure["median"] > 0
        assert figure["runs"] == [figure["median"]]
        assert figure["unit"] == "events/s"
        assert figure["details"] == [{"records": 3 * EVENTS, "expected": 3 * EVENTS}]
    assert measured["goals"] == []


def test_it_says_on_what_it_was_measured(measured: dict[str, Any]) -> None:
    assert {"cores", "cpu", "memory_mb", "python", "java", "commit", "aiokafka"} <= set(measured["machine"])
    assert measured["load"]["events"] == EVENTS
    assert measured["load"]["accepted"] >= 0.95


def test_nothing_is_left_behind(measured: dict[str, Any], folder: Path) -> None:
    assert measured["figures"]
    assert not list(folder.iterdir())
