"""Cronitor's Telemetry and Monitor APIs, for its unmodified clients. See README.md."""
