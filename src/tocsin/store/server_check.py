"""Whether a PostgreSQL server can be used, and what of its settings puts at stake that an answer means "kept"."""

from typing import Final

from tocsin.store.database import is_postgresql, trouble

OLDEST: Final = 14  # the oldest that its makers still mend
_ASKED: Final = ("server_version_num", "server_encoding", "fsync", "full_page_writes", "synchronous_commit")
_STAKES: Final = {
    "fsync": "check-ins that were acknowledged, or the whole database, may be lost when its machine fails",
    "full_page_writes": "pages of the database may be torn when its machine fails",
    "synchronous_commit": "this server switches it on for what it writes, because an answer promises that it is kept",
}


def remarks(url: str) -> dict[str, str]:
    """By setting, what is at stake because it is off; {} for SQLite, whose settings are ours.

    ValueError: the server cannot be used. StoreTrouble: it cannot be asked now.
    """
    if not is_postgresql(url):
        return {}
    from tocsin.store import postgresql  # noqa: PLC0415 - the driver takes a while to load

    with trouble(), postgresql.connect(url, "server", busy_timeout_ms=5_000, statement_timeout_ms=5_000) as session:
        # The value that the session began with: what this program then set does not count.
        rows = session.execute("SELECT name, reset_val FROM pg_settings WHERE name = ANY(%s)", [list(_ASKED)])
        found = {str(name): str(value) for name, value in rows}
    if int(found["server_version_num"]) < OLDEST * 10_000:
        raise ValueError(f"PostgreSQL {OLDEST} or newer is needed, not {int(found['server_version_num']) // 10_000}")
    if found["server_encoding"] != "UTF8":
        raise ValueError(f"the database must be made with encoding UTF8, not {found['server_encoding']}")
    return {name: stake for name, stake in _STAKES.items() if found[name] == "off"}
