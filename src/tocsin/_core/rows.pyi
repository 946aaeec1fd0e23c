# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""Schedules by number, and batches: kernels only; Python asks through `tocsin._core.timetable`."""
