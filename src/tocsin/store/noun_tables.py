"""The tables of nouns that services write beside the journal: groups, environments, incidents by hand, texts."""

from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Boolean, Column, MetaData, Table, UniqueConstraint

from tocsin.store.column_types import Number, Text


class Tables(NamedTuple):
    groups: Table  # which monitor is in which, the monitors say
    project_environments: Table  # what projects decide; those that are known by reports only have no row
    manual_incidents: Table
    variables: Table  # what templates name
    snippets: Table


def define(metadata: MetaData) -> Tables:
    alerts = _required("with_alerts", Boolean)
    resolved = Column("resolve_time", BigInteger)
    rest = _required("body", Text)  # JSON
    return Tables(
        _shelf(
            metadata,
            "groups",
            [_required("display_name", Text)],
            [Column("body", Text, nullable=False, server_default="{}")],  # JSON of the rest
        ),
        _shelf(metadata, "project_environments", [_required("display_name", Text), alerts]),
        _shelf(metadata, "manual_incidents", [resolved], [rest]),
        _shelf(metadata, "variables", [], [_required("body", Text)]),
        _shelf(metadata, "snippets", [], [_required("body", Text)]),
    )


def _shelf(metadata: MetaData, name: str, own: list[Column[Any]], last: list[Column[Any]] | None = None) -> Table:
    """Nouns of a project that are found by their key."""
    return Table(
        name,
        metadata,
        Column("number", Number, primary_key=True),
        _required("project", Number),
        _required("key", Text),
        *own,
        _required("create_time", BigInteger),
        _required("update_time", BigInteger),
        *(last or ()),
        UniqueConstraint("project", "key"),
        sqlite_autoincrement=True,  # a number is never given out twice
    )


def _required(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)
