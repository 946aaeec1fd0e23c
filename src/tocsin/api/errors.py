"""TocsinError → gRPC: the status code, and google.rpc.Status for the trailers."""

import grpc
from google.rpc.status_pb2 import Status

from tocsin.domain.errors import TocsinError
from tocsin.wire.status import internal_status, to_status

_CODES = {code.value[0]: code for code in grpc.StatusCode}


def grpc_code(status: Status) -> grpc.StatusCode:
    """The gRPC code of a status, whose numbers are the same."""
    return _CODES[status.code]


def trailers(status: Status) -> tuple[tuple[str, bytes], ...]:
    """The metadata that carries the details: what `grpc_status.rpc_status.from_call` reads on the client's side."""
    return (("grpc-status-details-bin", status.SerializeToString()),)


def status_of(error: Exception) -> Status:
    """Expected errors as they are; anything else is ours, and says no more than that."""
    return to_status(error) if isinstance(error, TocsinError) else internal_status()
