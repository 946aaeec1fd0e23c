"""tocsin: knows when a scheduled job should have run, and says so when it did not."""

__version__ = "0.1.0"
