"""The tables of deployments: what somebody's program owns here, and how each of its deployments went."""

from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, UniqueConstraint

from tocsin.store.column_types import Number, Text


class Tables(NamedTuple):
    bindings: Table
    deployments: Table


def define(metadata: MetaData) -> Tables:
    bindings = Table(
        "bindings",
        metadata,
        Column("number", Number, primary_key=True),
        _required("project", Number),
        _required("namespace", Text),  # of the program: all that it deploys together
        _required("type", Text),  # what kind of resource, in its dialect's words
        _required("logical_id", Text),  # the name that the program knows it by
        _required("resource", Text),  # the name that it has here
        UniqueConstraint("project", "namespace", "type", "logical_id"),
        Index(None, "project", "type", "resource"),
        sqlite_autoincrement=True,
    )
    deployments = Table(
        "deployments",
        metadata,
        Column("number", Number, primary_key=True),
        _required("project", Number),
        _required("id", Text),
        _required("namespace", Text),
        _required("create_time", BigInteger),
        Column("end_time", BigInteger),  # NULL: it runs
        _required("body", Text),  # JSON: what came of it
        UniqueConstraint("id"),
        Index(None, "project", "namespace", "number"),
        sqlite_autoincrement=True,
    )
    return Tables(bindings, deployments)


def _required(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)
