"""Variables and snippets of Checkly's API."""

import pytest

from support.checkly import Checkly
from support.server import Server


@pytest.fixture
def checkly(server: Server) -> Checkly:
    return Checkly(server)


def test_a_variable(checkly: Checkly) -> None:
    body = {"key": "K", "value": "v", "locked": False, "secret": False}  # as the CLI sends it
    assert checkly.ask("POST", "/v1/variables", body, status=201) == body
    assert checkly.refused("POST", "/v1/variables", body).status == 409
    assert checkly.get("/v1/variables/K") == body
    assert body in checkly.get("/v1/variables?limit=100")
    assert checkly.ask("PUT", "/v1/variables/K", {"value": "w", "locked": True}) == {
        **body,
        "value": "w",
        "locked": True,
    }
    assert checkly.refused("PUT", "/v1/variables/K", {"key": "L", "value": "w"}).status == 400
    assert checkly.call("DELETE", "/v1/variables/K").status == 204
    assert checkly.refused("GET", "/v1/variables/K").status == 404
    assert checkly.refused("PUT", "/v1/variables/K", {"value": "x"}).status == 404


def test_a_secret_is_never_read_back(checkly: Checkly) -> None:
    body = {"key": "TOKEN", "value": "hush", "secret": True}
    shown = {"key": "TOKEN", "value": None, "locked": False, "secret": True}
    assert checkly.ask("POST", "/v1/variables", body, status=201) == shown
    assert checkly.get("/v1/variables/TOKEN") == shown
    assert checkly.ask("PUT", "/v1/variables/TOKEN", {"value": "still"}) == shown
    assert checkly.refused("PUT", "/v1/variables/TOKEN", {"secret": False}).json["validation"]["keys"] == ["secret"]
    assert "hush" not in checkly.call("GET", "/v1/variables?limit=100").text


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"value": "v"}, "key"),
        ({"key": "", "value": "v"}, "key"),
        ({"key": "a b", "value": "v"}, "key"),
        ({"key": "A"}, "value"),
        ({"key": "A", "value": 5}, "value"),
        ({"key": "A", "value": "x" * 20_000}, "value"),
        ({"key": "A", "value": "v", "secret": "yes"}, "secret"),
    ],
)
def test_variables_that_are_none(checkly: Checkly, body, named: str) -> None:
    answer = checkly.refused("POST", "/v1/variables", body)
    assert (answer.status, answer.json["validation"]["keys"]) == (400, [named])


def test_a_snippet(checkly: Checkly) -> None:
    made = checkly.ask("POST", "/v1/snippets", {"name": "s", "script": "x()"}, status=201)
    assert made == {
        "id": made["id"],
        "name": "s",
        "script": "x()",
        "created_at": made["created_at"],
        "updated_at": None,
    }
    path = f"/v1/snippets/{made['id']}"
    assert checkly.get(path) == made
    assert made in checkly.get("/v1/snippets?limit=100")
    assert checkly.ask("PUT", path, {"script": "y()"})["script"] == "y()"
    assert checkly.call("DELETE", path).status == 204
    assert checkly.refused("GET", path).status == 404
    assert checkly.refused("POST", "/v1/snippets", {"script": "x()"}).json["validation"]["keys"] == ["name"]
    assert checkly.refused("GET", "/v1/snippets/x").status == 400


def test_a_text_that_would_not_come_back_is_refused(checkly: Checkly) -> None:
    for path, body, named in (
        ("/v1/variables", {"key": "NUL", "value": "a\0b"}, "value"),
        ("/v1/snippets", {"name": "a\0b", "script": ""}, "name"),
        ("/v1/snippets", {"name": "a", "script": "\0"}, "script"),
    ):
        answer = checkly.refused("POST", path, body)
        assert (answer.status, answer.json["validation"]["keys"]) == (400, [named])
