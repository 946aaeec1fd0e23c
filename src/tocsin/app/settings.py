"""Settings: defaults < tocsin.toml < environment (TOCSIN_SECTION__KEY) < flags. One frozen structure with sections."""

import math
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from tocsin.app import project_settings
from tocsin.app.maintenance import Maintenance
from tocsin.app.project_settings import Projects
from tocsin.outgoing.guard import networks

CHECK_IN_DAYS_MIN: Final = (
    28  # ids that clients chose go with their check-ins, and a retry this late must still be known
)


class Listen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    http: str = "127.0.0.1:8000"  # host:port of REST, pings, vendors' protocols and metrics
    grpc: str = "127.0.0.1:50051"  # host:port of gRPC
    public_url: str = ""  # how clients reach the HTTP port; DSNs are built from it; "": from `http`
    path_prefix: str = ""  # "/tocsin", when a proxy passes "/tocsin/…" on unchanged
    tls_certificate: str = ""  # PEM file: gRPC and HTTP then speak TLS
    tls_key: str = ""  # PEM file
    tls_client_ca: str = ""  # PEM file: gRPC clients must present a certificate signed by it
    drain_seconds: float = 10.0  # how long calls in flight may take after SIGTERM
    requests_limit: int = 4_096  # requests that are answered at once, of HTTP and of gRPC each; more are told to retry
    requests_bytes: int = 256 * 1024 * 1024  # of memory that they may hold together; more likewise


class Store(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    data: str = "./data"  # folder of the embedded database, the lock and the first keys
    url: str = ""  # another database: postgresql://user:password@host/name or sqlite:///path; "": tocsin.db in `data`
    busy_timeout_ms: int = 5_000  # how long a write waits for another process's lock
    statement_timeout_ms: int = 30_000  # PostgreSQL: how long a statement may take; 0: as long as it likes
    check_in_days: int = 90  # check-ins older than this are deleted
    refusal_days: int = 7  # refusals and the change log likewise
    trace_error_days: int = 3  # what Sentry's clients said went wrong in a trace
    notice_days: int = 30  # notices that were delivered or given up
    refusals_kept: int = 10  # the newest of each monitor, and of unknown ones together; losses and remarks each


class Engine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    queue_limit: int = 50_000  # entries that may wait for the database; more are refused with UNAVAILABLE or 503
    queue_bytes: int = 128 * 1024 * 1024  # that they may weigh together; more likewise
    answer_within_ms: int = 15_000  # how long a caller waits for the database before it is told to retry
    outage_shown_ms: int = 30_000  # outages shorter than this are honoured but not listed
    flush_tracks: int = 128  # monitors' environments written with each commit because their check-ins moved them


class Notify(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    retries: int = 3  # of a notice that its destination did not take, before it is given up
    backoff_seconds: float = 10.0  # before the first of them; each next one waits six times as long
    backoff_max_seconds: float = 3_600.0  # but no longer, whatever the destination asks for
    timeout_seconds: float = 10.0  # how long a destination may take to answer
    form_retries: int = 5  # of a notice that a channel with a form did not take
    form_retry_seconds: float = 20.0  # before each of them
    group_from: int = 10  # so many notices that wait for one destination go in one request
    concurrency: int = 16  # requests at once, each to another destination


class Outgoing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    allowed_networks: tuple[str, ...] = ()  # "10.0.0.0/8": what may be asked though it is not public


class Telemetry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    log_level: str = "info"  # debug, info, warning, error
    log_json: bool | None = None  # unset: JSON unless standard error is a terminal
    open_metrics: bool | None = None  # whether /metrics needs no key; unset: only on loopback
    max_samples: int = 1_000_000  # samples of one scrape of /metrics/monitors
    volume_watch: bool = False  # whether tocsin_ingest_anomaly compares the volume of check-ins with the days before


class Dialects(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sentry: bool = True  # serve Sentry's ingest and management paths
    sentry_organization: str = "tocsin"  # slug of the one organisation of Sentry's management API
    cronitor: bool = True  # serve Cronitor's telemetry and monitor paths
    cronitor_create: bool = True  # telemetry makes the monitor that it names
    cronitor_create_not: tuple[int, ...] = ()  # numbers of keys by which it makes none
    cronitor_strict: bool = False  # telemetry that is dropped is answered with an error, not with "ok"
    cronitor_anonymous: bool = False  # serve the old URLs without a key: whoever knows a code may send and read
    cronitor_monitor_rate: float = 0.0  # events a second of one monitor; more are told to wait; 0: any number
    cronitor_monitor_burst: int = 10  # that may come at once
    cronitor_address_rate: float = 0.0  # the same of one address
    cronitor_address_burst: int = 250
    checkly: bool = True  # serve Checkly's API of heartbeats
    checkly_ping_url: str = ""  # what ping URLs begin with; "": the public URL and /ping
    checkly_badges: bool = False  # serve badges of checks without a key: whoever knows a check's id may see its state
    checkly_requests_per_minute: int = 0  # API requests of one key; more are answered 429; 0: any number
    checkly_results_per_minute: int = 0  # the same of check results
    checkly_analytics_per_minute: int = 0  # of analytics
    checkly_notifications_per_minute: int = 0  # of alert notifications
    checkly_prometheus_per_minute: int = 0  # of the Prometheus endpoints


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    listen: Listen = Listen()
    store: Store = Store()
    engine: Engine = Engine()
    notify: Notify = Notify()
    outgoing: Outgoing = Outgoing()
    telemetry: Telemetry = Telemetry()
    dialects: Dialects = Dialects()
    projects: Projects = Projects()
    maintenance: tuple[Maintenance, ...] = ()

    @property
    def data(self) -> Path:
        return Path(self.store.data)

    @property
    def database_url(self) -> str:
        return self.store.url or f"sqlite:///{self.data / 'tocsin.db'}"


class SettingsError(Exception):
    """A setting that cannot be used: where it came from, its path, and what is wrong."""


def load(file: Path | None, environment: Mapping[str, str], flags: Mapping[str, Any]) -> Settings:
    """`flags` maps "section.key" to values that are set; None means not given."""
    merged: dict[str, Any] = {}
    if file is not None:
        try:
            merged = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"{file}: {error}") from None
    for name, value in environment.items():
        if name.startswith("TOCSIN_") and "__" in name:
            section, _, key = name.removeprefix("TOCSIN_").lower().partition("__")
            _put(merged, section, key, _listed(value) if (section, key) in _LISTS else value)
    for path, value in flags.items():
        if value is not None:
            section, _, key = path.partition(".")
            _put(merged, section, key, value)
    try:
        settings = msgspec.convert(merged, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"setting {error}") from None
    _check(settings)
    return settings


_LISTS: Final = frozenset(
    (
        *(("projects", name) for name in project_settings.LISTS),
        ("dialects", "cronitor_create_not"),
        ("outgoing", "allowed_networks"),
    )
)


def _listed(text: str) -> list[str]:
    """A list in an environment variable: "nightly-*, weekly-*"."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _put(merged: dict[str, Any], section: str, key: str, value: Any) -> None:
    content = merged.setdefault(section, {})
    if not isinstance(content, dict):
        raise SettingsError(f"setting {section}: must be a table of settings, not {content!r}")
    content[key] = value


def _check(settings: Settings) -> None:
    for name in ("http", "grpc"):
        host_port(getattr(settings.listen, name), f"listen.{name}")
    if bool(settings.listen.tls_certificate) != bool(settings.listen.tls_key):
        raise SettingsError("listen.tls_certificate and listen.tls_key must be set together")
    if settings.listen.tls_client_ca and not settings.listen.tls_certificate:
        raise SettingsError("listen.tls_client_ca: needs listen.tls_certificate and listen.tls_key as well")
    if not re.fullmatch(r"[a-z0-9_-]{1,64}", settings.dialects.sentry_organization):
        given = settings.dialects.sentry_organization
        raise SettingsError(f"dialects.sentry_organization: {given!r} must be 1 to 64 of a-z, 0-9, '-' and '_'")
    if (url := settings.dialects.checkly_ping_url) and not re.fullmatch(r"https?://[^\s?#]+", url):
        raise SettingsError(f"dialects.checkly_ping_url: {url!r} must be of the form https://host/path")
    if settings.telemetry.log_level not in ("debug", "info", "warning", "error"):
        raise SettingsError(
            f"telemetry.log_level: {settings.telemetry.log_level!r} is none of debug, info, warning, error"
        )
    for path, value, least in (
        ("listen.drain_seconds", settings.listen.drain_seconds, 0),
        ("store.busy_timeout_ms", settings.store.busy_timeout_ms, 0),
        ("listen.requests_limit", settings.listen.requests_limit, 1),
        ("listen.requests_bytes", settings.listen.requests_bytes, 1024 * 1024),
        ("store.statement_timeout_ms", settings.store.statement_timeout_ms, 0),
        ("engine.queue_limit", settings.engine.queue_limit, 1),
        ("engine.queue_bytes", settings.engine.queue_bytes, 1024 * 1024),
        ("engine.answer_within_ms", settings.engine.answer_within_ms, 1),
        ("engine.outage_shown_ms", settings.engine.outage_shown_ms, 0),
        ("engine.flush_tracks", settings.engine.flush_tracks, 1),
        ("store.check_in_days", settings.store.check_in_days, CHECK_IN_DAYS_MIN),
        ("store.refusal_days", settings.store.refusal_days, 1),
        ("store.trace_error_days", settings.store.trace_error_days, 1),
        ("store.refusals_kept", settings.store.refusals_kept, 1),
        ("store.notice_days", settings.store.notice_days, 1),
        ("notify.retries", settings.notify.retries, 0),
        ("notify.backoff_seconds", settings.notify.backoff_seconds, 0.001),
        ("notify.backoff_max_seconds", settings.notify.backoff_max_seconds, 0.001),
        ("notify.timeout_seconds", settings.notify.timeout_seconds, 0.001),
        ("notify.form_retries", settings.notify.form_retries, 0),
        ("notify.form_retry_seconds", settings.notify.form_retry_seconds, 0.001),
        ("notify.group_from", settings.notify.group_from, 2),
        ("notify.concurrency", settings.notify.concurrency, 1),
        ("telemetry.max_samples", settings.telemetry.max_samples, 1),
        ("dialects.cronitor_monitor_rate", settings.dialects.cronitor_monitor_rate, 0),
        ("dialects.cronitor_monitor_burst", settings.dialects.cronitor_monitor_burst, 1),
        ("dialects.cronitor_address_rate", settings.dialects.cronitor_address_rate, 0),
        ("dialects.cronitor_address_burst", settings.dialects.cronitor_address_burst, 1),
        ("dialects.checkly_requests_per_minute", settings.dialects.checkly_requests_per_minute, 0),
        ("dialects.checkly_results_per_minute", settings.dialects.checkly_results_per_minute, 0),
        ("dialects.checkly_analytics_per_minute", settings.dialects.checkly_analytics_per_minute, 0),
        ("dialects.checkly_notifications_per_minute", settings.dialects.checkly_notifications_per_minute, 0),
        ("dialects.checkly_prometheus_per_minute", settings.dialects.checkly_prometheus_per_minute, 0),
    ):
        if not least <= value < math.inf:  # nor is it a number that is none
            raise SettingsError(f"{path}: must be at least {least}, not {value}")

    try:
        networks(settings.outgoing.allowed_networks)
        project_settings.to_domain(settings.projects)
    except ValueError as error:
        raise SettingsError(str(error)) from None


def host_port(address: str, path: str) -> tuple[str, int]:
    """Host and port of "127.0.0.1:8000" or "[::1]:8000"; port 0 takes a free one."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise SettingsError(f"{path}: {address!r} is not HOST:PORT")
    return host.strip("[]"), int(port)


def from_environment(file: str | None, flags: Mapping[str, Any]) -> Settings:
    chosen = file or os.environ.get("TOCSIN_CONFIG")
    return load(Path(chosen) if chosen else None, os.environ, flags)
