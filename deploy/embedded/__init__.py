"""The embedded default: a real Kafka and a real PostgreSQL as children, for a machine with nothing else running."""
