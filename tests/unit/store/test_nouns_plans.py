"""Members of groups are found along an index that only monitors in groups are in; environments along that of tracks."""

import pytest
from sqlalchemy import event

from support.stores import commit, delta, monitor, open_sqlite, track, with_monitors
from tocsin.store.nouns import SqlNouns

MEMBERS = {
    "members": lambda nouns: nouns.members(1, ["night", "day"]),
    "one": lambda nouns: nouns.get_group(1, "night"),
    "list": lambda nouns: nouns.list_groups(1, size=5),
}
ENVIRONMENTS = {
    "one": lambda nouns: nouns.get_environment(1, "staging"),
    "list": lambda nouns: nouns.environments(1),
    "monitors": lambda nouns: nouns.monitors_in(1, "staging"),
}


@pytest.fixture
def asked(tmp_path):
    """call → the steps of the plans of what it asks."""
    store = open_sqlite(tmp_path)
    with_monitors(store, monitor(1, group="night"), monitor(2))
    commit(store, delta(track(11, 1, 2)))
    nouns = SqlNouns(store.database)
    nouns.put_group(1, "night", {}, 0, create=True, update=True)
    steps: list[str] = []

    def see(_connection, cursor, statement, parameters, _context, _many):
        if statement.startswith("SELECT"):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps.extend(detail for *_, detail in cursor.fetchall())

    def ask(call):
        event.listen(store.database.readers, "before_cursor_execute", see)
        call(nouns)
        return steps

    yield ask
    store.close()


@pytest.mark.parametrize("call", MEMBERS.values(), ids=MEMBERS)
def test_members_are_looked_up(asked, call):
    steps = asked(call)
    assert any("ix_monitors_project_group" in step for step in steps), steps
    assert not any(step.startswith("SCAN monitors") for step in steps), steps


@pytest.mark.parametrize("call", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_environments_walk_the_monitors_of_their_project(asked, call):
    steps = asked(call)
    assert any(step.startswith("SEARCH tracks USING COVERING INDEX") for step in steps), steps
    assert not any(step.startswith(("SCAN monitors", "SCAN tracks")) for step in steps), steps
