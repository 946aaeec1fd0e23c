"""Everything durable: one writer, a few readers, plain tables; a batch of the engine becomes one transaction.

What it is: the adapter behind `store.port.Store`, on SQLAlchemy Core. What it is not: it decides nothing. Rules live in
`engine`; here a row is written as it was handed over. It reads no clock: instants come from the caller, and "now" in a
filter is the durable clock of the partition.

May import `engine`, `domain` and below. `tocsin.store.migrations` (Alembic) is not imported from here: it costs a
tenth of a second that only starting and upgrading need to pay.
"""

from tocsin.store.port import Change, CheckInFilter, Fenced, MonitorWithHealth, Page, Store, StoreTrouble
from tocsin.store.store import SqlStore

__all__ = ["Change", "CheckInFilter", "Fenced", "MonitorWithHealth", "Page", "SqlStore", "Store", "StoreTrouble"]
