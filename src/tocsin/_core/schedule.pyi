"""One compiled schedule of any kind: kernels only; Python asks through `tocsin._core.timetable`."""
