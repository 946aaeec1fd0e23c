"""What settings decide of Checkly's API: limits, ping URLs, the alerts of an account, whether it is served at all."""

from collections.abc import Callable

from support.checkly import Checkly
from support.server import Server


def test_too_many_requests_of_one_key(new_server: Callable[..., Server]) -> None:
    server = new_server(environment={"TOCSIN_DIALECTS__CHECKLY_REQUESTS_PER_MINUTE": "3"})
    server.start()
    checkly = Checkly(server)
    assert [checkly.call("GET", "/v1/accounts").status for _ in range(3)] == [200, 200, 200]
    answer = checkly.refused("GET", "/v1/checks")
    assert (answer.status, answer.json["error"]) == (429, "Too Many Requests")
    assert 1 <= int(answer.headers["retry-after"]) <= 20
    assert checkly.refused("GET", "/v1/accounts", authorization="Bearer x").status == 401, "others are not counted"
    assert server.request("GET", "/v1/projects/-/monitors")[0] == 200, "nor is another protocol"


def test_a_server_without_the_dialect(new_server: Callable[..., Server]) -> None:
    server = new_server(environment={"TOCSIN_DIALECTS__CHECKLY": "false"})
    server.start()
    for path in ("/v1/checks", "/v1/accounts/me", "/next/users/me"):
        status, _, content = server.request("GET", path)
        assert (status, b'"code":404' in content) == (404, True)


def test_ping_urls_as_the_settings_have_them(new_server: Callable[..., Server]) -> None:
    server = new_server(environment={"TOCSIN_DIALECTS__CHECKLY_PING_URL": "https://ping.example.org/p/"})
    server.start()
    beat = Checkly(server).create()["heartbeat"]
    assert beat["pingUrl"] == f"https://ping.example.org/p/{beat['pingToken']}"


def test_the_accounts_settings_are_the_projects(new_server: Callable[..., Server]) -> None:
    server = new_server()
    server.start()
    checkly = Checkly(server)
    assert checkly.get("/v1/accounts/me")["alertSettings"]["runBasedEscalation"] == {"failedRunThreshold": 1}
    escalation = {"failureThreshold": 3, "repeatInterval": "600s", "repeatLimit": 3}
    server.call("PATCH", "/v1/projects/-/settings?updateMask=escalation", {"escalation": escalation})
    found = checkly.get("/v1/accounts/me")["alertSettings"]
    assert (found["runBasedEscalation"], found["reminders"]) == (
        {"failedRunThreshold": 3},
        {"amount": 2, "interval": 10},
    )
