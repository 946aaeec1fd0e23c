"""/readyz: ready or not, how far a start has come, and what else keeps a server from it."""

import time

from tocsin.app.readiness import told


def now() -> int:
    return int(time.time() * 1000)


def test_a_start_tells_how_far_it_has_come() -> None:
    assert told({"ready": False}, now(), "", (40, 100)) == {"ready": False, "loading": {"read": 40, "of": 100}}


def test_before_anything_was_counted_it_is_only_not_ready() -> None:
    assert told({"ready": False}, now(), "", None) == {"ready": False}


def test_once_ready_nobody_hears_of_loading() -> None:
    assert told({"ready": True}, now(), "", (100, 100)) == {"ready": True}


def test_trouble_goes_before_progress() -> None:
    found = told({"ready": True}, now(), "disk full", (40, 100))
    assert found == {"ready": False, "problem": "the store cannot now: disk full"}


def test_a_clock_that_stands_is_a_problem() -> None:
    found = told({"ready": True}, now() + 60_000, "", None)
    assert not found["ready"]
    assert "the clock was set back" in found["problem"]
