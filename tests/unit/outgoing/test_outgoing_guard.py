"""Which addresses may be asked, whatever they are dressed as."""

from ipaddress import ip_address

import pytest

from tocsin.outgoing.guard import Guard, Refused, Unresolved, networks


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("255.255.255.255", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::5db8:d70e", True),
        ("2002:7f00:1::", False),
        ("2002:a00:1::1", False),
    ],
)
def test_public_or_not(address, allowed):
    assert Guard().allows(ip_address(address)) is allowed


def test_what_the_settings_allow():
    guard = Guard(networks(["10.0.0.0/8", "::1"]))
    assert guard.allows(ip_address("10.9.9.9"))
    assert guard.allows(ip_address("::1"))
    assert guard.allows(ip_address("::ffff:10.0.0.1"))
    assert not guard.allows(ip_address("127.0.0.1"))


def test_a_wrong_network_is_named():
    with pytest.raises(ValueError, match=r"outgoing\.allowed_networks: '10\.0\.0\.1/8'"):
        networks(["10.0.0.1/8"])


async def test_one_private_address_among_others_refuses_the_name():
    async def resolve(host, port):
        assert (host, port) == ("example.org", 443)
        return ["93.184.215.14", "127.0.0.1"]

    with pytest.raises(Refused, match=r"example\.org is at 127\.0\.0\.1"):
        await Guard(resolve=resolve).addresses("example.org", 443)


async def test_a_name_without_addresses():
    async def resolve(_host, _port):
        return []

    with pytest.raises(Unresolved):
        await Guard(resolve=resolve).addresses("example.org", 443)


async def test_a_literal_address_is_not_looked_up():
    async def resolve(_host, _port):
        raise AssertionError

    assert await Guard(resolve=resolve).addresses("93.184.215.14", 80) == ["93.184.215.14"]
    with pytest.raises(Refused):
        await Guard(resolve=resolve).addresses("::1", 80)


@pytest.mark.parametrize("host", ["localhost", "127.1", "0x7f.1", "2130706433"])
async def test_other_ways_to_write_loopback_are_refused_too(host):
    with pytest.raises((Refused, Unresolved)):
        await Guard().addresses(host, 80)
