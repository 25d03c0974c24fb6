"""What a service has loaded, the collector passes over; what is over by then, and what comes later, it takes."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from deploy import garbage


class Knot:
    """Something that refers to itself, so that only the collector can take it."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def unfrozen() -> Iterator[None]:
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


def test_what_was_loaded_is_looked_at_no_more() -> None:
    loaded = Knot()
    seen = weakref.ref(loaded)
    garbage.pass_over_the_old()
    del loaded
    gc.collect()
    assert seen() is not None
    gc.unfreeze()
    gc.collect()
    assert seen() is None


def test_what_is_over_by_then_goes_first() -> None:
    over = weakref.ref(Knot())
    garbage.pass_over_the_old()
    assert over() is None


def test_what_comes_later_is_collected() -> None:
    garbage.pass_over_the_old()
    later = weakref.ref(Knot())
    gc.collect()
    assert later() is None
