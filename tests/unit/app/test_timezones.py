"""Another time zone database is noticed by itself, and only a whole one is taken."""

import zoneinfo
from types import SimpleNamespace

import pytest

from support.tzif import tzif
from tocsin.app import timezones
from tocsin.app.timezones import TimeZones, TimeZoneWatch
from tocsin.app.tzdata import forget


class Partition:
    """Adopts at once, as the loop would in its next turn."""

    def __init__(self):
        self.engine = SimpleNamespace(clock=0, state=SimpleNamespace(timings=[None]))
        self.rules = []
        self.broken = False

    def rezone(self, rules, adopted, failed):
        self.rules.append(rules)
        if self.broken:
            failed(RuntimeError("no plan"))
            return
        adopted(7)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(zoneinfo, "TZPATH", (str(tmp_path),))
    monkeypatch.setattr(timezones, "SETTLE_S", 0)
    forget()
    yield tmp_path
    forget()


def write(folder, version, hours):
    files = {
        "UTC": tzif("UTC0"),
        "Test/City": tzif(f"<+0{hours}>-{hours}", first=3600 * hours),
        "+VERSION": version.encode(),
    }
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        new = path.with_suffix(".new")
        new.write_bytes(data)
        new.replace(path)


async def test_a_new_database_is_noticed_compiled_and_told(folder):
    write(folder, "2026a", 1)
    current, partition, told = TimeZones(), Partition(), []
    assert current.version == "2026a"
    old = current.compiler
    old.zones.get("Test/City")
    watch = TimeZoneWatch(current, partition, lambda now: told.append(now.version))
    await watch._look(asked=False)
    assert told == []

    write(folder, "2026b", 2)
    await watch._look(asked=False)
    assert told[-1] == "2026b"
    assert [rules.zones for rules in partition.rules] == [{"Test/City"}]
    assert current.compiler is not old
    assert current.compiler.zones.get("Test/City").offset_at(0) == 7200

    await watch._look(asked=False)  # nothing new: nothing is read
    assert len(told) == 2


async def test_the_same_rules_in_new_files_move_nothing(folder):
    write(folder, "2026a", 1)
    current, partition, told = TimeZones(), Partition(), []
    current.compiler.zones.get("Test/City")
    watch = TimeZoneWatch(current, partition, lambda now: told.append(now.version))
    old = current.compiler
    write(folder, "2026b", 1)
    await watch._look(asked=False)
    assert told == ["2026b"]
    assert partition.rules == []
    assert current.compiler is old


async def test_a_database_that_is_being_written_is_waited_for(folder, monkeypatch):
    write(folder, "2026a", 1)
    current, partition, told = TimeZones(), Partition(), []
    current.compiler.zones.get("Test/City")
    watch = TimeZoneWatch(current, partition, lambda now: told.append(now.version))
    looks = iter(["half", "more", "whole", "whole"])
    monkeypatch.setattr(timezones, "_fingerprint", lambda _zones: next(looks))
    await watch._look(asked=False)
    assert list(looks) == []
    assert len(told) == 1


async def test_a_plan_that_fails_is_known_at_once_and_the_next_look_tries_again(folder):
    write(folder, "2026a", 1)
    current, partition, told = TimeZones(), Partition(), []
    old = current.compiler
    old.zones.get("Test/City")
    watch = TimeZoneWatch(current, partition, lambda now: told.append(now.version))
    write(folder, "2026b", 2)
    partition.broken = True
    with pytest.raises(RuntimeError, match="no plan"):
        await watch._look(asked=False)
    assert current.compiler is old
    assert current.version == "2026a"
    partition.broken = False
    await watch._look(asked=True)
    assert current.version == "2026b"
