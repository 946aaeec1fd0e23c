"""Cronitor's Telemetry API: events by URL. See ../README.md."""
