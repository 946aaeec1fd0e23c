"""Who answers for paths that are not served, and while there is no room: each protocol in its own words."""

import json

import pytest

from tocsin.app import dialects
from tocsin.app.settings import Dialects, Settings
from tocsin.domain.errors import Unavailable

THEIRS = ("/v1/checks", "/v1/projects/deploy", "/v2/checks/x", "/v3/x", "/next/accounts/x", "/next-v2/x", "/v1/x")
NATIVE = ("/v1/projects/1/monitors", "/v1/outages", "/v1/schedules:preview")


@pytest.mark.parametrize("path", [*THEIRS, *NATIVE])
def test_no_room(path: str) -> None:
    busy = next(one for one in dialects.busy(Settings()) if one.knows(path))
    response = busy.answer(Unavailable("full", reason="QUEUE_FULL", retry_after_ms=1_500))
    found = json.loads(response.body)
    assert response.status_code == 503
    assert response.headers["retry-after"] == "2"
    assert ("statusCode" in found, busy.dialect) == ((path in THEIRS), "checkly" if path in THEIRS else "native")


@pytest.mark.parametrize("path", [*THEIRS, *NATIVE])
def test_nothing_is_served(path: str) -> None:
    answer = next(answer for beginning, answer in dialects.worded(Settings()) if path.startswith(beginning))
    assert ("statusCode" in json.loads(answer("nothing").body)) is (path in THEIRS)


def test_without_the_dialect_nobody_speaks_its_words() -> None:
    settings = Settings(dialects=Dialects(checkly=False))
    assert not [one for one in dialects.busy(settings) if one.dialect == "checkly"]
    assert not [beginning for beginning, _ in dialects.worded(settings) if beginning == "/v1/"]
