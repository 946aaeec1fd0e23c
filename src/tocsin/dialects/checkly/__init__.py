"""Checkly's heartbeats, for its unmodified clients. See README.md."""
