"""A monitor by its id, as every question that names one looks it up."""

import asyncio

from tocsin.domain import errors
from tocsin.store.port import MonitorWithHealth, Store


async def find_monitor(store: Store, project: int, monitor_id: str) -> MonitorWithHealth:
    """NotFound: the project has no such monitor."""
    found = await asyncio.to_thread(store.get_monitor, project, monitor_id)
    if found is None:
        raise errors.NotFound(
            f"no monitor {monitor_id!r} in this project", reason="MONITOR_NOT_FOUND", metadata={"monitor": monitor_id}
        )
    return found
