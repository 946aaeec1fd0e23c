"""What a call is, apart from how it is sent: a method of the contract, a request, and how to read the answer.

Sync and async clients send the same calls; nothing else is written twice.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message
from grpc import StatusCode

from tocsin.client.errors import ClientError

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)
R = TypeVar("R")
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Method(Generic[Q, A]):
    """A method of tocsin.v1, with the types of its request and its answer."""

    service: str
    name: str
    request: type[Q]
    answer: type[A]

    @property
    def path(self) -> str:
        return f"/tocsin.v1.{self.service}/{self.name}"

    @property
    def codec(self) -> dict[str, Callable[..., Any]]:
        """What a channel needs to know to make the method callable."""
        return {
            "request_serializer": self.request.SerializeToString,
            "response_deserializer": self.answer.FromString,
        }


@dataclass(frozen=True, slots=True)
class Call(Generic[R]):
    """One unary call. `request()` is asked before each attempt; `read(answer)` may raise a ClientError to have another.

    `repeatable`: to send it twice is to send it once. Other calls are only repeated when the server said that nothing
    was kept, and wait for a connection rather than fail for want of one.
    """

    method: Method[Any, Any]
    request: Callable[[], Message]
    read: Callable[[Any], R]
    repeatable: bool = True


@dataclass(frozen=True, slots=True)
class Pages(Generic[Item]):
    """A list, a page at a time. `call(token)` asks for a page; its answer is (items, token of the next or "")."""

    call: Callable[[str], Call[tuple[Iterable[Item], str]]]


@dataclass(frozen=True, slots=True)
class Stream(Generic[R]):
    """A server's stream. `call()` opens it where it was broken off; its `read` is called for each message."""

    call: Callable[[], Call[R]]


def unary(method: Method[Q, A], request: Q, *, repeatable: bool = True) -> Call[A]:
    """A call that answers with the method's own message."""
    return Call(method, lambda: request, _same, repeatable)


def pages(method: Method[Q, A], request: Q, items: Callable[[A], Iterable[Item]]) -> Pages[Item]:
    """A list method as pages: `page_token` and `next_page_token` are the same everywhere."""

    def call(token: str) -> Call[tuple[Iterable[Item], str]]:
        asked = method.request()
        asked.CopyFrom(request)
        asked.page_token = token  # type: ignore[attr-defined] # every list request has it
        return Call(method, lambda: asked, lambda answer: (items(answer), answer.next_page_token))

    return Pages(call)


def stream_ended() -> ClientError:
    """What a stream that should not end has come to: the server went away in good order."""
    return ClientError(StatusCode.UNAVAILABLE, "the server ended the stream")


def _same(answer: A) -> A:
    return answer
