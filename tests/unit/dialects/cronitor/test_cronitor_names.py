"""A key is an id of its own or gets one; different keys never share one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.dialects.cronitor.names import monitor_id_of, schedule_in
from tocsin.domain.errors import InvalidArgument

KEYS = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=255).filter(str.isprintable)


@pytest.mark.parametrize("key", ["backup", "a_b-9", "x" * 128])
def test_an_id_is_its_own_key(key):
    assert monitor_id_of(key) == key


def test_the_wildcard_of_names_is_nobodys_id():
    assert re.fullmatch(r"[0-9a-f]{16}", monitor_id_of("-"))


def test_what_is_legible_stays():
    assert re.fullmatch(r"cronitor-homepage-[0-9a-f]{16}", monitor_id_of("Cronitor Homepage"))
    assert re.fullmatch(r"[0-9a-f]{16}", monitor_id_of("日本"))


@given(KEYS, KEYS)
def test_every_key_has_an_id_of_its_own(one, other):
    assert re.fullmatch(r"[a-z0-9_-]{1,128}", monitor_id_of(one))
    assert (monitor_id_of(one) == monitor_id_of(other)) == (one == other)


@pytest.mark.parametrize("key", ["", "a/b", "a\nb", "x" * 256])
def test_what_cannot_be_a_key_is_named(key):
    with pytest.raises(InvalidArgument, match="key"):
        monitor_id_of(key)


@pytest.mark.parametrize(
    ("extras", "text"),
    [
        ({}, ""),
        ({"cronitor": {}}, ""),
        ({"cronitor": {"schedules": None}}, ""),
        ({"cronitor": {"schedules": ["at 9:00", "every 2 h"]}}, "at 9:00, every 2 h"),
    ],
)
def test_schedules_are_shown_as_they_were_written(extras, text):
    assert schedule_in(extras) == text
