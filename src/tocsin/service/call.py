"""One request as an edge hands it to a handler: who asks, when it arrived, by which door."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from tocsin.domain.instant import Instant
from tocsin.service.principal import Principal


@dataclass(frozen=True, slots=True)
class Call:
    principal: Principal
    received: Instant
    dialect: str  # the door: "grpc" or "native"
    client: str = ""  # user agent


Handler = TypeVar("Handler", bound=Callable[..., Any])


def in_bytes(handler: Handler) -> Handler:
    """Marks a handler that takes its request and gives its answer in wire bytes: no edge makes a message of either."""
    handler.in_bytes = True  # type: ignore[attr-defined] # functions have room for more
    return handler


def is_in_bytes(handler: Callable[..., Any]) -> bool:
    return getattr(handler, "in_bytes", False) is True
