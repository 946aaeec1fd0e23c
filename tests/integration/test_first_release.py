"""A database as the first release made it, with rows of every kind, is brought up to date and goes on."""

import uuid

import pytest
from sqlalchemy import Boolean, LargeBinary, MetaData, Table, Text

from support.stores import BACKENDS, NOW, check_in, check_in_number, commit, delta, drain, ids, monitor, track
from tocsin.domain.check_in import STATE_NUMBERS, State
from tocsin.domain.instant import DAY, NEVER
from tocsin.domain.monitor import Policy
from tocsin.domain.project_settings import ProjectSettings
from tocsin.engine.memory import Needs
from tocsin.store import CheckInFilter, SqlStore, migrations, monitors
from tocsin.store.database import open_database
from tocsin.store.notification import SqlNotification
from tocsin.store.outbox import SqlOutbox

FIRST = "0001"
CHOSEN = uuid.UUID(int=7).hex
NUMBERS = [check_in_number(index) for index in range(3)]
POLICY = monitors.policy_to_row(1, Policy())
ROWS = {
    "projects": [{"number": 1, "slug": "acme", "name": "Acme", "account_id": "a", "create_time": NOW}],
    "keys": [{"number": 1, "project": 1, "scope": "admin", "digest": b"\0\xff" * 16, "hint": "beef"}],
    "settings": [{"name": "public_url", "value": "http://tocsin"}],
    "revisions": [{"name": "credentials", "value": 2}],
    "policies": [{"number": 1, "body": POLICY[1]}],
    "environments": [{"number": 1, "name": "production"}],
    "monitors": [
        {"number": 1, "project": 1, "id": "backup", "uid": "ab" * 16, "policy": 1, "kind": "job", "body": {}},
        {"number": 2, "project": 1, "id": "web", "uid": "cd" * 16, "policy": 1, "kind": "job", "body": {}},
    ],
    "deleted_monitors": [{"number": 9, "delete_time": NOW}],
    "tracks": [
        {
            "number": 1,
            "monitor": 1,
            "environment": 1,
            "ok_count": (2**32 - 2),
            "last_duration": -1,
            "deadline": NOW + DAY,
        },
        {"number": 2, "monitor": 2, "environment": 1, "verdict": 1, "last_check_in": NOW},
        {"number": 9, "monitor": 9, "environment": 1},
    ],
    "check_ins": [
        {"number": NUMBERS[0], "state": STATE_NUMBERS[State.OK], "detail": '{"message":"done"}', "end_time": NOW},
        {"number": NUMBERS[1], "state": STATE_NUMBERS[State.IN_PROGRESS], "client_id": bytes.fromhex(CHOSEN)},
        {"number": NUMBERS[2], "state": STATE_NUMBERS[State.MISSED], "late": True, "monitor": 2, "track": 2},
        {"number": check_in_number(9), "state": STATE_NUMBERS[State.OK], "monitor": 9, "track": 9},
    ],
    "check_in_ids": [{"project": 1, "id": bytes.fromhex(CHOSEN), "number": NUMBERS[1]}],
    "incidents": [{"number": 1, "project": 1, "monitor": 2, "track": 2, "cause": "missed", "open_time": NOW}],
    "outages": [{"number": 1, "start_time": NOW, "end_time": NOW + DAY, "reason": "restart", "shown": True}],
    "refusals": [{"number": 1, "project": 1, "monitor_id": "x", "reason": "MONITOR_NOT_FOUND", "at": NOW}],
    "changes": [{"revision": 5, "at": NOW, "project": 1, "monitor": 1, "kind": "monitor"}],
    "partitions": [{"id": 0, "position": 41, "epoch": 3, "alive_at": NOW}],
    "sequences": [{"name": "monitor", "value": 2}],
}


def filled(table: Table, row: dict[str, object]) -> dict[str, object]:
    """With a value for each column that must have one."""
    common = {"project": 1, "monitor": 1, "track": 1, "receive_time": NOW, "update_time": NOW, "create_time": NOW}
    made = {}
    for column in table.columns:
        if column.name in row:
            made[column.name] = row[column.name]
        elif not column.nullable:
            plain = "" if isinstance(column.type, Text) else b"" if isinstance(column.type, LargeBinary) else 0
            made[column.name] = common.get(column.name, False if isinstance(column.type, Boolean) else plain)
    return made


@pytest.fixture(params=BACKENDS)
def url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'tocsin.db'}"
        return
    server = request.getfixturevalue("postgres")
    made = server.new_database(empty=True)
    yield made
    server.drop(made)


def make_first(url: str) -> None:
    migrations.upgrade(url, FIRST)
    database = open_database(url)
    try:
        with database.write() as connection:
            there = MetaData()
            there.reflect(connection)
            assert set(ROWS) == set(there.tables) - {"alembic_version"}
            for name, rows in ROWS.items():
                table = there.tables[name]
                for row in rows:
                    connection.execute(table.insert(), filled(table, row))
            if connection.dialect.name == "postgresql":  # numbers that the database gave
                for name, column in (
                    ("projects", "number"),
                    ("keys", "number"),
                    ("refusals", "number"),
                    ("changes", "revision"),
                ):
                    connection.exec_driver_sql(
                        f"SELECT setval(pg_get_serial_sequence('{name}', '{column}'), (SELECT max({column}) FROM {name}))"
                    )
    finally:
        database.close()


def test_a_database_of_the_first_release_is_brought_up_to_date(url):
    make_first(url)
    assert FIRST in migrations.check(url)
    migrations.upgrade(url)
    assert migrations.check(url) == ""
    store = SqlStore(url)
    try:
        [project] = store.list_projects()
        assert (project.slug, project.settings) == ("acme", ProjectSettings())
        assert store.list_keys(1)[0].digest == b"\0\xff" * 16
        assert store.get_setting("public_url") == "http://tocsin"
        found = store.get_monitor(1, "backup")
        [(environment, state)] = found.tracks
        assert (environment, state.ok_count, state.deadline, state.expected) == (
            "production",
            (2**32 - 2),
            NOW + DAY,
            NEVER,
        )
        assert list(store.get_monitor(1, "web").incidents) == [1]
        listed = store.list_check_ins(1, CheckInFilter(), size=9).rows
        assert [one.number for one in listed] == NUMBERS[::-1]
        assert listed[2].message == "done"
        assert (listed[1].id, listed[1].client_chosen, listed[1].state) == (CHOSEN, True, State.IN_PROGRESS)
        assert listed[0].late is True
        assert store.list_outages(size=9).rows[0].end_time == NOW + DAY
        assert store.list_refusals(1, None, size=9).rows[0].reason == "MONITOR_NOT_FOUND"
        assert [change.revision for change in store.changes_after(0, None, limit=9)] == [5]
        assert SqlNotification(store.database).lists.get(1, "default").destinations == ()
        assert SqlOutbox(store.database).cursor() == 1  # nobody is told of what had opened before
        goes_on(store)
    finally:
        store.close()


def goes_on(store: SqlStore) -> None:
    snapshot = store.load()
    rows = drain(snapshot)
    assert snapshot.clock == NOW
    assert snapshot.sequences == {"monitor": 2}
    assert [row[0] for row in rows["monitors"]] == [1, 2]
    assert [row[0] for row in rows["tracks"]] == [1, 2]
    assert [one.id for one in rows["open_runs"]] == [CHOSEN]
    assert [one.number for one in rows["open_incidents"]] == [1]
    assert store.position() == 41
    assert list(store.recall(Needs(check_ins={(1, CHOSEN)})).check_ins) == [(1, CHOSEN)]
    new = check_in(check_in_number(20), track(1, 1), monitor_id="backup")
    commit(store, delta(monitor(3), track(1, 1, ok_count=2**32 - 1), track(3, 3), new))
    assert store.position() == 42
    assert store.get_check_in(1, "backup", ids.public_id(new.number)) == new
    assert store.create_project("next", NOW).number == 2
    while store.expire(check_ins_before=NOW - DAY, refusals_before=0, limit=100):
        pass
    assert len(store.list_check_ins(1, CheckInFilter(), size=9).rows) == 4
    assert sorted(row[0] for row in drain(store.load())["tracks"]) == [1, 2, 3]


def test_it_goes_back_again_without_what_the_first_release_did_not_know(url):
    make_first(url)
    migrations.upgrade(url)
    migrations.downgrade(url, FIRST)
    migrations.upgrade(url)
    store = SqlStore(url)
    try:
        goes_on(store)
    finally:
        store.close()
