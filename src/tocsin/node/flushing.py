"""How many tracks that only moved are written with a commit, beside what it must write.

A few with each commit: on a server that has little to do these are all, so its database is up to date. Under load they
take a fifth of the writer's time, and the rest lags behind; who has to start from there applies the check-ins since
again. When these become very many, tracks get more time. Whoever finds nothing to do writes a good lot at once.
"""

from typing import Final

FEW: Final = 128
BEHIND: Final = 1_000_000  # check-ins to apply again: from here on more tracks are written, in proportion
_LOT: Final = 8


class Flushing:
    def __init__(self, few: int = FEW) -> None:
        """`few`: with each commit of a busy server, at least 1."""
        self._few = few

    def room(self, behind: int, *, idle: bool = False) -> int:
        """`behind`: check-ins that would have to be applied again now; `idle`: nobody waits for the commit."""
        if idle:
            return self._few * _LOT
        return self._few * (1 + max(behind - BEHIND, 0) * 2 // BEHIND)
