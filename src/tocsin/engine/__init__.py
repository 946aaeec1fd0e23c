"""Rules in time: commands and instants in, facts and changed rows out.

No I/O, no clock, no logger: the time is the time of the entry. May import `schedule`, `domain` and `_core`.
"""
