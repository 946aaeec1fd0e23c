"""Opaque page tokens: where the last page ended, bound to the question it was the answer to.

A token is no secret and no right; its check sum only tells it from a typing error and from a token of another list.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from tocsin.domain import errors
from tocsin.store.port import Page

T = TypeVar("T")
Keys = TypeVar("Keys", bound=tuple[Any, ...])
_SUM = 6  # bytes


def encode(query: tuple[object, ...], last: tuple[object, ...]) -> str:
    """A token for the page after the row whose order key is `last`, in the list that `query` describes."""
    payload = msgspec.msgpack.encode(last)
    return base64.urlsafe_b64encode(_sum(query, payload) + payload).decode().rstrip("=")


def decode(token: str, query: tuple[object, ...], type: type[Keys]) -> Keys:
    """The order key back, as `type`. InvalidArgument PAGE_TOKEN_INVALID: made up, cut off, or of another list."""
    try:
        data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        if data[:_SUM] == _sum(query, data[_SUM:]):
            last: Keys = msgspec.msgpack.decode(data[_SUM:], type=type)
            if all(not isinstance(part, int) or part < 1 << 63 for part in last):  # no column is wider
                return last
    except (binascii.Error, ValueError, msgspec.DecodeError):
        pass
    raise errors.invalid(
        "page_token",
        "is not from an answer to this request; repeat the fields of the first page, or leave the token out",
        reason="PAGE_TOKEN_INVALID",
    )


def cut(rows: list[T], size: int, query: tuple[object, ...], key: Callable[[T], tuple[Any, ...]]) -> Page[T]:
    """A page of `size` out of up to one row more, whose presence says that there is a next page."""
    if len(rows) <= size:
        return Page(rows, "")
    return Page(rows[:size], encode(query, key(rows[size - 1])))


def _sum(query: tuple[object, ...], payload: bytes) -> bytes:
    return hashlib.blake2s(msgspec.msgpack.encode(query) + b"\0" + payload, digest_size=_SUM).digest()
