"""Where a destination leads: a URL, a channel, a channel with a form that is filled in."""

import hashlib
import hmac
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec
import pytest

from support.answering import answering, status
from support.stores import sqlite_url
from support.telling import NOW, World
from tocsin.domain.notice import Content, Notice, NoticeKind, NoticeState
from tocsin.domain.notification import ChannelKind, Form, Pair
from tocsin.node import sending
from tocsin.node.sending import FORM_PACE, Sender
from tocsin.notify.form import Request
from tocsin.notify.webhook import Outcome
from tocsin.outgoing import Client, Guard
from tocsin.outgoing.guard import networks
from tocsin.store import SqlStore
from tocsin.store.variables import SqlTexts

URL = "https://tocsin.example.org"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = SqlStore(sqlite_url(tmp_path))
    yield World(store)
    store.close()


def notice(number: int) -> Notice:
    content = Content("job", f"Job {number}", "error", "production", NOW, NOW, uid=f"{number:032x}")
    state = (NoticeState.PENDING, 0, NOW, NOW, None, "")
    return Notice(number, 1, 1, number, NoticeKind.ALERT, 1, "webhook:ops", *state, content)


@pytest.fixture
def sender() -> Iterator[Callable[[World, Client], Sender]]:
    with ExitStack() as made:

        def make(world: World, client: Client) -> Sender:
            texts = SqlTexts(world.store.database)
            return made.enter_context(closing(Sender(client, world.tellable, texts, world.clock, URL)))

        yield make


def client() -> Client:
    return Client(Guard(networks(["127.0.0.1"])), "tocsin/test")


async def test_a_form_is_filled_in_with_what_the_project_knows(world, sender):
    texts = SqlTexts(world.store.database)
    texts.variables.put(1, "TOKEN", {"value": "hidden", "secret": True}, NOW, create=True, update_known=True)
    form = Form(
        method="PATCH",
        template="{{ALERT_TITLE}} {{$UUID}}",
        headers=(Pair("Authorization", "Bearer {{TOKEN}}"),),
        query=(Pair("key", "{{TOKEN}}"),),
        secret="shared",
    )
    async with answering(**{"hook?key=hidden": status(202)}) as server, client() as going:
        world.channel("ops", url=server.url("/hook"), form=form)
        outcome = await sender(world, going)(1, "webhook:ops", [notice(1), notice(2)])
    assert outcome == Outcome(sent=True, taken=1, pace=FORM_PACE)
    (asked,) = server.asked
    assert (asked.method, asked.headers["authorization"]) == ("PATCH", "Bearer hidden")
    assert asked.body.startswith(b"Check &quot;Job 1&quot; has failed ")
    assert asked.headers["x-checkly-signature"] == hmac.new(b"shared", asked.body, hashlib.sha256).hexdigest()
    assert asked.headers["x-checkly-timestamp"] == str(NOW)
    assert asked.headers["idempotency-key"] == notice(1).idempotency_key


@pytest.mark.parametrize(
    ("code", "sent", "again"),
    [(200, True, False), (302, False, False), (400, False, True), (404, False, True), (500, False, True)],
)
async def test_what_an_answer_to_a_form_means(world, sender, code, sent, again):
    async with answering(hook=status(code)) as server, client() as going:
        world.channel("ops", url=server.url("/hook"), form=Form())
        outcome = await sender(world, going)(1, "webhook:ops", [notice(1)])
    assert outcome[:2] == (sent, again)
    assert msgspec.json.decode(server.asked[0].body)["CHECK_NAME"] == "Job 1"


async def test_without_a_form_many_go_in_one_request(world, sender):
    async with answering(hook=status(200)) as server, client() as going:
        world.channel("ops", url=server.url("/hook"))
        going_out = sender(world, going)
        assert await going_out(1, "webhook:ops", [notice(1), notice(2)]) == Outcome(sent=True)
        assert await going_out(1, f"webhook:{server.url('/hook')}", [notice(1)]) == Outcome(sent=True)
    assert [msgspec.json.decode(asked.body).get("count") for asked in server.asked] == [2, None]


async def test_what_cannot_be_sent_says_why_and_no_secret(world, sender):
    texts = SqlTexts(world.store.database)
    texts.variables.put(1, "HOST", {"value": "hidden host"}, NOW, create=True, update_known=True)
    world.channel("mail", kind=ChannelKind.EMAIL, config={"address": msgspec.Raw(b'"a@example.org"')})
    world.channel("ops", url="https://{{HOST}}/", form=Form())
    world.channel("private", url="http://10.0.0.1/", form=Form())
    texts.variables.put(1, "INSIDE", {"value": "10.0.0.7"}, NOW, create=True, update_known=True)
    world.channel("hidden", url="http://{{INSIDE}}/x", form=Form())
    async with client() as going:
        answers = [
            await sender(world, going)(1, destination, [notice(1)])
            for destination in ("webhook:nobody", "email:mail", "webhook:ops", "webhook:private", "webhook:hidden")
        ]
    assert [(one.sent, one.again) for one in answers] == [(False, False)] * 5
    assert "no channel 'nobody'" in answers[0].error
    assert "cannot deliver" in answers[1].error
    assert "as it was rendered" in answers[2].error
    assert "hidden" not in answers[2].error
    assert "10.0.0.1" in answers[3].error
    assert "10.0.0.7" not in answers[4].error


async def test_nobody_answers(world, sender):
    async with answering() as server:
        world.channel("ops", url=server.url("/hook"), form=Form())
    async with client() as going:
        outcome = await sender(world, going)(1, "webhook:ops", [notice(1)])
    assert (outcome.sent, outcome.again, outcome.taken, outcome.pace) == (False, True, 1, FORM_PACE)


async def test_a_form_that_breaks_is_trouble_of_one_notice(world, sender, monkeypatch):
    """Whatever goes wrong in there: the next notice of the channel goes out, and this one is tried again."""

    def broken(_filled, _url, one, *_):
        if one.number == 1:
            raise ZeroDivisionError("a secret")
        return Request("POST", server.url("/hook"), {}, b"{}")

    monkeypatch.setattr(sending.form, "request", broken)
    async with answering(hook=status(200)) as server, client() as going:
        world.channel("ops", url=server.url("/hook"), form=Form())
        going_out = sender(world, going)
        outcome = await going_out(1, "webhook:ops", [notice(1), notice(2)])
        assert outcome == Outcome(sent=False, again=True, error="internal: ZeroDivisionError", taken=1, pace=FORM_PACE)
        assert (await going_out(1, "webhook:ops", [notice(2)])).sent


async def test_an_unreadable_time_to_come_again_loses_no_notice(world, sender):
    odd = "Mon, 01 Jan 2020 00:00:00 +99999999999999999999"
    async with answering(hook=status(503, Retry_After=odd)) as server, client() as going:
        world.channel("ops", url=server.url("/hook"))
        outcome = await sender(world, going)(1, "webhook:ops", [notice(1)])
    assert outcome == Outcome(sent=False, again=True, error="answered 503")


async def test_forms_are_filled_in_by_threads_of_their_own(world, sender, monkeypatch):
    """The others read the database, for pings too; they must not wait for what somebody wrote into a template."""
    by: list[str] = []

    def request(*_):
        by.append(threading.current_thread().name)
        return Request("POST", server.url("/hook"), {}, b"{}")

    monkeypatch.setattr(sending.form, "request", request)
    async with answering(hook=status(200)) as server, client() as going:
        world.channel("ops", url=server.url("/hook"), form=Form())
        await sender(world, going)(1, "webhook:ops", [notice(1)])
    assert [name.partition("_")[0] for name in by] == ["tocsin-form"]
