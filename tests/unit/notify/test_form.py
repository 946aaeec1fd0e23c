"""Forms of webhooks: what a request of them is, its signature, and what happens with templates that go wrong."""

import hashlib
import hmac

import msgspec
import pytest

from tocsin.domain import errors
from tocsin.domain.notice import Content, Notice, NoticeKind, NoticeState
from tocsin.domain.notification import Channel, Form, Pair, check_channel
from tocsin.notify import handlebars
from tocsin.notify.form import FormError, check_form, request, variables
from tocsin.notify.parsed import Trees

T0 = 1_774_000_800_000  # 2026-03-20T10:00:00Z
URL = "https://tocsin.example.org"
HOOK = "https://example.org/hook"


def notice(kind=NoticeKind.ALERT, **content) -> Notice:
    says = {"monitor_id": "backup", "name": "Back<up>", "rule": "missed", "environment": "production"}
    known = {"uid": "0123456789abcdef0123456789abcdef", "check_in": "f" * 32, "tags": ("team:core", "nightly")}
    made = Content(**{**says, **known, "at": T0 + 1_500, "since": T0, "started": T0 + 250, **content})
    who = {"number": 1, "project": 1, "monitor": 7, "subject": 5, "kind": kind, "sequence": 1}
    state = {"state": NoticeState.PENDING, "attempts": 0, "create_time": T0, "next_time": T0, "end_time": None}
    return Notice(**who, **state, destination="webhook:ops", error="", content=made)


def asked(form: Form, url: str = HOOK, texts=None, **content):
    return request(form, url, notice(**content), texts or {}, URL, T0)


def test_without_a_template_the_variables_are_sent():
    made = asked(Form(), group="Night jobs", description="Copies everything")
    assert (made.method, made.url) == ("POST", HOOK)
    assert made.headers == {
        "Content-Type": b"application/json",
        "Idempotency-Key": notice().idempotency_key.encode(),
        "x-checkly-timestamp": str(T0).encode(),
    }
    said = msgspec.json.decode(made.body)
    assert said == variables(notice(group="Night jobs", description="Copies everything"), URL)
    check = "01234567-89ab-cdef-0123-456789abcdef"
    result = "ffffffff-ffff-ffff-ffff-ffffffffffff"
    assert {name: value for name, value in said.items() if value != ""} == {
        "ALERT_TITLE": 'Check "Back<up>" has failed',
        "ALERT_TYPE": "ALERT_FAILURE",
        "CHECK_NAME": "Back<up>",
        "CHECK_ID": check,
        "CHECK_TYPE": "HEARTBEAT",
        "CHECK_DESCRIPTION": "Copies everything",
        "CHECK_RESULT_ID": result,
        "CHECK_ERROR_MESSAGE": "Back<up> in production did not run in time; since 2026-03-20T10:00:00Z",
        "GROUP_NAME": "Night jobs",
        "IS_REMINDER": False,
        "REMINDER_SEQUENCE": 0,
        "RESPONSE_TIME": 0,
        "RESULT_LINK": f"{URL}/heartbeats/{check}/results/{result}",
        "STARTED_AT": "2026-03-20T10:00:00.250Z",
        "TAGS": ["team:core", "nightly"],
    }


@pytest.mark.parametrize(
    ("kind", "content", "type", "title"),
    [
        (NoticeKind.ALERT, {}, "ALERT_FAILURE", "has failed"),
        (NoticeKind.ALERT, {"remaining": True}, "ALERT_FAILURE_REMAIN", "has failed"),
        (NoticeKind.ALERT, {"reminder": True, "reminder_sequence": 2}, "ALERT_FAILURE_REMAIN", "is still failing"),
        (NoticeKind.RECOVERY, {}, "ALERT_RECOVERY", "has recovered"),
        (NoticeKind.EVENT, {"rule": "fail"}, "NO_ALERT", "reported fail"),
    ],
)
def test_titles_and_types(kind, content, type, title):
    said = variables(notice(kind, **content), URL)
    assert (said["ALERT_TYPE"], said["ALERT_TITLE"]) == (type, f'Check "Back<up>" {title}')
    assert (said["IS_REMINDER"], said["REMINDER_SEQUENCE"]) == (
        content.get("reminder", False),
        content.get("reminder_sequence", 0),
    )
    assert (said["CHECK_ERROR_MESSAGE"] != "") == (kind is NoticeKind.ALERT)


def test_a_monitor_without_a_uid_and_no_check_in_are_shown_as_they_are():
    said = variables(notice(uid="", check_in="", monitor_id="my job", started=0), URL)
    assert (said["CHECK_ID"], said["CHECK_RESULT_ID"]) == ("my job", "")
    assert said["RESULT_LINK"] == f"{URL}/heartbeats/my%20job"
    assert said["STARTED_AT"] == "2026-03-20T10:00:01.500Z"


def test_everything_but_the_method_is_a_template():
    form = Form(
        method="PUT",
        template='{"who": "{{{CHECK_NAME}}}", "html": "{{CHECK_NAME}}", "team": "{{tagValue TAGS "team" "-"}}"}',
        headers=(
            Pair("Authorization", "Bearer {{TOKEN}}"),
            Pair("X-{{NAME}}", "ä {{STAGE}}"),
            Pair("content-type", "x/y"),
        ),
        query=(Pair("to", "{{TO}}"), Pair("{{NAME}}", "1"), Pair("{{NOPE}}", "left out")),
        secret="shared",
    )
    texts = {
        "TOKEN": "t0k",
        "NAME": "Odd",
        "STAGE": "prod",
        "TO": "a & b",
        "HOST": "example.org",
        "CHECK_NAME": "never",
    }
    made = asked(form, "https://{{HOST}}/{{CHECK_TYPE}}?a=1#part", texts)
    body = b'{"who": "Back<up>", "html": "Back&lt;up&gt;", "team": "core"}'
    assert made == (
        "PUT",
        "https://example.org/HEARTBEAT?a=1&to=a+%26amp%3B+b&Odd=1",
        {
            "Idempotency-Key": notice().idempotency_key.encode(),
            "Authorization": b"Bearer t0k",
            "X-Odd": "ä prod".encode(),
            "content-type": b"x/y",
            "x-checkly-signature": hmac.new(b"shared", body, hashlib.sha256).hexdigest().encode(),
            "x-checkly-timestamp": str(T0).encode(),
        },
        body,
    )


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_has_no_body_signs_none(method):
    made = asked(Form(method=method, template="{{CHECK_NAME}}", secret="s"))
    assert made.body == b""
    assert made.headers["x-checkly-signature"] == hmac.new(b"s", b"", hashlib.sha256).hexdigest().encode()


def test_headers_that_no_request_may_have_are_left_out():
    pairs = [("Host", "evil"), ("content-LENGTH", "9"), ("Connection", "x"), ("Transfer-Encoding", "chunked")]
    pairs += [("x-checkly-timestamp", "0"), ("X-Checkly-Signature", "0"), ("a b", "x"), ("{{NOPE}}", "x"), ("é", "x")]
    made = asked(Form(headers=tuple(Pair(*pair) for pair in pairs)))
    assert set(made.headers) == {"Content-Type", "Idempotency-Key", "x-checkly-timestamp"}
    assert made.headers["x-checkly-timestamp"] == str(T0).encode()


def test_a_variable_ends_no_line():
    made = asked(Form(headers=(Pair("X-A", "{{{V}}}"),)), texts={"V": "a\r\nX-Evil: 1\0\tb "})
    assert made.headers["X-A"] == b"a X-Evil: 1 b"


@pytest.mark.parametrize(
    "url", ["{{NOPE}}", "{{{SCHEME}}}://example.org/", "https://{{NOPE}}/", "https://a:b@{{{H}}}/", "x{{"]
)
def test_what_is_no_url_once_it_is_rendered(url):
    with pytest.raises(FormError) as caught:
        asked(Form(), url, {"SCHEME": "ftp", "H": "secret.example.org"})
    assert "secret" not in str(caught.value)


def test_a_url_is_quoted_once():
    made = asked(Form(), "https://example.org/a b/{{{V}}}/%20?x=é", {"V": "ü/ö"})
    assert made.url == "https://example.org/a%20b/%C3%BC/%C3%B6/%20?x=%C3%A9"


@pytest.mark.parametrize("template", ["{{#if", "{{#each TAGS}}" * 5 + "x", "{{#if A}}" * 500 + "{{/if}}" * 500])
def test_a_template_that_cannot_be_read_gives_the_variables(template):
    """One that was stored before it was looked at; the news goes out all the same."""
    assert msgspec.json.decode(asked(Form(template=template)).body)["CHECK_NAME"] == "Back<up>"


def test_a_template_that_writes_too_much_gives_the_variables():
    nested = "{{#each @root.TAGS}}" * 3 + "x" + "{{/each}}" * 3
    body = asked(Form(template=nested), tags=("t",) * 100).body
    assert msgspec.json.decode(body)["CHECK_NAME"] == "Back<up>"
    long = asked(Form(template="{{V}}" * 100), texts={"V": "x" * 16_000})
    assert msgspec.json.decode(long.body)["CHECK_NAME"] == "Back<up>"
    costly = "{{#each TAGS}}{{#each @root.TAGS}}{{/each}}{{/each}}"  # some 9,000 steps: of one request at most five
    made = asked(Form(headers=tuple(Pair(f"X-{n}", costly + "x") for n in range(9))), tags=("t",) * 95)
    assert 0 < sum(name.startswith("X-") for name in made.headers) <= 5
    assert "X-Long" not in asked(Form(headers=(Pair("X-Long", "{{V}}" * 100),)), texts={"V": "x" * 16_000}).headers


@pytest.mark.parametrize(
    ("form", "url", "field"),
    [
        (None, "https://example.org/{{", "url"),
        (Form(template="{{#if A}}"), HOOK, "form.template"),
        (Form(template="a\n{{> part}}"), HOOK, "form.template"),
        (Form(headers=(Pair("ok"), Pair("{{/x}}"))), HOOK, r"form.headers\[1\].key"),
        (Form(query=(Pair("ok", "{{a b=}}"),)), HOOK, r"form.query\[0\].value"),
    ],
)
def test_a_template_that_cannot_be_read_is_named(form, url, field):
    check_form(Form(template="{{CHECK_NAME}}", headers=(Pair("a", "{{B}}"),)), "https://{{HOST}}/")
    with pytest.raises(errors.InvalidArgument, match=f"channel.{field}: cannot be read as a template: line"):
        check_form(form, url)


@pytest.mark.parametrize("key", ["Host", "content-length", "x-checkly-signature", "a\r\nb", "a b", "Ünï"])
def test_a_header_that_no_request_may_have_is_named(key):
    check_form(Form(headers=(Pair(" X-Team ", "1"), Pair("{{A}} {{B}}"))), HOOK)
    check_form(Form(query=(Pair(key, "1"),)), HOOK)
    with pytest.raises(errors.InvalidArgument, match=r"channel\.form\.headers\[1\]\.key: "):
        check_form(Form(headers=(Pair("ok"), Pair(key))), HOOK)


def test_whatever_goes_wrong_in_a_template_the_news_is_sent(monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(handlebars, "render", broken)
    made = asked(Form(template="{{CHECK_NAME}}", headers=(Pair("X-A", "{{B}}"), Pair("X-C", "c"))))
    assert msgspec.json.decode(made.body)["CHECK_NAME"] == "Back<up>"
    assert made.headers["X-C"] == b"c"
    assert "X-A" not in made.headers


@pytest.mark.parametrize("name", ["0x" + "f" * 290, "1" * 20_000 + "x", "[" * 20_000])
def test_whatever_a_check_is_called(name):
    """Names are data: no template may stumble over one."""
    template = "{{#with true}}{{#with @root.CHECK_NAME}}{{#lt this 1}}{{/lt}}{{date this}}gone{{/with}}{{/with}}"
    assert asked(Form(template=template), name=name).body == b"gone"


def test_all_texts_of_a_form_share_what_templates_may_take():
    costly = "{{#each (split LONG '')}}{{/each}}"
    form = Form(template="{{CHECK_NAME}}", headers=tuple(Pair(f"X-{place}", costly + "x") for place in range(100)))
    made = asked(form, "https://example.org/{{CHECK_TYPE}}", {"LONG": "x" * 5_000})
    assert made.url == "https://example.org/HEARTBEAT"
    assert 1 <= sum(name.startswith("X-") for name in made.headers) <= 10
    assert msgspec.json.decode(made.body)["CHECK_NAME"] == "Back<up>"  # and the news is sent


def test_a_form_is_bounded_as_a_whole():
    pairs = tuple(Pair(f"X-{place}", "x" * 9_000) for place in range(12))
    check_form(Form(template="x" * 90_000, headers=pairs), HOOK)
    too_much = Form(template="{{#if" * 18_000, headers=pairs, query=(Pair("a", "x" * 9_000),))
    with pytest.raises(errors.InvalidArgument, match=r"channel\.form: at most 200000 characters"):
        check_form(too_much, HOOK)
    with pytest.raises(errors.InvalidArgument, match=r"channel\.form: at most 200000 characters"):
        check_channel(Channel(1, 1, "ops", url=HOOK, form=too_much))


def test_a_form_that_was_checked_is_not_read_again(monkeypatch):
    read: list[str] = []
    usual = handlebars.parse
    monkeypatch.setattr(handlebars, "parse", lambda text: read.append(text) or usual(text))
    form = Form(template="{{CHECK_NAME}} once", headers=tuple(Pair(f"X-{one}", f"{{{{N{one}}}}}") for one in range(99)))
    check_form(form, "https://{{ONLY_ONCE}}/")
    asked(form, "https://{{ONLY_ONCE}}/", {"ONLY_ONCE": "example.org"})
    assert len(read) == len(set(read)) == 101


def test_only_so_much_of_templates_is_remembered(monkeypatch):
    read: list[str] = []
    usual = handlebars.parse
    monkeypatch.setattr(handlebars, "parse", lambda text: read.append(text[2]) or usual(text))
    trees = Trees(30)
    for name in "ababcaba":
        trees.tree(f"{{{{{name}234567}}}}")  # 11 characters
    assert "".join(read) == "abcab"
    trees.tree("{{d}}" * 20)
    trees.tree("{{d}}" * 20)
    assert "".join(read) == "abcabdd"
