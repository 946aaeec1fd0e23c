"""Schedules by number, and batches: kernels only; Python asks through `tocsin._core.timetable`."""
