"""Spec section 1.2: the ways to name a key, their agreement, and what a DSN looks like."""

import base64

import pytest
from starlette.datastructures import Headers

from tocsin.dialects.sentry.answers import Rejection
from tocsin.dialects.sentry.auth import Claim, Dsn, claim, parse_dsn, project_number

K = "0123456789abcdef0123456789abcdef"
L = "f" * 32


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


FOUND = {
    "x-sentry-auth": ({"x-sentry-auth": f"Sentry sentry_key={K}, sentry_version=7, sentry_client=a/1"}, [], "", "a/1"),
    "any order, no blanks": (
        {"x-sentry-auth": f"sentry sentry_client=a/1,sentry_version=7,sentry_key={K}"},
        [],
        "",
        "a/1",
    ),
    "blanks around": (
        {"x-sentry-auth": f"  SENTRY   sentry_key = {K} ,  sentry_timestamp=1.5 , sentry_secret=s "},
        [],
        "",
        "",
    ),
    "the same key twice": ({"x-sentry-auth": f"Sentry sentry_key={K}, sentry_key={K}.x"}, [], "", ""),
    "flags behind the key": ({"x-sentry-auth": f"Sentry sentry_key={K}.canary.x"}, [], "", ""),
    "older version": ({"x-sentry-auth": f"Sentry sentry_key={K}, sentry_version=2.0"}, [], "", ""),
    "authorization sentry": (
        {"authorization": f"Sentry sentry_key={K}, sentry_version=7, sentry_client=a/1"},
        [],
        "",
        "a/1",
    ),
    "basic with colon": ({"authorization": _basic(f"{K}:")}, [], "", ""),
    "basic with password": ({"authorization": _basic(f"{K}:secret:x")}, [], "", ""),
    "basic without colon": ({"authorization": _basic(K)}, [], "", ""),
    "basic, scheme in capitals": ({"authorization": _basic(f"{K}:").replace("Basic", "BASIC")}, [], "", ""),
    "bearer": ({"authorization": f"Bearer {K}"}, [], "", ""),
    "query": ({}, [("sentry_version", "7"), ("sentry_key", K), ("sentry_client", "a/1"), ("x", "y")], "", "a/1"),
    "query, key alone": ({}, [("sentry_key", K)], "", ""),
    "path": ({}, [], K, ""),
    "all agree": (
        {"x-sentry-auth": f"Sentry sentry_key={K}", "authorization": f"Bearer {K}"},
        [("sentry_key", K), ("sentry_key", K + ".x"), ("sentry_client", "a/1")],
        K,
        "a/1",
    ),
    "another party's authorization": (
        {"authorization": "Digest username=x", "x-sentry-auth": f"Sentry sentry_key={K}"},
        [],
        "",
        "",
    ),
    "broken basic beside a key": ({"authorization": "Basic %%%"}, [("sentry_key", K)], "", ""),
}

NONE = {
    "nothing": ({}, [], ""),
    "other query": ({}, [("status", "ok"), ("key", K)], ""),
    "sentry parameters without a key": ({}, [("sentry_version", "7")], ""),
    "empty key": ({"x-sentry-auth": "Sentry sentry_key=, sentry_version=7"}, [("sentry_key", "")], ""),
    "no scheme": ({"x-sentry-auth": f"sentry_key={K}"}, [], ""),
    "broken basic": ({"authorization": "Basic !!!"}, [], ""),
    "basic that is no text": ({"authorization": "Basic " + base64.b64encode(b"\xff\xfe").decode()}, [], ""),
    "empty basic": ({"authorization": "Basic"}, [], ""),
    "empty header": ({"authorization": "", "x-sentry-auth": ""}, [], ""),
    "only flags": ({"authorization": "Bearer .canary"}, [], ""),
}

DISAGREE = {
    "header and query": ({"x-sentry-auth": f"Sentry sentry_key={K}"}, [("sentry_key", L)], ""),
    "two headers": ({"x-sentry-auth": f"Sentry sentry_key={K}", "authorization": _basic(f"{L}:")}, [], ""),
    "query and path": ({}, [("sentry_key", L)], K),
    "twice in a header": ({"x-sentry-auth": f"Sentry sentry_key={K}, sentry_key={L}"}, [], ""),
    "twice in authorization": ({"authorization": f"Sentry sentry_key={L},sentry_version=7,sentry_key={K}"}, [], ""),
    "twice in the query": ({}, [("sentry_key", L), ("sentry_key", K)], ""),
}


@pytest.mark.parametrize("name", FOUND)
def test_found(name):
    headers, query, path, client = FOUND[name]
    assert claim(Headers(headers), query, path) == Claim(K, client)


@pytest.mark.parametrize("name", NONE)
def test_none(name):
    headers, query, path = NONE[name]
    assert claim(Headers(headers), query, path) is None


@pytest.mark.parametrize("name", DISAGREE)
def test_disagreement_is_401(name):
    headers, query, path = DISAGREE[name]
    with pytest.raises(Rejection, match="disagree") as rejection:
        claim(Headers(headers), query, path)
    assert (rejection.value.status, rejection.value.reason) == (401, "auth")


@pytest.mark.parametrize("version", ["8", "70", "7.x", "new", "-1", "99999999999999999999", "\uff17"])
def test_a_version_that_does_not_exist_is_400(version):
    with pytest.raises(Rejection, match="sentry_version") as rejection:
        claim(Headers({}), [("sentry_key", K), ("sentry_version", version)])
    assert rejection.value.status == 400


@pytest.mark.parametrize(
    ("text", "dsn"),
    [
        (f"http://{K}@localhost/42", Dsn(K, 42)),
        (f"https://{K}@sentry.example:8000/42", Dsn(K, 42)),
        (f"https://{K}:secret@sentry.example/42", Dsn(K, 42)),
        (f"https://{K}@sentry.example/path/prefix/42/", Dsn(K, 42)),
        (f"https://{K}.canary@[::1]:9/1", Dsn(K, 1)),
    ],
)
def test_dsn(text, dsn):
    assert parse_dsn(text) == dsn


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "http://localhost/42",
        f"http://{K}@localhost/",
        f"http://{K}@localhost/abc",
        "http://[/42",
        f"http://{K}@h/\uff14\uff12",
    ],
)
def test_no_dsn(text):
    with pytest.raises(Rejection, match="dsn") as rejection:
        parse_dsn(text)
    assert rejection.value.status == 400


@pytest.mark.parametrize("text", ["", "abc", "-1", "4 2", "\uff14\uff12", "1.0", "9" * 19])
def test_projects_are_decimal_digits(text):
    with pytest.raises(Rejection, match="not a decimal number") as rejection:
        project_number(text)
    assert rejection.value.status == 400


def test_leading_zeros_of_a_project():
    assert project_number("042") == 42
