# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""One compiled schedule of any kind: kernels only; Python asks through `tocsin._core.timetable`."""
