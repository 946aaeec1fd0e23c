"""Where the server is and how to speak to it: target, key, TLS; from arguments or the environment."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc

from tocsin import __version__

DEFAULT_TARGET: Final = "127.0.0.1:50051"
_SECURE: Final = "grpcs://"
_PLAIN: Final = "grpc://"
_CHANNEL: Final = (
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),  # the answer to a full batch with long messages
    ("grpc.initial_reconnect_backoff_ms", 100),  # we wait between attempts ourselves
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.keepalive_time_ms", 30_000),  # a watch notices that the other end is gone
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.primary_user_agent", f"tocsin-python/{__version__}"),
)


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM, as bytes or as the path of a file. Without `ca`, the authorities that gRPC brings along.

    `certificate` and `key` are the client's own, for servers that ask for one; both or neither.
    """

    ca: bytes | str | Path | None = None
    certificate: bytes | str | Path | None = None
    key: bytes | str | Path | None = None

    def credentials(self) -> grpc.ChannelCredentials:
        """ValueError: certificate without key or the reverse. OSError: a file cannot be read."""
        if (self.certificate is None) != (self.key is None):
            raise ValueError("Tls: `certificate` and `key` belong together")
        return grpc.ssl_channel_credentials(_pem(self.ca), _pem(self.key), _pem(self.certificate))


@dataclass(frozen=True, slots=True)
class Options:
    """What a channel is made of. `credentials` None: without TLS."""

    target: str
    metadata: tuple[tuple[str, str], ...]
    credentials: grpc.ChannelCredentials | None

    @property
    def channel(self) -> tuple[tuple[str, str | int], ...]:
        return _CHANNEL


def resolve(target: str | None, key: str | None, tls: Tls | bool | None) -> Options:
    """What is not given comes from TOCSIN_GRPC and TOCSIN_KEY. A target that begins with grpcs:// means TLS.

    Without a key, calls are sent and refused with KEY_MISSING; health and reflection need none.
    """
    chosen = target or os.environ.get("TOCSIN_GRPC") or DEFAULT_TARGET
    secret = key if key is not None else os.environ.get("TOCSIN_KEY", "")
    if tls is None:
        tls = chosen.startswith(_SECURE)
    if tls is True:
        tls = Tls()
    return Options(
        target=chosen.removeprefix(_SECURE).removeprefix(_PLAIN),
        metadata=(("authorization", f"Bearer {secret}"),) if secret else (),
        credentials=tls.credentials() if tls else None,
    )


def _pem(given: bytes | str | Path | None) -> bytes | None:
    return given if given is None or isinstance(given, bytes) else Path(given).read_bytes()
