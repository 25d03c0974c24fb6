"""What a service has loaded, the collector passes over; what comes later it still finds."""

import gc
import weakref

from deploy import garbage


class Knot:
    """Something that refers to itself."""

    def __init__(self) -> None:
        self.me = self


def test_what_was_loaded_is_passed_over_and_what_comes_later_is_collected() -> None:
    try:
        garbage.pass_over_the_old()
        assert gc.get_freeze_count() > 0
        later = weakref.ref(Knot())
        gc.collect()
        assert later() is None
    finally:
        gc.unfreeze()
