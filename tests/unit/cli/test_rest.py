"""What the client commands need of the REST API: a bad setting is told clearly, and every failure is an ApiError."""

import click
import pytest

from tocsin.cli.rest import ApiError, Rest


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    monkeypatch.delenv("TOCSIN_KEY", raising=False)
    monkeypatch.delenv("TOCSIN_URL", raising=False)


def test_space_around_key_and_url_does_not_count(monkeypatch):
    monkeypatch.setenv("TOCSIN_KEY", " abc\r\n")
    monkeypatch.setenv("TOCSIN_URL", "http://here:1/\n")
    rest = Rest.from_environment()
    assert (rest.key, rest.url) == ("abc", "http://here:1")


@pytest.mark.parametrize("key", ["abc…", "a\nb", "a\x7fb", "a\udc80b"])
def test_a_key_that_cannot_be_one_is_told_and_not_shown(key):
    with pytest.raises(click.ClickException, match="TOCSIN_KEY") as caught:
        Rest.from_environment(key=key)
    assert key not in caught.value.message


@pytest.mark.parametrize("key", ["", " \n"])
def test_no_key(key):
    with pytest.raises(click.ClickException, match="no key"):
        Rest.from_environment(key=key)


@pytest.mark.parametrize(
    "url", ["http://[::1", "ftp://here", "here:8000", "http://", "http://here:99999", "http://h:x"]
)
def test_an_url_that_cannot_be_one_is_told(url):
    with pytest.raises(click.ClickException, match="TOCSIN_URL"):
        Rest.from_environment(url, "abc")


@pytest.mark.parametrize(
    ("rest", "body"),
    [
        (Rest("http://127.0.0.1:1", "a\nb"), {}),
        (Rest("http://127.0.0.1:1", "a…b"), {}),
        (Rest("http://[::1", "abc"), {}),
        (Rest("http://127.0.0.1:1", "abc"), {"text": "\udc80"}),
    ],
)
def test_what_cannot_be_sent_is_an_api_error(rest, body):
    with pytest.raises(ApiError) as caught:
        rest.call("POST", "/v1/x", body)
    assert caught.value.status == 0
