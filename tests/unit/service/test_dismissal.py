"""Refusals of a whole project go in slices: no commit deletes more than a bounded number of rows."""

import pytest

from support.stores import NOW, commit, delta, monitor, open_sqlite, with_monitors
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.project import Project, Scope
from tocsin.service.check_ins import SLICE, CheckIns
from tocsin.service.principal import Principal

KEY = Principal(Project(1, "one", "One", "", NOW), Scope.ADMIN)
DISABLED = "MONITOR_DISABLED"
MANY = SLICE // 10 * 2 + 1  # monitors, with ten each


class Journal:
    """Commits each command by itself, as the partition would."""

    def __init__(self, store):
        self.store = store
        self.commands = []

    async def append(self, received, command):
        self.commands.append(command)
        commit(self.store, delta(deleted_refusals=[command]))


def refused(name, reason, project=1):
    return [CheckInRefused(project, name, reason, str(number), NOW, "sentry") for number in range(5)]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = open_sqlite(tmp_path_factory.mktemp("store"))
    with_monitors(store, *(monitor(number) for number in range(1, MANY + 1)))
    yield store
    store.close()


def fill(store):
    names = [f"m-{number}" for number in range(1, MANY + 1)]
    made = [one for name in names for one in refused(name, DISABLED) + refused(name, "CHECKIN_FINISHED")]
    commit(store, delta(refusals=[*made, *refused("x", DISABLED, project=2)]))


def left(store, project=1):
    return [row.reason for row in store.list_refusals(project, None, size=10 * MANY).rows]


async def dismiss(store, **conditions):
    journal = Journal(store)
    service = CheckIns(journal, store, *[lambda *_: None] * 4)
    await service.delete_refusals(KEY, NOW, **conditions)
    return journal.commands


async def test_all_and_those_of_a_reason(store):
    fill(store)
    commands = await dismiss(store, reasons=[DISABLED])
    assert [len(command.numbers) for command in commands] == [SLICE, MANY * 5 - SLICE]
    assert left(store) == ["CHECKIN_FINISHED"] * 5 * MANY
    fill(store)
    commands = await dismiss(store)
    assert len(commands) == 3
    assert max(len(command.numbers) for command in commands) == SLICE
    assert left(store) == []
    assert await dismiss(store) == []
    assert left(store, project=2) == [DISABLED] * 10  # another project keeps its own


async def test_few_go_at_once(store):
    fill(store)
    (command,) = await dismiss(store, monitor_id="m-1", reasons=[DISABLED])
    assert (command.monitor_id, command.numbers, command.reasons) == ("m-1", (), (DISABLED,))
    (command,) = await dismiss(store, numbers=[5])
    assert (command.monitor_id, command.numbers) == (None, (5,))
    assert len(left(store)) >= 10 * MANY - 6
