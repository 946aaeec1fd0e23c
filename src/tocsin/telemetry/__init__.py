"""Facts into Prometheus series, and structured logs. Counters move in `Metrics` and nowhere else."""
