"""Destinations: what is one, what several in one text are, and what a list or a channel may hold."""

import pytest
from msgspec import Raw

from tocsin.domain.errors import InvalidArgument
from tocsin.domain.notification import (
    Channel,
    ChannelKind,
    Form,
    NotificationList,
    Pair,
    check_channel,
    check_list,
    keeping,
    parts,
    split,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("webhook:https://example.org/a:b", ("webhook", "https://example.org/a:b")),
        ("slack:#alerts | example.org", ("slack", "#alerts | example.org")),
        ("carrier-pigeon: loft 3 ", ("carrier-pigeon", "loft 3")),
        ("default", None),
        ("email:", None),
        ("email: ", None),
        (":x", None),
        ("Ünï:x", None),
    ],
)
def test_parts(text, found):
    assert parts(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("email:a@x.org,sms:+49 1,slack:#a", ["email:a@x.org", "sms:+49 1", "slack:#a"]),
        ("slack:#a, b", ["slack:#a, b"]),
        ("default", ["default"]),
        ("default,other", ["default,other"]),
        (" email:a@x.org ", ["email:a@x.org"]),
    ],
)
def test_split(text, found):
    assert split(text) == found


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"destinations": ("ok:1", "ops")}, r"notification_list\.destinations\[1\]"),
        ({"destinations": ("webhook:ftp://x/",)}, r"destinations\[0\]"),
        ({"destinations": ("webhook:http://me:secret@x/",)}, "user name"),
        ({"destinations": ("webhook:http://x:99999/",)}, "no URL"),
        ({"destinations": ("webhook:http:///path",)}, "https://host/path"),
        ({"destinations": ("email:" + "x" * 1000,)}, "at most 1000"),
        ({"destinations": ("email:a@x.org",) * 101}, "at most 100, not 101"),
        ({"environments": ("",)}, r"environments\[0\]"),
        ({"environments": ("x",) * 101}, "at most 100"),
        ({"display_name": "x" * 201}, "display_name"),
    ],
)
def test_what_a_list_may_not_hold(fields, path):
    with pytest.raises(InvalidArgument, match=path):
        check_list(NotificationList(0, 1, "x", **fields))


def test_what_a_list_may_hold():
    check_list(
        NotificationList(0, 1, "x", destinations=("webhook:ops", "webhook:https://[::1]:80/x?y#z", "email:a@x.org"))
    )


@pytest.mark.parametrize("url", ["", "x" * 2001, "https://", "mailto:x", "https://a b/", "https://u@x/"])
def test_what_a_channel_may_not_be(url):
    with pytest.raises(InvalidArgument, match=r"channel\.url"):
        check_channel(Channel(0, 1, "x", url=url))


MAIL = {"kind": ChannelKind.EMAIL, "config": {"address": Raw(b'"a@example.org"')}}
HOOK = {"url": "https://example.org/"}


@pytest.mark.parametrize(
    "fields",
    [
        MAIL,
        {"kind": ChannelKind.SLACK_APP, "config": {"slackChannels": Raw(b'["C1"]')}},
        {**HOOK, "form": Form(method="PUT", headers=(Pair("X", "{{X}}"),))},
        {"url": "https://{{HOST}}/", "form": Form()},
    ],
)
def test_channels_of_any_kind(fields):
    check_channel(Channel(1, 1, "c", **fields))


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"kind": ChannelKind.EMAIL}, r"channel\.config\.address: .*email needs it"),
        ({"kind": ChannelKind.SMS, "config": {"number": Raw(b"null")}}, r"channel\.config\.number"),
        ({"kind": ChannelKind.SLACK_APP, "config": {"slackChannels": Raw(b"[]")}}, r"config\.slackChannels"),
        ({**MAIL, "form": Form()}, r"channel\.form: is of webhooks"),
        ({**MAIL, "config": {**MAIL["config"], "x": Raw(b"1" * 20_000)}}, r"config: at most 20000"),
        ({"url": "{{X}}" * 500, "form": Form()}, r"channel\.url"),
        ({**HOOK, "form": Form(method="get")}, r"form\.method: must be one of GET, "),
        ({**HOOK, "form": Form(template="x" * 100_001)}, r"form\.template"),
        ({**HOOK, "form": Form(secret="x" * 10_001)}, r"form\.secret"),
        ({**HOOK, "form": Form(query=(Pair("a"), Pair("")))}, r"form\.query\[1\]\.key"),
        ({**HOOK, "form": Form(headers=(Pair("a", "x" * 10_001),))}, r"form\.headers\[0\]"),
        ({**HOOK, "form": Form(headers=(Pair("a"),) * 101)}, r"form\.headers: at most 100"),
    ],
)
def test_what_a_channel_may_not_hold(fields, path):
    with pytest.raises(InvalidArgument, match=path):
        check_channel(Channel(1, 1, "c", **fields))


def test_what_stands_for_a_channel():
    assert Channel(1, 1, "ops", kind=ChannelKind.SLACK_APP).destination == "slack-app:ops"


def test_what_readers_do_not_see_stays_when_it_is_sent_back():
    known = Form(
        headers=(Pair("A", "1", locked=True), Pair("B", "2"), Pair("A", "3", locked=True)),
        query=(Pair("A", "4", locked=True),),
        secret="s3",
        receiver="R",
    )
    blank = Pair("A", locked=True)
    sent = Form("PUT", headers=(blank, Pair("B"), blank, blank, Pair("C", locked=True)), query=(blank,))
    kept = keeping(sent, known, secret=True)
    assert kept.headers == (known.headers[0], Pair("B"), known.headers[2], blank, Pair("C", locked=True))
    assert (kept.method, kept.query, kept.secret, kept.receiver) == ("PUT", known.query, "s3", "R")
    other = Form(headers=(Pair("A", "new", locked=True), blank, Pair("A")), secret="s4")
    kept = keeping(other, known, secret=False)
    assert kept.headers == (Pair("A", "new", locked=True), known.headers[2], Pair("A"))
    assert (kept.secret, kept.receiver) == ("s4", "R")
