"""The peer's address, or the client's that a trusted proxy names."""

import pytest

from tocsin.http.addresses import Addresses
from tocsin.http.raw import Request
from tocsin.service.room import Room

HOLD = Room(1, 1).hold()


def of(peer, *forwarded, trusted="127.0.0.1,10.0.0.0/8"):
    async def receive():
        raise AssertionError

    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    scope = {"method": "GET", "headers": headers, "path_params": {}, "query_string": b"", "client": peer}
    return Addresses(trusted).of(Request(scope | {"state": {"received": 0, "hold": HOLD}}, receive))


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        (("192.0.2.7", 1), (), "192.0.2.7"),
        (("2001:db8::7", 1), (), "2001:db8::7"),
        (None, (), ""),
        (("192.0.2.7", 1), ("198.51.100.9",), "192.0.2.7"),
        (("127.0.0.1", 1), ("198.51.100.9",), "198.51.100.9"),
        (("127.0.0.1", 1), ("203.0.113.5, 198.51.100.9, 10.1.2.3",), "198.51.100.9"),
        (("127.0.0.1", 1), ("203.0.113.5", "198.51.100.9"), "198.51.100.9"),
        (("127.0.0.1", 1), ("",), "127.0.0.1"),
        (("127.0.0.1", 1), ("x" * 200,), "x" * 64),
        (("127.0.0.1", 1), ("[2001:db8::7]:80",), "2001:db8::7"),
    ],
)
def test_whose_request_it_is(peer, forwarded, address):
    assert of(peer, *forwarded) == address


def test_nobody_is_trusted_that_is_not_named():
    assert of(("127.0.0.1", 1), "198.51.100.9", trusted="10.0.0.1") == "127.0.0.1"
    assert of(("192.0.2.7", 1), "198.51.100.9", trusted="*") == "198.51.100.9"
