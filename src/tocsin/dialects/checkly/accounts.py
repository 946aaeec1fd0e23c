"""Accounts, which are projects of this server: the CLI's test of its credentials, and who it is that asks."""

from typing import Any, Final

from starlette.responses import Response

from tocsin.dialects.checkly import runtimes
from tocsin.dialects.checkly.call import Call, Calls
from tocsin.dialects.checkly.checks import alert_settings
from tocsin.dialects.checkly.problems import Refused
from tocsin.dialects.checkly.replies import reply
from tocsin.dialects.checkly.services import Services
from tocsin.service.browsing import uid_of

PLAN: Final = {"plan": "SELF_HOSTED", "planDisplayName": "Self-hosted", "addons": {}}
FEATURES: Final = ()


class AccountCalls:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def listed(self, call: Call) -> Response:
        return reply(200, [self._account(call)])

    async def mine(self, call: Call) -> Response:
        return reply(200, self._account(call))

    async def one(self, call: Call) -> Response:
        """The key's own, or 404: what others there are is nobody's business."""
        if uid_of(call.part("id")) != uid_of(call.account):
            raise Refused(404, f"Not Found: no account {call.part('id')[:64]!r} for this key")
        return await self.mine(call)

    async def entitlements(self, _call: Call) -> Response:
        return reply(200, {**PLAN, "locations": {"all": []}, "entitlements": []})

    async def me(self, call: Call) -> Response:
        """There are no users here: a key has a number."""
        return reply(200, {"id": str(call.principal.key), "name": f"key {call.principal.key}"})

    async def runtimes(self, _call: Call) -> Response:
        return reply(200, runtimes.LISTED)

    async def runtime(self, call: Call) -> Response:
        for found in runtimes.LISTED:
            if found["name"] == call.part("id"):
                return reply(200, found)
        raise Refused(404, f"Not Found: no runtime {call.part('id')[:64]!r}")

    def _account(self, call: Call) -> dict[str, Any]:
        project = call.principal.project
        return {
            "id": call.account,
            "name": project.name or project.slug,
            "runtimeId": runtimes.DEFAULT,
            **PLAN,
            "settings": {},
            "alertSettings": alert_settings.shown(None, self._services.settings_of(project.number).escalation),
            "features": FEATURES,
        }


def calls(services: Services) -> Calls:
    accounts = AccountCalls(services)
    return {
        "/v1/accounts": {"GET": accounts.listed},
        "/v1/accounts/me": {"GET": accounts.mine},
        "/v1/accounts/me/entitlements": {"GET": accounts.entitlements},
        "/v1/accounts/{id:checkly_id}": {"GET": accounts.one},
        "/next/accounts": {"GET": accounts.listed},
        "/next/accounts/{id}": {"GET": accounts.one},
        "/next/users/me": {"GET": accounts.me},
        "/v1/runtimes": {"GET": accounts.runtimes},
        "/v1/runtimes/{id}": {"GET": accounts.runtime},
    }
