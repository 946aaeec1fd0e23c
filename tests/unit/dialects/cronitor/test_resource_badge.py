"""Badges: who may see one, and what it says. Upload addresses: once, and in time."""

from xml.etree import ElementTree as ET

import pytest

from support.stores import monitor, track
from tocsin.dialects.cronitor import badges
from tocsin.dialects.cronitor.resources.badge import state_of
from tocsin.dialects.cronitor.resources.uploads import Tokens
from tocsin.domain.instant import MINUTE, NEVER
from tocsin.domain.track import Health
from tocsin.http.badges import drawn
from tocsin.store.port import MonitorWithHealth

NOW = 1_800_000_000_000


def found(health=Health.HEALTHY, **fields):
    return MonitorWithHealth(monitor(1, **fields), [("production", track(1, 1, health=health))], {})


def test_what_a_badge_says():
    assert state_of(found(), "production", NOW) == "passing"
    assert state_of(found(Health.NEW), "production", NOW) == "passing"
    assert state_of(found(Health.UNHEALTHY), "production", NOW) == "failing"
    for quiet in ({"muted_until": NEVER}, {"paused_until": NOW + 1}, {"disabled": True}, {"inactive": True}):
        assert state_of(found(Health.UNHEALTHY, **quiet), "production", NOW) == "paused"
    assert state_of(found(muted_until=NOW), "production", NOW) == "passing", "the pause is over"


def test_of_an_environment_that_is_not_there():
    assert state_of(found(), "staging", NOW) == ""
    assert state_of(MonitorWithHealth(monitor(1), [], {}), "production", NOW) == "passing"


def test_a_badge_is_a_picture_whatever_the_name():
    for name in ("Nightly", "<script>alert('\"&')</script>", "снимок"):
        picture = ET.fromstring(drawn(name, "failing"))
        texts = [node.text for node in picture.iter() if node.tag.endswith("text")]
        assert texts == [name, "failing"]
        assert picture.attrib["aria-label"] == f"{name}: failing"


def test_the_digest_is_of_the_code_and_the_environment():
    secret = bytes(32)
    known = {badges.digest_of(secret, code, env) for code in ("abcdef", "abcdeg") for env in ("a", "b")}
    assert len(known) == 4
    assert badges.digest_of(bytes(31) + b"\x01", "abcdef", "a") not in known
    assert badges.path_of(secret, "abcdef", "a b").startswith("/badges/abcdef/a%20b/")


# --- upload addresses


@pytest.fixture
def tokens():
    return Tokens(lambda: b"x" * 32)


def test_a_token_is_good_once(tokens):
    token = tokens.make(NOW)
    assert tokens.use(token, NOW + 10 * MINUTE)
    assert not tokens.use(token, NOW + 10 * MINUTE)
    assert not tokens.use(tokens.make(NOW), NOW + 10 * MINUTE + 1)


def test_a_token_cannot_be_made_up(tokens):
    token = tokens.make(NOW)
    other = Tokens(lambda: b"y" * 32).make(NOW)
    for wrong in ("", "x", other, token[:-1], token + "A", "é", ("B" if token[0] == "A" else "A") + token[1:]):
        assert not tokens.use(wrong, NOW)
    assert tokens.use(token, NOW)


def test_used_tokens_are_forgotten_when_they_have_run_out(tokens):
    for _ in range(100):
        assert tokens.use(tokens.make(NOW), NOW)
    assert len(tokens._used) == 100
    assert tokens.use(tokens.make(NOW + MINUTE), NOW + 11 * MINUTE)
    assert len(tokens._used) == 1
