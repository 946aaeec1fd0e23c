"""A signal that comes before the server runs."""

import signal

import pytest
from click.testing import CliRunner

from tocsin.cli import serve as module
from tocsin.cli.serve import serve


def test_a_hangup_early_in_the_start_does_not_end_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGHUP)
    found = []

    def load_settings(*_: object, **__: object) -> None:
        found.append(signal.getsignal(signal.SIGHUP))
        raise SystemExit(0)

    monkeypatch.setattr(module, "load_settings", load_settings)
    try:
        CliRunner().invoke(serve, [])
    finally:
        signal.signal(signal.SIGHUP, before)
    assert found == [signal.SIG_IGN]
