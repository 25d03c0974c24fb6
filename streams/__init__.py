"""How events are judged: two steps over Kafka, each batch one transaction. See README.md for the guarantees."""
