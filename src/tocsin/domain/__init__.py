"""The language of the field: monitors, check-ins, schedules, incidents, as frozen values without I/O.

May import `_core` and nothing above. Every instant is an `int` of milliseconds since the Unix epoch, UTC; every length
of time is an `int` of milliseconds. No module here reads a clock.
"""
