"""Notification lists and channels: kept by key, in either database."""

import msgspec
import pytest

from support.stores import NOW
from tocsin.domain import errors
from tocsin.domain.notification import Channel, ChannelKind, Form, NotificationList, Pair
from tocsin.store import shelves
from tocsin.store.notification import SqlNotification

HOOK = "webhook:https://example.org/hook"


@pytest.fixture
def nouns(store) -> SqlNotification:
    return SqlNotification(store.database)


def test_each_project_has_a_default_list(store, nouns):
    project = store.create_project("Acme", NOW).number
    (found,) = nouns.lists.page(project, size=10).rows
    assert found == NotificationList(found.number, project, "default", NOW, NOW)
    assert nouns.lists.get(project, "default") == found


def test_a_list_is_made_changed_and_removed(nouns):
    values = {
        "display_name": "On call\0",
        "destinations": (HOOK, "email:a@example.org"),
        "environments": ("production",),
    }
    made = nouns.lists.put(1, "on-call", values, NOW, create=True, update_known=False)
    assert made.number > 0
    assert (made.key, made.destinations, made.environments) == ("on-call", values["destinations"], ("production",))
    kept = nouns.lists.get(1, "on-call")
    assert kept.display_name == "On call\ufffd"
    changed = nouns.lists.put(1, "on-call", {"environments": ()}, NOW + 1, create=False, update_known=True)
    assert (changed.number, changed.create_time, changed.update_time) == (made.number, NOW, NOW + 1)
    assert changed.destinations == made.destinations
    assert nouns.lists.put(1, "on-call", {"environments": ()}, NOW + 2, create=True, update_known=True) == changed
    nouns.lists.delete(1, "on-call")
    with pytest.raises(errors.NotFound) as caught:
        nouns.lists.get(1, "on-call")
    assert caught.value.reason == "NOTIFICATION_LIST_NOT_FOUND"
    again = nouns.lists.put(1, "on-call", {}, NOW, create=True, update_known=True)
    assert again.number > made.number  # never given out twice


def test_what_may_not_be_is_refused_and_changes_nothing(nouns):
    made = nouns.channels.put(1, "ops", {"url": "https://example.org/"}, NOW, create=True, update_known=True)
    assert made == Channel(made.number, 1, "ops", NOW, NOW, kind=ChannelKind.WEBHOOK, url=made.url)
    with pytest.raises(errors.AlreadyExists, match="ops"):
        nouns.channels.put(1, "ops", {"url": "https://example.org/2"}, NOW, create=True, update_known=False)
    with pytest.raises(errors.NotFound, match="no channel 'other'"):
        nouns.channels.put(1, "other", {}, NOW, create=False, update_known=True)
    with pytest.raises(errors.InvalidArgument, match=r"channel\.url"):
        nouns.channels.put(1, "ops", {"url": ""}, NOW, create=True, update_known=True)
    with pytest.raises(errors.NotFound):
        nouns.channels.delete(1, "other")
    nouns.channels.delete(1, "other", allow_missing=True)
    assert nouns.channels.get(1, "ops") == made


def test_pages_are_by_key_and_of_one_project(nouns, monkeypatch):
    for key in ("b", "c", "a"):
        nouns.channels.put(1, key, {"url": "http://x/"}, NOW, create=True, update_known=True)
    nouns.channels.put(2, "z", {"url": "http://x/"}, NOW, create=True, update_known=True)
    first = nouns.channels.page(1, size=2)
    rest = nouns.channels.page(1, size=2, token=first.next_token)
    assert [row.key for row in (*first.rows, *rest.rows)] == ["a", "b", "c"]
    assert rest.next_token == ""
    with pytest.raises(errors.InvalidArgument, match="page_token"):
        nouns.channels.page(2, size=2, token=first.next_token)
    monkeypatch.setattr(shelves, "MOST", 3)
    with pytest.raises(errors.ResourceExhausted):
        nouns.channels.put(1, "d", {"url": "http://x/"}, NOW, create=True, update_known=True)


def test_a_channel_keeps_all_it_has(nouns):
    decided = {
        "url": "https://example.org/",
        "form": Form("PUT", "{{ALERT_TITLE}}", (Pair("X", "1", locked=True),), (Pair("q"),), "s", "r"),
        "send_failure": False,
        "send_recovery": False,
        "auto_subscribe": True,
        "extras": {"checkly": msgspec.Raw(b'{"x":1}')},
    }
    made = nouns.channels.put(1, "c", decided, NOW, create=True, update_known=False)
    assert {name: getattr(made, name) for name in decided} == decided
    assert nouns.channels.get(1, "c") == nouns.channels.get_by_number(1, made.number) == made
    values = {"form": None, "extras": {"b": msgspec.Raw(b"1")}, "send_failure": True}
    changed = nouns.channels.put(1, "c", values, NOW + 1, create=False, update_known=True)
    assert nouns.channels.get(1, "c") == changed
    assert (changed.form, changed.send_failure, list(changed.extras)) == (None, True, ["checkly", "b"])
    mail = {"kind": ChannelKind.EMAIL, "config": {"address": msgspec.Raw(b'"a@example.org"')}}
    nouns.channels.put(1, "a", mail, NOW, create=True, update_known=False)
    assert nouns.channels.get(1, "a").config == mail["config"]
    assert [one.key for one in nouns.channels.all(1)] == ["a", "c"]
    rows, total = nouns.channels.numbered_page(1, size=1)
    assert ([one.key for one in rows], total) == (["c"], 2)
    with pytest.raises(errors.NotFound):
        nouns.channels.get_by_number(2, made.number)
