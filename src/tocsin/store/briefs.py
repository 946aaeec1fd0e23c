"""Briefs: what a scrape shows of monitors, without the rest of them.

Bodies are not read, and of tracks only what is shown; a policy is looked up once for all monitors of a piece that have
it. A whole monitor costs ten times as much, and a scrape asks for all of them.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, select

from tocsin.domain.names import DEFAULT_ENVIRONMENT
from tocsin.domain.schedule import Rolling
from tocsin.domain.track import Track
from tocsin.store import monitors, numbered, tags
from tocsin.store.port import Brief, chunks
from tocsin.store.schema import environments, policies, tracks
from tocsin.store.schema import monitors as table

Record = Sequence[Any]  # a row of the statement
_MANY: Final = 500  # values in one IN
_SHOWN: Final = ("health", "verdict", "ok_count", "error_count", "missed_count", "timed_out_count", "last_success")
_MONITOR: Final = (
    table.c.number,
    table.c.project,
    table.c.policy,
    table.c.id,
    table.c.uid,
    table.c.display_name,
    table.c.group,
    table.c.tags,
    table.c.inactive,
    table.c.muted_until,
)
_TRACK: Final = (tracks.c.number, tracks.c.environment, *(tracks.c[name] for name in _SHOWN))
_STATEMENT: Final[Select[Any]] = select(*_MONITOR, *_TRACK).join_from(
    table, tracks, tracks.c.monitor == table.c.number, isouter=True
)
_PROJECT, _POLICY, _ENVIRONMENT = 1, 2, len(_MONITOR) + 1  # places in a row


def numbers(connection: Connection, project: int) -> list[int]:
    """Of the monitors with one schedule, a rolling one; rising. Sorted here: the database would sort wider rows."""
    statement = select(table.c.number).where(table.c.project == project, table.c.policy.in_(numbered.rolling()))
    return sorted(connection.execute(statement).scalars())


def read(connection: Connection, project: int, wanted: Sequence[int]) -> list[Brief]:
    """See `Browse.briefs`."""
    rows: dict[int, Record] = {}
    more: dict[int, list[Record]] = {}  # of monitors with several tracks
    for some in chunks(wanted, _MANY):
        # Not where the project is this one: SQLite would go through the whole project for each of them.
        for row in connection.execute(_STATEMENT.where(table.c.number.in_(some))):
            if rows.setdefault(row[0], row) is not row:
                more.setdefault(row[0], [rows[row[0]]]).append(row)
    if more:
        names = _names(connection, {row[_ENVIRONMENT] for several in more.values() for row in several})
        for number, several in more.items():
            rows[number] = min(several, key=lambda row: _rank(names[row[_ENVIRONMENT]]))
    periods = _periods(connection, {row[_POLICY] for row in rows.values()})
    labels: dict[str, tuple[str, ...]] = {}  # most monitors have the tags of others
    found = (rows[number] for number in wanted if number in rows)
    return [
        _brief(one, periods[one[_POLICY]], labels)
        for one in found
        if one[_PROJECT] == project and one[_POLICY] in periods
    ]


def _brief(row: Record, period: int, labels: dict[str, tuple[str, ...]]) -> Brief:
    number, project, _, name, uid, display_name, group, text, inactive, muted_until, track, environment, *shown = row
    found = labels.get(text)
    if found is None:
        found = labels[text] = tags.from_text(text)
    return Brief(
        project,
        name,
        uid,
        display_name,
        group,
        found,
        inactive,
        muted_until,
        period,
        _track(track, number, environment, *shown) if track is not None else None,
    )


def _track(
    number: int,
    monitor: int,
    environment: int,
    health: int,
    verdict: int,
    oks: int,
    errors: int,
    missed: int,
    timed_out: int,
    last_success: int,
) -> Track:
    return Track(
        number,
        monitor,
        environment,
        0,
        health,
        verdict,
        ok_count=oks,
        error_count=errors,
        missed_count=missed,
        timed_out_count=timed_out,
        last_success=last_success,
    )


def _rank(environment: str) -> tuple[bool, str]:
    return environment != DEFAULT_ENVIRONMENT, environment


def _names(connection: Connection, wanted: Collection[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for some in chunks(sorted(wanted), _MANY):
        statement = select(environments.c.number, environments.c.name).where(environments.c.number.in_(some))
        found |= {row.number: row.name for row in connection.execute(statement)}
    return found


def _periods(connection: Connection, wanted: Iterable[int]) -> dict[int, int]:
    """By policy, of those with one schedule that is a rolling one."""
    found: dict[int, int] = {}
    for some in chunks(sorted(wanted), _MANY):
        for row in connection.execute(select(policies).where(policies.c.number.in_(some))):
            match monitors.policy_of(row.body).schedules:
                case (Rolling(period),):
                    found[row.number] = period
    return found
