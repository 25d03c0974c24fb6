"""The garbage collector, told to look seldom, or at less."""

import gc


def look_seldom() -> None:
    """Let it look at what comes from here on only after many objects: in a process that only reads, judges and writes.

    Records are thousands of objects and no cycles: a collector that looks at them all the time takes a tenth of a
    worker's time (136 µs an event became 118), and a quarter of what reading alone takes (128,000 records a second
    became 176,000).
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 1_000)


def pass_over_the_old() -> None:
    """Let it never look again at what there is by now: in a service that has loaded most of what it will keep.

    To look at all that the web service has loaded took 137 ms, in which it answered nobody.
    """
    gc.collect()
    gc.freeze()
