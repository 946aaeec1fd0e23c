"""Filters on incidents mean what they say, and say where they are wrong."""

import pytest

from support.stores import NOW, commit, delta, incident, monitor, track, with_monitors
from tocsin.domain import errors
from tocsin.domain.incident import Cause
from tocsin.store.port import IncidentFilter


@pytest.fixture
def filled(store):
    with_monitors(
        store,
        monitor(1, id="night-backup", group="Night", tags=("db",)),
        monitor(2, id="web"),
        monitor(3, id="alien", project=2),
    )
    tracks = [track(11, 1, 2), track(12, 2, 2), track(13, 3, 2)]
    first = {"open_time": NOW - 2, "resolve_time": NOW, "acknowledge_time": NOW - 1, "resolved_by": "me\0"}
    incidents = [
        incident(1, tracks[0], cause=Cause.ERROR, **first),
        incident(2, tracks[0], cause=Cause.MISSED, open_time=NOW),
        incident(3, tracks[1], cause=Cause.TIMED_OUT, acknowledge_time=NOW, open_time=NOW + 5, muted=True),
        incident(4, tracks[2], project=2, open_time=NOW),
    ]
    commit(store, delta(*tracks, *incidents))
    return store


def found(store, text="", since=None, until=None, **options):
    page = store.list_incidents(1, only=IncidentFilter(text, since, until), size=9, **options)
    return [one.number for one in page.rows]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", [3, 2, 1]),
        ("monitor = night-backup", [2, 1]),
        ("monitor:B", [3, 2, 1]),
        ("NOT monitor = w*", [2, 1]),
        ("environment = staging", [3, 2, 1]),
        ("environment = production", []),
        ("group = Night", [2, 1]),
        ('group = ""', [3]),
        ("tags:DB", [2, 1]),
        ("cause = missed", [2]),
        ("cause = error OR cause = timed_out", [3, 1]),
        ("cause != timeout", [2, 1]),
        ("state = open", [2]),
        ("state = acknowledged", [3]),
        ("state = resolved", [1]),
        ("state != resolved AND muted = false", [2]),
        ("muted = true", [3]),
    ],
)
def test_filters(filled, text, numbers):
    assert found(filled, text) == numbers


def test_times_and_other_conditions_hold_together(filled):
    assert found(filled, since=NOW) == [3, 2]
    assert found(filled, until=NOW) == [1]
    assert found(filled, "cause = missed", since=NOW, until=NOW + 1, open_only=True) == [2]
    assert found(filled, "cause = missed", monitor=2) == []
    assert filled.get_incident(1, 1).resolved_by == "me\ufffd"


@pytest.mark.parametrize(
    ("text", "position"),
    [("colour = red", 1), ("state = new", 1), ("cause:*", 1), ("muted = x AND", 14), ("monitor.x = 1", 1)],
)
def test_a_filter_that_is_none_says_where(filled, text, position):
    with pytest.raises(errors.InvalidArgument) as caught:
        found(filled, text)
    assert caught.value.reason == "FILTER_INVALID"
    assert caught.value.metadata["position"] == str(position), caught.value.message


def test_a_token_is_of_its_filter(filled):
    page = filled.list_incidents(1, only=IncidentFilter("state = open OR state = resolved"), size=1)
    assert [one.number for one in page.rows] == [2]
    following = filled.list_incidents(
        1, only=IncidentFilter("state = open OR state = resolved"), size=1, token=page.next_token
    )
    assert [one.number for one in following.rows] == [1]
    with pytest.raises(errors.InvalidArgument):
        filled.list_incidents(1, size=1, token=page.next_token)
