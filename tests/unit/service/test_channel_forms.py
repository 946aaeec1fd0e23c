"""Forms are read where they stop nothing else: not by the thread that answers pings."""

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from support.stores import NOW, sqlite_url
from tocsin.dialects.checkly.resources import channels as resources
from tocsin.dialects.checkly.resources.channels import AlertChannels
from tocsin.domain import errors
from tocsin.domain.notification import Form
from tocsin.service import notification
from tocsin.service.notification import Channels
from tocsin.store import SqlStore
from tocsin.store.notification import SqlNotification

ADMIN = SimpleNamespace(require=lambda _scope: None, project=SimpleNamespace(number=1))
HOOK = {"name": "Hook", "url": "https://example.org/", "template": "{{CHECK_NAME}}"}


@pytest.fixture
def channels(tmp_path: Path):
    store = SqlStore(sqlite_url(tmp_path))
    yield Channels(SqlNotification(store.database))
    store.close()


@pytest.fixture
def by(monkeypatch) -> list[threading.Thread]:
    """Who read a form."""
    seen: list[threading.Thread] = []
    for where in (notification, resources):
        monkeypatch.setattr(where, "check_form", lambda *_: seen.append(threading.current_thread()))
    return seen


async def test_by_a_thread_of_its_own(channels, by):
    await channels.put(ADMIN, "ops", {"url": "https://example.org/", "form": Form()}, NOW)
    assert len(by) == 1
    assert threading.main_thread() not in by


async def test_also_of_a_vendor(channels, by):
    door = AlertChannels(channels, *[None] * 5)
    await door.plan({"type": "WEBHOOK", "config": HOOK})
    made = await door.put(ADMIN, {"type": "WEBHOOK", "config": HOOK}, NOW)
    assert made.url == "https://example.org/"
    assert len(by) == 3
    assert threading.main_thread() not in by


async def test_a_form_that_is_too_long_as_a_whole_is_named_as_its_client_knows_it(channels):
    pairs = [{"key": f"X-{one}", "value": "x" * 9_000} for one in range(30)]
    with pytest.raises(errors.InvalidArgument, match=r"^config: at most 200000 characters"):
        await AlertChannels(channels, *[None] * 5).plan({"type": "WEBHOOK", "config": {**HOOK, "headers": pairs}})
