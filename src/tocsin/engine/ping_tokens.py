"""Whose a ping token is: no two monitors of the server have the same one.

Memory does not hold the tokens of all monitors. Who has those that a batch gives out is recalled before it is stepped;
what the batch itself changes is remembered here until it is taken.
"""

from tocsin.domain import errors
from tocsin.domain.monitor import Monitor

Owner = tuple[int, str]  # project and id of a monitor


class PingTokens:
    def __init__(self) -> None:
        self._changed: dict[str, Owner | None] = {}  # in this batch; None: nobody's any more
        self.released: set[str] = set()  # given up in this batch by monitors that stay: a row may still have one

    def check(self, token: str, owner: Owner, recalled: dict[str, Owner], planned: dict[str, Owner | None]) -> None:
        """AlreadyExists: another monitor has it. `planned`: what the same request does before this."""
        if not token:
            return
        for known in (planned, self._changed, recalled):
            if token in known:
                holder = known[token]
                break
        else:
            return
        if holder not in (None, owner):
            raise errors.AlreadyExists(
                "another monitor has this ping token; send none to keep the old one or to get a new one",
                reason="PING_TOKEN_TAKEN",
                metadata={"monitor": owner[1]},
            )

    def follow(self, before: Monitor | None, after: Monitor | None) -> None:
        """A monitor is new, changed or deleted."""
        old, new = before.ping_token if before else "", after.ping_token if after else ""
        if old == new:
            return
        if old:
            self._changed[old] = None
            if after is not None:
                self.released.add(old)
        if after is not None and new:
            self._changed[new] = after.project, after.id

    def take(self) -> set[str]:
        """Ends the batch; the tokens that were given up in it."""
        released, self.released = self.released, set()
        self._changed.clear()
        return released
