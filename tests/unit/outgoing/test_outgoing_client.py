"""Requests that leave the server: to the address that was looked at, bounded, and no further than they should go."""

import asyncio
import ssl

import pytest
import trustme

from support.answering import answering, status
from tocsin.outgoing import Client, Failed, Guard, Limits, Refused
from tocsin.outgoing.guard import networks

LOOPBACK = networks(["127.0.0.0/8"])


def names(**addresses):
    """A resolver that knows these names only, and how often it was asked."""

    async def resolve(host, _port):
        resolve.asked.append(host)
        return addresses[host.partition(".")[0]]

    resolve.asked = []
    return resolve


async def test_a_request_arrives_as_it_was_made():
    async with answering(hook=status(200, b"thanks", X_Hook="yes")) as server, client() as outgoing:
        answer = await outgoing.request("POST", server.url("/hook"), headers={"Idempotency-Key": "k"}, body=b"{}")
    assert (answer.status, answer.body, answer.headers["x-hook"]) == (200, b"thanks", "yes")
    (asked,) = server.asked
    assert (asked.method, asked.body, asked.headers["idempotency-key"]) == ("POST", b"{}", "k")
    assert asked.headers["host"] == f"127.0.0.1:{server.port}"
    assert asked.headers["user-agent"] == "tocsin/test"


async def test_private_targets_are_refused_and_not_asked():
    async with answering() as server, Client(Guard(), "tocsin/test") as outgoing:
        with pytest.raises(Refused, match="not public"):
            await outgoing.request("POST", server.url("/"))
        assert server.asked == []


async def test_a_name_is_resolved_once_and_asked_under_its_name():
    resolve = names(hooks=["127.0.0.1"])
    async with answering() as server, client(resolve) as outgoing:
        answer = await outgoing.request("GET", server.url("/x?y=1", host="hooks.example.org"))
        assert answer.status == 204
    assert resolve.asked == ["hooks.example.org"]
    assert server.asked[0].headers["host"] == f"hooks.example.org:{server.port}"
    assert server.asked[0].path == "/x?y=1"


async def test_the_next_address_is_tried_when_one_does_not_listen():
    resolve = names(hooks=["127.0.0.9", "127.0.0.1"])  # nobody listens on the first
    async with answering() as server, client(resolve) as outgoing:
        assert (await outgoing.request("GET", server.url(host="hooks.example.org"))).status == 204


async def test_certificates_are_for_the_name_and_not_for_the_address():
    authority = trustme.CA()
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("hooks.example.org").configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    resolve = names(hooks=["127.0.0.1"], others=["127.0.0.1"])
    async with answering(serving) as server, client(resolve, tls=trusting) as outgoing:
        url = server.url(host="hooks.example.org", scheme="https")
        assert (await outgoing.request("GET", url)).status == 204
        with pytest.raises(Failed, match="certificate"):
            await outgoing.request("GET", server.url(host="others.example.org", scheme="https"))
    async with answering(serving) as server, client(resolve) as outgoing:
        with pytest.raises(Failed, match="certificate"):
            await outgoing.request("GET", server.url(host="hooks.example.org", scheme="https"))


async def test_redirects_are_looked_at_one_by_one():
    async with answering(end=status(200, b"here")) as server, client() as outgoing:
        server.replies["/start"] = status(307, Location="/end")
        server.replies["/out"] = status(308, Location="http://10.0.0.1/")
        answer = await outgoing.request("POST", server.url("/start"), body=b"{}")
        assert (answer.status, answer.url, server.asked[-1].body) == (200, server.url("/end"), b"{}")
        with pytest.raises(Refused, match=r"10\.0\.0\.1"):
            await outgoing.request("POST", server.url("/out"))


async def test_a_redirect_that_would_ask_something_else_is_the_answer():
    async with answering() as server, client() as outgoing:
        server.replies["/moved"] = status(302, Location="/end")
        assert (await outgoing.request("POST", server.url("/moved"), body=b"{}")).status == 302
        assert (await outgoing.request("GET", server.url("/moved"))).status == 204


@pytest.mark.parametrize("origin", ["host", "port"])
async def test_only_harmless_headers_go_to_another_origin(origin):
    resolve = names(a=["127.0.0.1"], b=["127.0.0.1"])
    secret = {"Authorization": "Bearer x", "X-Api-Key": "k", "DD-API-KEY": "k", "Cookie": "c=1", "X-Auth-Token": "t"}
    harmless = {"Content-Type": "application/json", "Idempotency-Key": "i", "X-Checkly-Signature": "s"}
    async with answering() as server, answering() as other, client(resolve) as outgoing:
        end = server.url("/end", host="b.example.org") if origin == "host" else other.url("/end", host="a.example.org")
        server.replies["/start"] = status(307, Location="/next")
        server.replies["/next"] = status(307, Location=end)
        url = server.url("/start", host="a.example.org")
        await outgoing.request("POST", url, headers={**secret, **harmless}, body=b"{}")
    first, following, last = server.asked + other.asked
    for name in secret:
        assert name.lower() in first.headers
        assert name.lower() in following.headers  # of the same origin
        assert name.lower() not in last.headers
    assert all(last.headers[name.lower()] == value for name, value in harmless.items())
    assert (last.headers["user-agent"], last.body) == ("tocsin/test", b"{}")


@pytest.mark.parametrize("target", ["http:////:1]_", "http://[::1", "http://a:99999999/", "ftp://example.org/"])
async def test_a_redirect_to_what_is_no_url(target):
    async with answering() as server, client() as outgoing:
        server.replies["/start"] = status(307, Location=target)
        with pytest.raises(Failed):
            await outgoing.request("POST", server.url("/start"))


async def test_redirects_end():
    async with answering() as server, client(limits=Limits(redirects=2)) as outgoing:
        server.replies["/round"] = status(307, Location="/round")
        with pytest.raises(Failed, match="more than 2 redirects"):
            await outgoing.request("GET", server.url("/round"))
    assert len(server.asked) == 3


async def test_no_more_of_an_answer_is_read_than_wanted():
    async def endless(_asked, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
            await writer.drain()

    async with answering(hook=endless) as server, client(limits=Limits(body_bytes=5000)) as outgoing:
        answer = await outgoing.request("GET", server.url("/hook"))
    assert answer.body == b"x" * 5000


async def test_a_silent_server_is_given_up():
    gone = asyncio.Event()

    async def silent(_asked, _writer):
        await gone.wait()

    async with answering(hook=silent) as server, client() as outgoing:
        with pytest.raises(Failed, match="in time"):
            await outgoing.request("GET", server.url("/hook"), timeout_s=0.05)
        gone.set()


@pytest.mark.parametrize("url", ["ftp://example.org/", "http://", "http://[::1/", "/path", "http://127.0.0.1:1/"])
async def test_what_cannot_be_asked(url):
    async with client() as outgoing:
        with pytest.raises(Failed):
            await outgoing.request("GET", url)


async def test_an_answer_that_is_none():
    async with answering(hook=b"220 mail.example.org ESMTP\r\n") as server, client() as outgoing:
        with pytest.raises(Failed):
            await outgoing.request("GET", server.url("/hook"))


async def test_nothing_is_kept_from_one_request_to_the_next():
    resolve = names(a=["127.0.0.1"], b=["127.0.0.1"])
    async with answering(hook=status(200, Set_Cookie="session=1; Path=/")) as server, client(resolve) as outgoing:
        for host in ("a.example.org", "b.example.org", "a.example.org"):
            await outgoing.request("POST", server.url("/hook", host=host))
    assert not any("cookie" in asked.headers for asked in server.asked)
    assert all(asked.headers["connection"] == "close" for asked in server.asked)


def client(resolve=None, *, limits=None, tls=None) -> Client:
    return Client(Guard(LOOPBACK, resolve), "tocsin/test", limits, tls)
