"""The bulk upsert: whole rows, fixed columns, numbers that the database gives."""

import pytest
from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

from tocsin.store.database import open_database
from tocsin.store.schema import InstantOrNever
from tocsin.store.upsert import Upsert, cursor_of

NEVER = 2**63 - 1
things = Table(
    "things",
    MetaData(),
    Column("number", Integer, primary_key=True),
    Column("born", BigInteger),
    Column("name", Text),
    Column("due", InstantOrNever),
)


@pytest.fixture
def connection(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    try:
        with database.write() as connection:
            things.create(connection)
            yield connection
    finally:
        database.close()


def stored(connection):
    return connection.exec_driver_sql("SELECT * FROM things ORDER BY number").all()


def test_rows_are_new_or_changed(connection):
    upsert = Upsert(things, connection.dialect, fixed=("born",))
    upsert(cursor_of(connection), [(1, 10, "a", NEVER), (2, 20, "b", 5)])
    upsert(cursor_of(connection), [(2, 99, "c", NEVER), (3, 30, "d", 6)])
    upsert(cursor_of(connection), [])
    assert stored(connection) == [(1, 10, "a", None), (2, 20, "c", None), (3, 30, "d", 6)]
    assert [row.due for row in connection.execute(things.select().order_by(things.c.number))] == [NEVER, NEVER, 6]


def test_numbers_that_the_database_gives(connection):
    insert = Upsert(things, connection.dialect, generated=("number",))
    insert(cursor_of(connection), [(10, "a", 1), (20, "'; DROP TABLE things; --", 2)])
    assert stored(connection) == [(1, 10, "a", 1), (2, 20, "'; DROP TABLE things; --", 2)]
