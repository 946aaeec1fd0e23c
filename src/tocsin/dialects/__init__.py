"""Dialects: one folder for each vendor whose unmodified clients we serve.

A dialect is a translation of one vendor's requests into the use cases of `service` and back. It owns its paths, status
codes, error bodies and the vendor's words; it adds no table and no rule of its own. It may import `service`, `domain`
and the HTTP tools it speaks through, never another dialect, the store or the engine.

To add one: a folder with a `schema` (the vendor's JSON, typed), a `mapping` (pure functions to `domain` and back),
handlers of a few lines, `routes(...)` that hands the handlers to `app/build.py`, and a README that says what is served
and where we differ on purpose. Then put its paths into the table of `http/` that a test guards against overlaps.
"""
