"""The Python client: report runs and signals, put and read monitors, over gRPC, from threads or from asyncio.

    from tocsin.client import monitor

    @monitor("nightly-backup", schedule="30 2 * * *", max_runtime=7200)
    def backup(): ...

Knows the contract (tocsin.v1) and nothing else of tocsin. See README.md beside this file.
"""

from tocsin.client.aio import AsyncClient
from tocsin.client.aio_batch import AsyncBatcher
from tocsin.client.default import default_client, monitor
from tocsin.client.errors import ClientError, Violation
from tocsin.client.fields import MonitorFields, monitor_message
from tocsin.client.monitoring import AsyncMonitored, AsyncRun, Monitored, MonitorOptions, SyncRun
from tocsin.client.options import Tls
from tocsin.client.report_calls import ReportFields, report
from tocsin.client.retry import Retry
from tocsin.client.schedules import cron, daily, every, rolling
from tocsin.client.sync import Client
from tocsin.client.sync_batch import Batcher

__all__ = [
    "AsyncBatcher",
    "AsyncClient",
    "AsyncMonitored",
    "AsyncRun",
    "Batcher",
    "Client",
    "ClientError",
    "MonitorFields",
    "MonitorOptions",
    "Monitored",
    "ReportFields",
    "Retry",
    "SyncRun",
    "Tls",
    "Violation",
    "cron",
    "daily",
    "default_client",
    "every",
    "monitor",
    "monitor_message",
    "report",
    "rolling",
]
