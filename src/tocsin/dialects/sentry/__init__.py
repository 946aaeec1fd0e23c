"""dialects/sentry."""
