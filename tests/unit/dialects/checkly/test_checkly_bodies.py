"""Bodies of requests: JSON objects within bounds."""

import pytest

from tocsin.dialects.checkly.bodies import VALUES_MAX, json_object
from tocsin.dialects.checkly.problems import Refused


def refusal(data):
    with pytest.raises(Refused) as found:
        json_object(data)
    return found.value


@pytest.mark.parametrize("value", [b"{}", b"[]", b"0"])
def test_values_are_counted_before_they_are_made(value):
    many = b'{"a":[' + value + (b"," + value) * VALUES_MAX + b"]}"
    assert refusal(many).status == 413
    assert json_object(b'{"a":"' + b"x" * VALUES_MAX + b'"}').keys() == {"a"}


@pytest.mark.parametrize("data", [b"{", b'{"a": "\\ud800"}', b'{"a": "\\ud800x"}', b'{"a": "\\udc00"}'])
def test_half_a_pair_is_not_said_to_be_cut_off(data):
    """The decoder has the same words for both."""
    found = refusal(data)
    assert found.status == 400
    assert "truncated" not in found.text
    assert ("half of a surrogate pair" in found.text) == (b"d800" in data or data == b"{"), found.text
