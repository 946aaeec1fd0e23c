"""What runs in the background: the loop that owns the engine, the pulse that notices deaf time, the janitor."""
