# ruff: noqa: PYI021 - these stubs are the documentation of the compiled modules
"""PostgreSQL's binary COPY: kernels only; Python asks those who have rows."""
