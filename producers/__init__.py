"""What speaks to the bus: the gateway over HTTP, and the publishers that parties use."""
