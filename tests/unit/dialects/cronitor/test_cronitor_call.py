"""From arrival to answer: what nobody expected is told in the words of this protocol, and logged."""

import asyncio
import json

import pytest
import structlog
from starlette.requests import ClientDisconnect, Request

from tocsin.dialects.cronitor.call import Call, Door, Endpoint
from tocsin.domain.project import Project, Scope
from tocsin.service.principal import Principal


class Anybody:
    def resolve(self, _key: str) -> Principal:
        return Principal(Project(1, "p", "P", "account", 0), Scope.ADMIN)


def endpoint(error: Exception) -> Endpoint:
    async def handler(_call: Call) -> None:
        raise error

    return Endpoint({"GET": handler}, Door(Anybody(), lambda: None, lambda: b""))  # type: ignore[arg-type,dict-item]


def request() -> Request:
    found = Request({"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""})
    found.state.received = 0
    return found


def test_an_error_that_nobody_expected() -> None:
    with structlog.testing.capture_logs() as logs:
        response = asyncio.run(endpoint(RecursionError("secret")).answer(request()))
    body = json.loads(response.body)
    assert (response.status_code, {*body}) == (500, {"error", "detail", "errors"})
    assert "secret" not in body["error"]
    assert [(line["log_level"], type(line["exc_info"])) for line in logs] == [("error", RecursionError)]


def test_who_went_away_is_told_nothing() -> None:
    with pytest.raises(ClientDisconnect):
        asyncio.run(endpoint(ClientDisconnect()).answer(request()))
