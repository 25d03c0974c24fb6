"""Those who read the bus: the read model, the vault, the overview, subscribers and auditors."""
