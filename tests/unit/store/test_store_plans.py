"""How SQLite means to answer: what grows without bound is never scanned for a read that must be quick."""

import re

import pytest
from sqlalchemy import event

from support.stores import NOW, check_in, commit, delta, drain, ids, monitor, open_sqlite, track, with_monitors
from support.stores import check_in_number as number
from tocsin.domain.commands import DeleteRefusals
from tocsin.domain.deployment import Binding, Deployment, Program
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.instant import DAY
from tocsin.engine.memory import Needs
from tocsin.store import CheckInFilter, SqlStore, check_ins, pages
from tocsin.store.browse import SqlBrowse
from tocsin.store.browse_port import IncidentSearch, MonitorSearch, Stage, Turn, Window
from tocsin.store.deploying import SqlDeployments
from tocsin.store.outbox import SqlOutbox
from tocsin.store.subscriptions import SqlSubscriptions
from tocsin.store.tellable import SqlTellable
from tocsin.store.weeks import WEEK


def browse(store):
    return SqlBrowse(store.database)


def outbox(store):
    return SqlOutbox(store.database)


def deploy(store):
    """One deployment from its beginning to its end."""
    deployments = SqlDeployments(store.database)
    made = Deployment("d", 1, "shop", create_time=NOW)
    binding = Binding("check", "a", "r")
    deployments.begin(made)
    deployments.intend(made, Program("p", "shop"), [binding])
    deployments.finish(made, [binding], [Binding("check", "b", "r")])
    deployments.finish(made, program_gone=True)


REFUSED, STRAY = (CheckInRefused(1, name, "MONITOR_DISABLED", "", NOW, "sentry") for name in ("m-2", "x"))
WINDOW = Window(NOW - 4 * WEEK, NOW + DAY, DAY)
QUICK = {
    "get_monitor": lambda store: store.get_monitor(1, "m-1"),
    "list_monitors": lambda store: store.list_monitors(1, size=5),
    "latest": lambda store: store.get_check_in(1, "m-1", "latest"),
    "by our id": lambda store: store.get_check_in(1, "m-1", ids.public_id(5)),
    "recall": lambda store: store.recall(Needs({(1, "a"), (2, "b")}, {(1, "ab" * 16), (1, "cd" * 16), (2, "ef" * 16)})),
    "recall by number": lambda store: store.recall(Needs(named={1, 2})),
    "check-ins of a monitor": lambda store: store.list_check_ins(1, CheckInFilter(monitor=1, until=NOW), size=5),
    "incidents of a monitor": lambda store: store.list_incidents(1, monitor=1, size=5),
    "browse monitors": lambda store: browse(store).monitors(1, MonitorSearch(), now=NOW, size=5, turn=Turn()),
    "browse back": lambda store: browse(store).check_ins(
        1,
        CheckInFilter(monitor=1, since=NOW),
        (),
        size=5,
        turn=Turn(pages.encode(("browse check-ins", 1, 1, [], []), (5,)), back=True),
    ),
    "browse refusals of a project": lambda store: browse(store).refusals(1, None, size=5, turn=Turn()),
    "browse refusals": lambda store: browse(store).refusals(1, "m-1", size=5, turn=Turn()),
    "briefs": lambda store: browse(store).briefs(1, browse(store).rolling(1)),
    "counts": lambda store: browse(store).counts(
        [1], since=NOW - 4 * WEEK, until=NOW + DAY, width=DAY, environments=()
    ),
    "statistics": lambda store: browse(store).statistics([1], WINDOW, measures=("duration", "count"), quantiles=(0.5,)),
    "incidents": lambda store: browse(store).incidents(1, IncidentSearch(stages=(Stage.OPEN,)), size=5, offset=5),
    "incident counts": lambda store: browse(store).incident_counts([1], WINDOW),
    "downtimes": lambda store: browse(store).downtimes([1], WINDOW),
    "check-ins of a project": lambda store: store.list_check_ins(1, CheckInFilter(), size=5),
    "check-ins of a project on": lambda store: store.list_check_ins(1, CheckInFilter(), size=5, token=MIDDLE),
    "changes": lambda store: store.changes_after(5, None, limit=5),
    "load": lambda store: drain(store.load()),
    "incidents to be told": lambda store: SqlTellable(store.database).opened_after(-1, 5),
    "incidents that are told": lambda store: SqlTellable(store.database).incidents([1, 2]),
    "looks": lambda store: (outbox(store).due(NOW, 5), outbox(store).next_look(), outbox(store).tracked_of([1])),
    "queues": lambda store: (
        outbox(store).queues(NOW),
        outbox(store).waiting(1, "x", 5, NOW),
        outbox(store).planned_events(5),
    ),
    "notices": lambda store: outbox(store).page(1, size=5, token=""),
    "old notices": lambda store: outbox(store).expire(NOW, 5),
    "owners of tokens": lambda store: store.owners_of_tokens(["a" * 32, "b" * 32]),
    "errors of traces": lambda store: store.trace_errors(1, ["ab" * 16]),
    "deployment": deploy,
    "deployments": lambda store: SqlDeployments(store.database).deployment(1, "d"),
    "bindings": lambda store: SqlDeployments(store.database).bindings(1, "shop"),
    "programs": lambda store: (
        SqlDeployments(store.database).program(1, "shop"),
        SqlDeployments(store.database).programs(1, skip=0, size=5),
    ),
    "owners": lambda store: SqlDeployments(store.database).owners(1, "check", ["r"]),
    "subscriptions": lambda store: SqlSubscriptions(store.database).numbered(1, [1]),
    "expire": lambda store: store.expire(check_ins_before=NOW - DAY, refusals_before=NOW - DAY, limit=5),
    "expire tracks": lambda store: (
        store.commit(delta(deleted_tracks={2: 2}), store.position() + 1),
        store.expire(check_ins_before=0, refusals_before=0, limit=5),
    ),
    "commit": lambda store: store.commit(delta(monitor(3), deleted_monitors={1}), store.position() + 1),
    "refusals": lambda store: store.commit(delta(refusals=[REFUSED, STRAY]), store.position() + 1),
    "dismissal": lambda store: store.commit(delta(deleted_refusals=[DeleteRefusals(1, "m-2")]), store.position() + 1),
}
MIDDLE = pages.encode(("check_ins", 1, None, None, None, None, None), (ids.check_in_number(NOW, 0),))
# Their rows come out of an index in the order that is wanted: what is read is what is shown.
IN_ORDER = (
    "latest",
    "check-ins of a monitor",
    "browse back",
    "by our id",
    "recall",
)
WEEKLY = ("latest", "check-ins of a monitor", "counts", "statistics", "load")
OPEN_ONLY = ("uq_incidents_open", "ix_check_ins_open", "ix_notices_waiting", "ix_alerts_look")  # rows that are open
GROWING = (
    *("check_ins", "check_in_ids", "incidents", "refusals", "changes", "trace_errors", "alerts", "notices"),
    *("bindings", "deployments", "subscriptions"),
)


@pytest.mark.parametrize("read", QUICK)
def test_nothing_is_scanned(tmp_path, read):
    store = open_sqlite(tmp_path)
    plans = []

    def see(connection, cursor, statement, parameters, context, many):
        if statement.startswith(("SELECT", "DELETE", "UPDATE", "INSERT")):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters[0] if many else parameters)
            plans.append((statement, [detail for *_, detail in cursor.fetchall()]))

    try:
        with_monitors(store, monitor(1), monitor(2))
        for weeks in range(3):
            store.prepare(NOW + (weeks - 2) * WEEK)
        commit(store, delta(*(check_in(number(index, NOW - index * WEEK), track(1, 1)) for index in range(3))))
        for engine in (store.database.writer, store.database.readers, store.database.lookups, store.database.doors):
            event.listen(engine, "before_cursor_execute", see)
        QUICK[read](store)
    finally:
        store.close()
    assert plans
    for statement, plan in plans:
        for step in plan:
            assert not step.startswith(tuple(f"SCAN {table}" for table in GROWING)) or "USING" in step, statement
            assert read not in IN_ORDER or "TEMP B-TREE" not in step, statement
    if read in WEEKLY:
        asked = {name for statement, _ in plans for name in re.findall(r"check_ins_[0-9]+", statement)}
        assert len(asked) == 5, "every week"
        assert not any(re.search(r"\b(check_ins|check_in_ids)\b", statement) for statement, _ in plans), "not the view"


def test_chosen_ids_are_looked_up_in_the_index_of_every_week(tmp_path):
    """That statement goes under SQLAlchemy, where the test above does not see it."""
    store = open_sqlite(tmp_path)
    seen = []
    try:
        with_monitors(store, monitor(1))
        store.prepare(NOW)
        with store.database.look_up() as connection:
            driver = connection.connection.driver_connection
            driver.set_trace_callback(seen.append)
            check_ins.recall(connection, [(1, "ab" * 16)])
            driver.set_trace_callback(None)
            (statement,) = [text for text in seen if "check_in_ids" in text]
            plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")]
        assert sum("USING PRIMARY KEY (project=? AND id=?)" in step for step in plan) == 4
        assert not any(step.startswith("SCAN") for step in plan)
    finally:
        store.close()


@pytest.mark.parametrize("read", QUICK)
def test_nothing_is_scanned_on_postgresql(postgres, read):
    """With a small table PostgreSQL would scan it and be right, so it is told to do so only where it knows no other way."""
    url = postgres.new_database()
    store = SqlStore(url)
    statements = []

    def see(connection, cursor, statement, parameters, context, many):
        if statement.startswith(("SELECT", "DELETE", "UPDATE", "INSERT", "WITH")):
            statements.append((statement, parameters[0] if many else parameters))

    try:
        with_monitors(store, monitor(1), monitor(2))
        for engine in (store.database.writer, store.database.readers, store.database.lookups, store.database.doors):
            event.listen(engine, "before_cursor_execute", see)
        QUICK[read](store)
        seen = list(statements)
        assert seen
        with store.database.write() as connection:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            for statement, parameters in seen:
                plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar()
                for node in nodes(plan[0]["Plan"]):
                    if node.get("Relation Name", "").startswith(GROWING) and "Scan" in node["Node Type"]:
                        assert node["Node Type"] != "Seq Scan", statement
                        bounded = "Index Cond" in node or node.get("Index Name") in OPEN_ONLY
                        assert bounded or node["Node Type"] == "Bitmap Heap Scan", (statement, node)
    finally:
        store.close()
        postgres.drop(url)


def nodes(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)
