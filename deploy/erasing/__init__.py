"""Erasing a case for good: the officer's order, Kafka's files closed and cleared, and proof by reading everything."""
