"""TocsinError → google.rpc.Status: ErrorInfo always, BadRequest and RetryInfo where they say something."""

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from tocsin.domain.errors import TocsinError
from tocsin.wire.time import from_millis

DOMAIN = "tocsin"
REASON_INTERNAL = "INTERNAL"


def to_status(error: TocsinError) -> Status:
    """The status that every edge answers with: `code` is the canonical number, `message` the text for people."""
    details: list[Message] = [ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata)]
    if error.violations:
        wrong = [
            BadRequest.FieldViolation(field=field, description=description) for field, description in error.violations
        ]
        details.append(BadRequest(field_violations=wrong))
    if error.retry_after_ms is not None:
        details.append(RetryInfo(retry_delay=from_millis(error.retry_after_ms)))
    return Status(code=Code.Value(error.code), message=error.message, details=[_pack(detail) for detail in details])


def internal_status() -> Status:
    """What a caller learns of a fault of ours: that it was one. The particulars are in the log."""
    info = ErrorInfo(reason=REASON_INTERNAL, domain=DOMAIN)
    return Status(
        code=Code.Value("INTERNAL"), message="a fault of the server; it has been logged", details=[_pack(info)]
    )


def _pack(detail: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(detail)
    return packed
