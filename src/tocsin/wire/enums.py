"""Enumerations of the contract ⇄ those of the domain, by table."""

import enum
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from tocsin.domain import errors

E = TypeVar("E", bound=enum.Enum)


class Names(Generic[E]):
    """One enumeration in both directions.

    `table` maps numbers of the contract to members of the domain. Where several numbers mean one member, as unspecified
    and its default do, the last is the one that is answered.
    """

    def __init__(self, contract: Any, table: Mapping[int, E]) -> None:
        self._contract = contract
        self._to = dict(table)
        self._from = {member: number for number, member in table.items()}

    def to_domain(self, number: int, field: str, *, reason: str = "FIELD_INVALID") -> E:
        """InvalidArgument for a number that is not in the table, with the names that are."""
        member = self._to.get(number)
        if member is None:
            raise errors.invalid(field, f"must be one of {', '.join(self._accepted())}", reason=reason)
        return member

    def __contains__(self, number: int) -> bool:
        return number in self._to

    # the generated modules type every enumeration as its own kind of int, which a table cannot say
    def from_domain(self, member: E) -> Any:
        return self._from[member]

    def _accepted(self) -> list[str]:
        return [self._contract.Name(number) for number in sorted(self._from.values())]
