# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""When a cron expression matches; kernels only. Python asks through `tocsin._core.timetable.Timetables`."""
