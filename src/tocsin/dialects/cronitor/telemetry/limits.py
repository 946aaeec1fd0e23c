"""How many events a second: of one monitor, of one address. Off unless somebody sets them."""

from tocsin.domain.instant import Instant, Millis
from tocsin.service.rates import Buckets, Rate


class Limits:
    def __init__(self, monitor: Rate | None = None, address: Rate | None = None) -> None:
        self._monitors = Buckets(monitor or Rate())
        self._addresses = Buckets(address or Rate())

    def of_address(self, address: str, at: Instant) -> Millis:
        """How long it has to wait; 0: it may go on."""
        return self._addresses.take(address, at)

    def of_monitor(self, project: int, key: str, at: Instant) -> Millis:
        return self._monitors.take((project, key), at)
