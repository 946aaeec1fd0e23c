"""Heartbeat checks: what a body says, what it comes to in the domain, what is shown of it."""
