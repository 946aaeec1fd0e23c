"""Logs: one JSON object a line, levels, and a disk that takes no more."""

import io
import json
import sys
import uuid

import pytest
import structlog

from tocsin.telemetry import logs


@pytest.fixture(autouse=True)
def restored():
    yield
    structlog.reset_defaults()


class Full(io.StringIO):
    def write(self, _text):
        raise OSError(28, "No space left on device")


def test_a_line_is_an_object_with_time_and_level(monkeypatch):
    monkeypatch.setattr(sys, "stderr", out := io.StringIO())
    logs.configure("info", json=True)
    structlog.get_logger("x").warning("the store waits", seconds=1.5)
    [line] = out.getvalue().splitlines()
    found = json.loads(line)
    assert found["event"] == "the store waits"
    assert found["level"] == "warning"
    assert found["seconds"] == 1.5
    assert found["timestamp"].endswith("Z")


def test_an_exception_stays_on_its_line(monkeypatch):
    monkeypatch.setattr(sys, "stderr", out := io.StringIO())
    logs.configure("info", json=True)
    try:
        {}["x"]
    except KeyError:
        structlog.get_logger("x").exception("broke")
    [line] = out.getvalue().splitlines()
    assert "KeyError" in json.loads(line)["exception"]


def test_what_is_below_the_level_is_not_written(monkeypatch):
    monkeypatch.setattr(sys, "stderr", out := io.StringIO())
    logs.configure("error", json=True)
    structlog.get_logger("x").warning("nobody reads this")
    assert out.getvalue() == ""


@pytest.mark.parametrize("as_json", [True, False])
def test_a_log_that_cannot_be_written_harms_nobody(monkeypatch, as_json):
    monkeypatch.setattr(sys, "stderr", Full())
    logs.configure("info", json=as_json)
    structlog.get_logger("x").error("the disk is full")


def _fail(key: str) -> None:
    raise RuntimeError(len(key))


def test_tracebacks_show_no_variables(capsys):
    logs.configure("info", json=False)
    secret = uuid.uuid4().hex
    try:
        _fail(secret)
    except RuntimeError:
        structlog.get_logger().exception("broke")
    shown = capsys.readouterr().err
    assert "RuntimeError" in shown
    assert secret not in shown
