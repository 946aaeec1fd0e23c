"""The client of programs that make none: from the environment, when it is first needed, one for each process."""

import os
import threading
from typing import Unpack

from tocsin.client.monitoring import Monitored, MonitorOptions
from tocsin.client.sync import Client

_lock = threading.Lock()
_clients: dict[int, Client] = {}


def default_client() -> Client:
    """A Client made of TOCSIN_GRPC and TOCSIN_KEY. A process that was forked has its own."""
    with _lock:
        if os.getpid() not in _clients:
            _clients[os.getpid()] = Client()
        return _clients[os.getpid()]


def monitor(monitor: str, *, client: Client | None = None, **options: Unpack[MonitorOptions]) -> Monitored:
    """A decorator and a context manager that report a run of `monitor`; see Monitored.

    `client` when not given is that of the environment. The job runs whether a server is there or not.
    """
    return Monitored((lambda: client) if client is not None else default_client, monitor, options)
