"""What Cronitor's API has beside monitors. See ../README.md."""
