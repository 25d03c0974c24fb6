"""The benchmark: how fast the bus is beside other ways to do the same, measured in one run on one broker."""
