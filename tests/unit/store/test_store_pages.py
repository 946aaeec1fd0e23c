"""Page tokens: read back for the same question only."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.domain import errors
from tocsin.store import pages

QUERY = ("things", 1, "filter")


@settings(deadline=None)
@given(st.text(max_size=30), st.integers(-(2**63), 2**63 - 1))
def test_a_token_brings_its_key_back(text, number):
    token = pages.encode(QUERY, (text, number))
    assert pages.decode(token, QUERY, tuple[str, int]) == (text, number)
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


@settings(deadline=None)
@given(st.integers(0, 100), st.integers(0, 255))
def test_a_changed_token_is_refused(place, byte):
    token = pages.encode(QUERY, ("web", 7))
    place %= len(token)
    changed = token[:place] + chr(byte) + token[place + 1 :]
    if changed == token:
        return
    try:
        # The last character has bits to spare that mean nothing.
        assert pages.decode(changed, QUERY, tuple[str, int]) == ("web", 7)
        assert place == len(token) - 1
    except errors.InvalidArgument as error:
        assert error.reason == "PAGE_TOKEN_INVALID"


def test_a_token_has_one_question_and_one_type():
    token = pages.encode(QUERY, ("web", 7))
    with pytest.raises(errors.InvalidArgument):
        pages.decode(token, ("things", 2, "filter"), tuple[str, int])
    with pytest.raises(errors.InvalidArgument):
        pages.decode(token, QUERY, tuple[int])


@pytest.mark.parametrize(("rows", "size", "more"), [(3, 3, False), (4, 3, True), (0, 3, False)])
def test_one_row_more_is_a_next_page(rows, size, more):
    page = pages.cut(list(range(rows)), size, QUERY, lambda row: (row,))
    assert page.rows == list(range(min(rows, size)))
    assert bool(page.next_token) is more
    if more:
        assert pages.decode(page.next_token, QUERY, tuple[int]) == (size - 1,)
