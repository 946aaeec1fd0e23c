"""Sentry's management API for cron monitors, below /api/0/. See README.md in this folder."""
