"""One request as an edge hands it to a handler: who asks, when it arrived, by which door."""

from dataclasses import dataclass

from tocsin.domain.instant import Instant
from tocsin.service.principal import Principal


@dataclass(frozen=True, slots=True)
class Call:
    principal: Principal
    received: Instant
    dialect: str  # the door: "grpc" or "native"
    client: str = ""  # user agent
