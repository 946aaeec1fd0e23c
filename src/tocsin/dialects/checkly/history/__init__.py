"""What became of checks: events, availability, results, analytics, reports, badges."""
