"""An existing table of check-ins becomes one table a week, and one table again; cut short, the step goes on."""

import pytest
import sqlalchemy as sa

from support.postgresql import Postgres
from support.stores import BACKENDS, NOW, drain
from tocsin.domain import ids
from tocsin.store import CheckInFilter, SqlStore, migrations, week_tables, weeks
from tocsin.store.check_in_tables import CHECK_INS, IDS, KEPT
from tocsin.store.database import open_database
from tocsin.store.weeks import WEEK

FIRST_RELEASE, BEFORE, AFTER = "0001", "0003_projection", "0004_partitions"
CHOSEN = bytes.fromhex("ab" * 16)


@pytest.fixture(params=BACKENDS)
def url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'tocsin.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    made = server.new_database(empty=True)
    yield made
    server.drop(made)


def run(url: str, *statements: str) -> list[list[tuple]]:
    database = open_database(url)
    try:
        with database.write() as connection:
            results = [connection.execute(sa.text(statement)) for statement in statements]
            return [[tuple(row) for row in result] if result.returns_rows else [] for result in results]
    finally:
        database.close()


def number(week: int, sequence: int) -> int:
    return ids.check_in_number(NOW - week * WEEK, sequence)


def fill(url: str) -> None:
    """Rows of nine weeks, some with chosen ids, some open, one of a clock far ahead and one of a clock far behind."""
    numbers = [number(week, sequence) for week in range(9) for sequence in range(40)]
    numbers += [ids.check_in_number(5, 1), number(-300, 1)]
    chosen = {one: index.to_bytes(16, "big") for index, one in enumerate(numbers) if index % 3 == 0}
    chosen[number(0, 1)] = CHOSEN
    chosen[number(8, 1)] = CHOSEN  # the same id long ago: it was taken over
    database = open_database(url)
    columns = "number, project, monitor, track, state, receive_time, update_time, late, deafened, client_id"
    with database.write() as connection:
        connection.execute(sa.text("INSERT INTO environments VALUES (1, 'production')"))
        connection.execute(sa.text("INSERT INTO policies VALUES (1, '{}')"))
        connection.execute(
            sa.text(f"INSERT INTO check_ins ({columns}) VALUES (:n, 1, 1, 1, :s, :t, :t, :no, :no, :c)"),
            [
                {"n": one, "s": 3 if one % 40 == 7 else 1, "t": ids.instant_of(one), "no": False, "c": chosen.get(one)}
                for one in numbers
            ],
        )
        kept = {name: one for one, name in sorted(chosen.items())}
        connection.execute(
            sa.text("INSERT INTO check_in_ids (project, id, number) VALUES (1, :i, :n)"),
            [{"i": name, "n": one} for name, one in kept.items()],
        )
    database.close()


def rows(url: str) -> list[tuple]:
    return run(url, "SELECT * FROM check_ins ORDER BY number")[0]


def names(url: str) -> dict[bytes, int]:
    found = run(url, "SELECT id, number FROM check_in_ids ORDER BY number")[0]
    return {bytes(name): one for name, one in found}


def kinds(url: str) -> dict[str, list[str]]:
    """The indexes of each table, by its name."""
    database = open_database(url)
    try:
        with database.read() as connection:
            inspector = sa.inspect(connection)
            return {
                name: sorted(index["name"] for index in inspector.get_indexes(name))
                for name in inspector.get_table_names()
                if name.startswith("check_in")
            }
    finally:
        database.close()


@pytest.mark.parametrize("start", [FIRST_RELEASE, BEFORE])
def test_rows_move_into_weeks_and_back(url, start):
    migrations.upgrade(url, start)
    fill(url)
    tables = kinds(url)
    migrations.upgrade(url, BEFORE)
    before, chosen = rows(url), names(url)
    assert len(before) == 362
    assert chosen[CHOSEN] == number(0, 1)
    migrations.upgrade(url, AFTER)
    assert rows(url) == before
    assert names(url) == chosen
    database = open_database(url)
    with database.read() as connection:
        made = weeks.starts(connection)
    database.close()
    assert made == sorted({weeks.start_of(row[0]) for row in before})
    for one in made:
        in_week = run(url, f"SELECT MIN(number), MAX(number) FROM check_ins_{weeks.suffix_of(one)}")[0][0]
        assert one <= in_week[0] <= in_week[1] < one + weeks.LENGTH
    migrations.downgrade(url, BEFORE)
    assert rows(url) == before
    assert names(url) == chosen
    migrations.downgrade(url, start)
    assert kinds(url) == tables
    migrations.upgrade(url)
    assert rows(url) == before


def test_a_store_reads_what_was_moved(url):
    migrations.upgrade(url, BEFORE)
    fill(url)
    migrations.upgrade(url)
    run(
        url,
        "INSERT INTO monitors (number, project, id, uid, policy, disabled, inactive, kind, origin, owner, display_name,"
        " revision, create_time, update_time, body) VALUES (1, 1, 'm', '00', 1, false, false, 'job', '', '', '', 1, 1,"
        " 1, '{}')",
        "INSERT INTO tracks (number, monitor, environment, health, verdict, flags, failures, misses, recoveries,"
        " open_runs, incident, last_duration, ok_count, error_count, started_count, missed_count, timed_out_count,"
        " unknown_count, last_lapse) VALUES (1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0)",
    )
    store = SqlStore(url)
    try:
        found = store.list_check_ins(1, CheckInFilter(monitor=1), size=999).rows
        assert [row.number for row in found] == [row[0] for row in reversed(rows(url))]
        assert store.get_check_in(1, "m", CHOSEN.hex()).number == number(0, 1)
        open_runs = [row[0] for row in rows(url) if row[4] == 3]
        assert [run.number for run in drain(store.load())["open_runs"]] == open_runs
    finally:
        store.close()


@pytest.mark.parametrize(
    "when", ["INSERT INTO check_in_ids_", "DELETE FROM check_ins_moving", "DROP TABLE check_ins_moving"]
)
def test_cut_short_it_goes_on(url, monkeypatch, when):
    migrations.upgrade(url, BEFORE)
    fill(url)
    before, chosen = rows(url), names(url)
    left = 3 if when != "DROP TABLE check_ins_moving" else 1

    @sa.event.listens_for(sa.Engine, "before_cursor_execute")
    def fail(_connection, _cursor, statement, *_rest):
        nonlocal left
        if " ".join(statement.split()).startswith(when):
            left -= 1
            if left == 0:
                raise RuntimeError("the machine goes down")

    try:
        with pytest.raises(RuntimeError):
            migrations.upgrade(url)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", fail)
    assert migrations.current(url) == BEFORE
    assert "run `tocsin db upgrade`" in migrations.check(url)
    assert len(rows(url)) <= len(before)
    migrations.upgrade(url)
    assert migrations.check(url) == ""
    assert rows(url) == before
    assert names(url) == chosen
    assert not any("moving" in name for name in kinds(url))


def test_weeks_made_later_are_as_those_of_the_step(url):
    """The step has its own words for the tables; so has the program for the weeks to come."""
    migrations.upgrade(url, BEFORE)
    fill(url)
    migrations.upgrade(url)
    database = open_database(url)
    try:
        with database.write() as connection:
            made = weeks.start_of(number(5, 0))
            later = weeks.start_of(number(-3, 0))
            week_tables.make(connection, [later])
            described = [shape(connection, suffix) for suffix in (weeks.suffix_of(made), weeks.suffix_of(later), KEPT)]
        assert described[0] == described[1] == described[2]
    finally:
        database.close()


def shape(connection: sa.Connection, suffix: str) -> list[object]:
    inspector = sa.inspect(connection)
    found: list[object] = []
    for whole in (CHECK_INS, IDS):
        name = f"{whole}_{suffix}"
        found += [
            [
                (column["name"], str(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(name)
            ],
            inspector.get_pk_constraint(name)["constrained_columns"],
            sorted(
                (tuple(index["column_names"]), bool(index.get("dialect_options")))
                for index in inspector.get_indexes(name)
            ),
        ]
    return found


def test_a_half_dropped_week_is_no_hindrance(url):
    migrations.upgrade(url)
    store = SqlStore(url)
    drain(store.load())
    for week in range(4):
        store.prepare(NOW - (9 - week) * WEEK)
    assert store.expire(check_ins_before=NOW - 7 * WEEK, refusals_before=0, limit=9) == 1
    store.close()
    migrations.downgrade(url, BEFORE)
    assert sorted(kinds(url)) == [IDS, CHECK_INS]
    migrations.upgrade(url)
    assert migrations.check(url) == ""
