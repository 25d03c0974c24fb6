"""Erasing and holding a case on the command line and the whole stack: what is said, what is left, what is refused."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from deploy.erasing.haste import HASTE, alter
from schemas import topics
from tests.acceptance.conftest import Stack
from tests.acceptance.test_cli_bus import CANNOT, CPR, FINE, NO, opened, spoken, talk, told
from tests.speech import Saying


@pytest.fixture(scope="module")
def raised(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Saying:
    return opened(stack, tmp_path_factory.mktemp("erased"))[0]


@pytest.fixture(scope="module")
def case(raised: Saying) -> str:
    assert raised.case is not None
    return raised.case


@pytest.fixture(scope="module")
def looked(stack: Stack, case: str) -> list[dict[str, Any]]:
    """What `samspil erase` said, after a hold that stood against it was released."""
    assert stack.samspil("hold", "--case", case).stdout == "Held.\n"
    assert stack.samspil("hold", "--case", case).stdout == "It was held already.\n"
    assert case in {hold["case"] for hold in told(stack.samspil("hold", "--json"))}
    refused = stack.samspil("erase", "--case", case, "--reason", "wrong_subject")
    assert (refused.returncode, "legal hold stands" in refused.stdout) == (NO, True)
    assert stack.samspil("hold", "release", "--case", case).stdout == "Released.\n"
    asyncio.run(_analyzed(stack))
    done = stack.samspil("erase", "--case", case, "--reason", "wrong_subject", "--json", seconds=240)
    assert done.returncode == FINE, done.stdout + done.stderr
    return told(done)


async def _analyzed(stack: Stack) -> None:
    """What PostgreSQL does by itself after some time: it takes samples of every column that may be sampled."""
    owner = await asyncpg.connect(stack.settings.dsn("admin"))
    await owner.execute("ANALYZE")
    await owner.close()


def test_nothing_is_left_but_what_must_stay(case: str, looked: list[dict[str, Any]]) -> None:
    said, *places = looked
    assert said == {"case": case, "erased": True, "before": False, "gone": True}
    assert {place["left"] for place in places} == {0}
    read = {place["place"] for place in places}
    assert {"log", "states", "views", "admitted events", "inboxes", "dead letters", "vault.erased"} <= read
    assert {"Kafka's files", "PostgreSQL's files", "the logs"} <= read
    assert {place["place"]: place["stays"] for place in places}["states"] == 1


@pytest.mark.usefixtures("looked")
def test_it_can_be_looked_again_and_is_told_to_a_person(stack: Stack, case: str) -> None:
    again = stack.samspil("erase", "--case", case, "--reason", "wrong_subject", seconds=240)
    assert again.returncode == FINE, again.stdout
    first, header, *_ = again.stdout.splitlines()
    assert (first, header.split()) == ("It had been erased before.", ["WHERE", "READ", "LEFT", "STAYS"])
    assert "What no running server can show" in again.stderr


@pytest.mark.usefixtures("looked")
def test_the_receipts_still_verify_and_the_story_is_not_told_again(stack: Stack, case: str) -> None:
    verified = stack.samspil("audit", "verify")
    assert verified.returncode == FINE, verified.stdout
    [replayed] = told(stack.samspil("audit", "replay", "--case", case, "--json"))
    assert (replayed["state"], replayed["events"], replayed["erased"]["reason"]) == (None, [], "wrong_subject")
    assert told(stack.samspil("audit", "disclosures", "--case", case, "--json"))


@pytest.mark.usefixtures("looked")
def test_nothing_brings_it_back(stack: Stack, raised: Saying, case: str) -> None:
    [late] = told(stack.samspil("publish", "--as", "buf", "--json", stdin=spoken(talk(raised, "accepts_contact"))))
    assert (late["verdict"], late["reason"]) == ("refused", "unknown_case")
    with stack.client("buf") as buf:
        place = {"case": case, "field": "person"}
        assert buf.put(f"/vault/{uuid4()}", json="Testperson A", params=place).status_code == 410
    assert stack.samspil("hold", "--case", case).stdout == "Not done: the case was erased before.\n"


@pytest.mark.usefixtures("looked")
def test_the_topics_are_as_the_catalogue_says_afterwards(stack: Stack) -> None:
    [changes] = told(stack.samspil("topics", "apply", "--json"))
    assert changes["altered"] == 0


def test_what_was_hurried_and_left_so_is_brought_back_by_applying_the_topics(stack: Stack) -> None:
    """As after a kill -9 in the middle of an erasure."""
    every = topics.catalogue(["ku"])
    alter(stack.settings.kafka("admin").admin(), [t for t in every if "segment.ms" in dict(t.settings)], HASTE)
    [changes] = told(stack.samspil("topics", "apply", "--json"))
    assert changes["altered"] > 0
    assert told(stack.samspil("topics", "apply", "--json"))[0]["altered"] == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("erase", "--case", CPR, "--reason", "retention"), "--case is a case id"),
        (("erase", "--case", str(uuid4()), "--reason", CPR), "--reason is one of"),
        (("hold", "--case", CPR), "--case is a case id"),
        (("hold", "release", "--case", CPR), "--case is a case id"),
    ],
)
def test_wrong_usage_names_the_option_and_never_the_value(stack: Stack, arguments: tuple[str, ...], named: str) -> None:
    run = stack.samspil(*arguments)
    assert run.returncode == CANNOT
    assert named in run.stderr
    assert CPR not in run.stdout + run.stderr


@pytest.mark.parametrize("command", [("erase", "--reason", "retention"), ("hold",), ("hold", "release")])
def test_of_no_case_it_is_said_so(stack: Stack, command: tuple[str, ...]) -> None:
    name, *more = command
    run = stack.samspil(name, *more, "--case", str(uuid4()))
    assert run.returncode == NO
    assert "no such case" in run.stdout or "no hold" in run.stdout
