"""The door of Checkly's API: keys, accounts, bodies, errors with all their keys, what is not served."""

import pytest

from support.checkly import Checkly
from support.server import Server

STRANGER = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def checkly(server: Server) -> Checkly:
    return Checkly(server)


def test_the_test_of_credentials(checkly: Checkly) -> None:
    found = checkly.get(f"/next/accounts/{checkly.account}")
    assert found["id"] == checkly.account
    assert found.keys() >= {"id", "name", "runtimeId", "plan", "planDisplayName", "addons", "features"}
    assert checkly.get("/next/users/me").keys() == {"id", "name"}
    assert found["runtimeId"] in [one["name"] for one in checkly.get("/v1/runtimes")]


@pytest.mark.parametrize("authorization", ["Bearer nothing", "Bearer ", "nothing", "Basic bm90aGluZzo="])
def test_a_bad_key_is_401(checkly: Checkly, authorization: str) -> None:
    answer = checkly.refused("GET", f"/next/accounts/{checkly.account}", authorization=authorization)
    assert (answer.status, answer.json["error"]) == (401, "Unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


def test_no_key_is_401(checkly: Checkly) -> None:
    assert checkly.refused("GET", "/v1/accounts", authorization="").status == 401


def test_a_key_alone_in_its_header(checkly: Checkly) -> None:
    assert checkly.call("GET", "/v1/accounts/me", authorization=checkly.key).json["id"] == checkly.account


def test_the_account_of_the_header(checkly: Checkly) -> None:
    answer = checkly.refused("GET", "/v1/accounts", x_checkly_account=STRANGER)
    assert (answer.status, answer.json["error"]) == (403, "Forbidden")
    assert checkly.refused("GET", "/v1/accounts", x_checkly_account="x").status == 403
    for named in (checkly.account.upper(), "", f" {checkly.account} "):
        assert checkly.call("GET", "/v1/accounts", x_checkly_account=named).status == 200


def test_a_strangers_account_is_404(checkly: Checkly) -> None:
    assert checkly.refused("GET", f"/v1/accounts/{STRANGER}").status == 404
    assert checkly.get(f"/v1/accounts/{checkly.account}") == checkly.get("/v1/accounts")[0]
    assert checkly.get("/v1/accounts/me/entitlements").keys() == {
        *("plan", "planDisplayName", "addons", "locations", "entitlements")
    }


@pytest.mark.parametrize("path", ["/v1/heartbeats", "/v1/dashboards", "/v2/x", "/v3/x", "/next/x", "/next-v2/x"])
def test_what_is_not_served_is_404_in_their_words(checkly: Checkly, path: str) -> None:
    assert checkly.refused("GET", path).status == 404


def test_below_projects_the_native_api_answers(server: Server) -> None:
    status, _, content = server.request("GET", f"/v1/projects/{server.project_id}/nothing")
    assert status == 404
    assert b'"code":404' in content


def test_another_method_is_405(checkly: Checkly) -> None:
    answer = checkly.refused("PATCH", "/v1/accounts", {})
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_a_type_without_a_body_is_no_error(checkly: Checkly) -> None:
    assert checkly.call("GET", "/v1/accounts", content_type="application/json").status == 200
