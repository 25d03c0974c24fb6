"""What things are: events, contract, case, decisions. Pure, so that worker and auditor call the same functions."""
