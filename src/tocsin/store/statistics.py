"""What check-ins say in each stretch of time: how many of each state, and how their values are spread.

The database groups a bounded number of check-ins at a time and what it finds is summed up here, so neither holds more
than that, however many there are. A monitor's first check-ins are looked at as they are. Of those beyond, lengths are
rounded to three digits before they are grouped: a busy monitor then answers in few rows, within one percent.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Float,
    Select,
    Table,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    null,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from tocsin.domain import ids
from tocsin.domain.check_in import STATES_BY_NUMBER, State
from tocsin.domain.instant import DAY, Instant
from tocsin.domain.sample import Sample
from tocsin.store import weeks
from tocsin.store.browse_port import DURATION, Spread, Statistic, Window
from tocsin.store.port import chunks
from tocsin.store.schema import environments, tracks

FIRST: Final = 2_000  # check-ins of a monitor in one table that are looked at as they are
BLOCK: Final = 50_000  # that are grouped at once
_MANY: Final = 500  # values in one IN


class _Group(NamedTuple):
    """Check-ins that have all of it in common, as the database tells them."""

    track: int
    bucket: int
    state: int
    started: bool
    value: float | None
    number: int
    total: float | None
    last: int


class _Cell:
    """What one environment of a monitor did in one stretch."""

    def __init__(self) -> None:
        self.states: dict[State, int] = {}
        self.started = 0
        self.samples: dict[str, Sample] = {}
        self.totals: dict[str, float] = {}

    def count(self, group: _Group) -> None:
        state = STATES_BY_NUMBER[group.state]
        self.states[state] = self.states.get(state, 0) + group.number
        self.started += group.number if group.started else 0

    def measure(self, measure: str, group: _Group) -> None:
        if group.value is not None and group.total is not None:
            self.samples.setdefault(measure, Sample()).add(group.value, group.number)
            self.totals[measure] = self.totals.get(measure, 0) + group.total


def read(
    connection: Connection,
    monitors: Sequence[int],
    window: Window,
    measures: Sequence[str],
    quantiles: tuple[float, ...],
) -> Iterator[Statistic]:
    """See `Browse.statistics`."""
    # A number is made when its row is, never much before it was received: this bound lets the index stop.
    first = ids.first_number_from(window.since - DAY)
    pieces = weeks.pieces(connection, above=first - 1)
    for monitor, names in _tracks(connection, monitors, window.environments):
        cells: dict[tuple[str, Instant], _Cell] = {}
        for measure in dict.fromkeys((DURATION, *measures)):
            for piece in pieces:
                for group in _groups(connection, piece.check_ins, monitor, first, window, measure):
                    if group.track not in names:
                        continue
                    cell = cells.setdefault((names[group.track], window.since + group.bucket * window.width), _Cell())
                    if measure == DURATION:
                        cell.count(group)
                    if measure in measures:
                        cell.measure(measure, group)
        for (environment, start), cell in sorted(cells.items()):
            spreads = {
                name: Spread(sample.number, cell.totals[name], sample.quantiles(quantiles))
                for name, sample in cell.samples.items()
            }
            yield Statistic(monitor, environment, start, cell.states, cell.started, spreads)


def _tracks(
    connection: Connection, monitors: Sequence[int], wanted: Sequence[str]
) -> Iterator[tuple[int, dict[int, str]]]:
    """Of each monitor the environments that are there, by the number of their track."""
    statement = select(tracks.c.monitor, tracks.c.number, environments.c.name).join_from(
        tracks, environments, tracks.c.environment == environments.c.number
    )
    if wanted:
        statement = statement.where(environments.c.name.in_(wanted))
    for some in chunks(sorted(set(monitors)), _MANY):
        found: dict[int, dict[int, str]] = {}
        for monitor, track, name in connection.execute(statement.where(tracks.c.monitor.in_(some))):
            found.setdefault(monitor, {})[track] = name
        yield from sorted(found.items())


def _groups(
    connection: Connection, table: Table, monitor: int, first: int, window: Window, measure: str
) -> Iterator[_Group]:
    """Those of one table, a block of check-ins at a time."""
    after, limit = first - 1, FIRST
    while True:
        statement = _statement(table, measure, rounded=limit != FIRST)
        bound = {"monitor": monitor, "after": after, "limit": limit}
        bound |= {"since": window.since, "until": window.until, "width": window.width}
        looked = 0
        for row in connection.execute(statement, bound):
            group = _Group(*row)
            looked += group.number
            after = max(after, group.last)
            yield group
        if looked < limit:
            return
        limit = BLOCK


def _statement(table: Table, measure: str, *, rounded: bool) -> Select[Any]:
    """One text for each table, so that it is compiled once."""
    since = bindparam("since", type_=BigInteger)
    bucket = (table.c.receive_time - since) // bindparam("width", type_=BigInteger)
    here = [
        table.c.monitor == bindparam("monitor"),
        table.c.number > bindparam("after"),
        table.c.receive_time >= since,
        table.c.receive_time < bindparam("until"),
    ]
    exact: ColumnElement[Any] = table.c.duration_ms
    if measure != DURATION:
        exact = _Metric(table.c.detail, measure)
        here.append(table.c.detail.like(f'%"{measure}"%'))  # most have none, and need not be taken apart
    block = (
        select(
            table.c.number,
            table.c.track,
            bucket.label("bucket"),
            table.c.state,
            table.c.start_time.is_not(null()).label("started"),
            exact.label("exact"),
            (_rounded(exact) if rounded and measure == DURATION else exact).label("value"),
        )
        .where(*here)
        .order_by(table.c.number)
        .limit(bindparam("limit"))
        .subquery()
    )
    total = func.sum(block.c.exact)
    same = (block.c.track, block.c.bucket, block.c.state, block.c.started, block.c.value)
    return select(
        *same,
        func.count(),
        cast(total, BigInteger) if measure == DURATION else total,  # a sum is wider in PostgreSQL
        func.max(block.c.number),
    ).group_by(*same)


def _rounded(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """To three digits, in whole numbers."""

    def number(value: int) -> ColumnElement[int]:
        return literal_column(str(value), BigInteger)

    steps = [10**place for place in range(8)]
    return case(
        *((value < number(1000 * step), (value + number(step // 2)) // number(step) * number(step)) for step in steps),
        else_=value,
    )


class _Metric(FunctionElement[float]):
    """A metric out of the detail of a check-in; NULL: none. The name is one of ours, of letters and `_`."""

    type = Float()
    name = "check_in_metric"
    inherit_cache = True

    def __init__(self, detail: ColumnElement[Any], metric: str) -> None:
        if not metric.replace("_", "a").isalpha():
            raise ValueError(f"no name of a metric: {metric!r}")
        super().__init__(detail, literal_column(f"'{metric}'"))


@compiles(_Metric, "sqlite")
def _on_sqlite(element: _Metric, compiler: Any, **options: Any) -> str:
    detail, metric = element.clauses
    return f"json_extract({compiler.process(detail, **options)}, '$.metrics.' || {compiler.process(metric, **options)})"


@compiles(_Metric, "postgresql")
def _on_postgresql(element: _Metric, compiler: Any, **options: Any) -> str:
    detail, metric = element.clauses
    path = f"'metrics', {compiler.process(metric, **options)}"
    return (
        f"CAST(json_extract_path_text(CAST({compiler.process(detail, **options)} AS JSON), {path}) AS DOUBLE PRECISION)"
    )
