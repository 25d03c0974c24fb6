"""The garbage collector, told to look seldom: for processes that do nothing but read, judge and write."""

import gc


def look_seldom() -> None:
    """Let it look at what comes from here on only after many objects.

    Records are thousands of objects and no cycles: a collector that looks at them all the time takes a tenth of a
    worker's time (136 µs an event became 118), and a quarter of what reading alone takes (128,000 records a second
    became 176,000).
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 1_000)
