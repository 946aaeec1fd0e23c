"""Zones by name: compiled once, unknown ones refused with a near miss, no way out of the folder."""

import pytest

from tocsin.app.tzdata import read_zone, zone_names
from tocsin.domain.errors import InvalidArgument
from tocsin.schedule import Zones


def test_a_zone_is_read_once():
    asked = []

    def read(name):
        asked.append(name)
        return read_zone(name)

    zones = Zones(read)
    assert zones.get("Europe/Vienna") is zones.get("Europe/Vienna")
    assert asked == ["Europe/Vienna"]


@pytest.mark.parametrize(
    "name",
    ["../etc/passwd", "/etc/passwd", "Europe/../UTC", "", ".", "UTC\0", "UTC\n", "a/b/c/d/e", "x" * 99, "Ümlaut"],
)
def test_odd_names_never_reach_the_reader(name):
    def read(_name):
        raise AssertionError

    with pytest.raises(InvalidArgument) as caught:
        Zones(read, zone_names).get(name, field="schedule.time_zone")
    assert caught.value.reason == "TIME_ZONE_UNKNOWN"
    assert caught.value.metadata["time_zone"] == name[:100]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("europe/vienna", "Europe/Vienna"),
        ("Europe/Viena", "Europe/Vienna"),
        ("Vienna", "Europe/Vienna"),
        ("America/New York", "America/New_York"),
    ],
)
def test_a_near_miss_is_suggested(name, near):
    with pytest.raises(InvalidArgument, match=f"did you mean {near}\\?"):
        Zones(read_zone, zone_names).get(name)


def test_no_suggestion_for_what_is_near_to_nothing():
    with pytest.raises(InvalidArgument) as caught:
        Zones(read_zone, zone_names).get("Moon/Tranquility")
    assert "did you mean" not in caught.value.message


def test_a_damaged_file_is_not_a_crash():
    with pytest.raises(InvalidArgument, match="damaged"):
        Zones(lambda name: b"TZif").get("Europe/Vienna")


def test_a_folder_is_no_zone():
    assert read_zone("Europe") is None
    assert read_zone("zone.tab") is None
