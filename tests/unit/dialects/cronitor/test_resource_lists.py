"""Notification lists as Cronitor writes them, fields of bodies, and windows that come again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.dialects.cronitor.problems import Invalid
from tocsin.dialects.cronitor.resources import list_json
from tocsin.dialects.cronitor.resources.body import Body
from tocsin.dialects.cronitor.resources.window_json import Span, state_of
from tocsin.domain.notification import PREFIXES, NotificationList
from tocsin.store.browse_port import Told

TARGET = st.text(min_size=1, max_size=20).filter(lambda text: text.strip() == text and text)


@given(st.lists(st.tuples(st.sampled_from(sorted(PREFIXES)), TARGET), max_size=20))
def test_what_is_shown_is_read_back(pairs):
    wanted = tuple(dict.fromkeys(f"{prefix}:{target}" for prefix, target in pairs))
    shown = list_json.list_json(NotificationList(1, 1, "k", destinations=wanted), ())
    assert sorted(list_json.destinations_of(shown["notifications"])) == sorted(wanted)


@pytest.mark.parametrize("name", ["email", "emails", "webhook", "webhooks", "phone", "sms", "microsoft-teams"])
def test_ways_in_the_plural_or_not(name):
    (found,) = list_json.destinations_of({name: [" x ", "", "x"]})
    assert found == f"{name.removesuffix('s') if name not in ('sms', 'microsoft-teams') else name}:x"
    assert list_json.destinations_of({name: "one"}) == list_json.destinations_of({name: ["one"]})
    assert list_json.destinations_of({name: None}) == ()


def test_who_tells_a_list():
    told = [
        Told("a", ("ops", "email:x"), {}),
        Told("b", (), {}),
        Told("c", ("default", "ops"), {"cronitor": b'{"key": "C d"}'}),
        Told("d", ("email:only",), {}),
    ]
    assert dict(list_json.users(told)) == {"ops": ["a", "C d"], "default": ["b", "C d"]}


def test_the_state_of_a_window():
    assert state_of(Span(5, 9), 4) == "upcoming"
    assert [state_of(Span(5, 9), now) for now in (5, 8)] == ["ongoing"] * 2
    assert state_of(Span(5, 9), 9) == state_of(Span(None, None), 1) == "past"


@pytest.mark.parametrize(
    ("read", "bad"),
    [
        (lambda body: body.text("x"), [1, [], {}, True, "y" * 2001, "a\0b"]),
        (lambda body: body.flag("x", default=True), [1, "true", []]),
        (lambda body: body.texts("x"), ["a", [1], {"a": 1}, ["a"] * 10_001]),
        (lambda body: body.word("x", ("a", "b")), ["c", 1]),
        (lambda body: body.same_key("k"), []),
    ],
)
def test_fields_of_a_body(read, bad):
    for value in bad:
        with pytest.raises(Invalid) as invalid:
            read(Body({"x": value}))
        assert invalid.value.problems[0].field == "x"
    assert read(Body({"x": None})) in ("", True, [], None)
    assert read(Body({})) in ("", True, [], None)


def test_a_key_cannot_be_changed():
    Body({"key": "k"}).same_key("k")
    with pytest.raises(Invalid):
        Body({"key": "other"}).same_key("k")
    assert Body({"x": [" a", "a", "b ", ""]}).texts("x") == ["a", "b"]
