"""Which use case answers for which type of resource, and what a resource is when a payload does not say."""

from collections.abc import Mapping
from typing import Any, Final

from tocsin.dialects.checkly.checks.writing import Checks
from tocsin.dialects.checkly.deploy.check_kind import CheckKind
from tocsin.dialects.checkly.deploy.declared import CHANNEL, CHECK, GROUP, SUBSCRIPTION, WINDOW
from tocsin.dialects.checkly.deploy.kinds import Kind, Numbered
from tocsin.dialects.checkly.deploy.subscription_kind import SubscriptionKind
from tocsin.dialects.checkly.resources import group_json
from tocsin.dialects.checkly.resources.channels import AlertChannels
from tocsin.dialects.checkly.resources.groups import CheckGroups
from tocsin.dialects.checkly.resources.windows import Windows
from tocsin.dialects.checkly.services import Services
from tocsin.domain.instant import Instant
from tocsin.service.principal import Principal

# A project declares all of a resource, so what it does not say takes these again.
_CHANNEL: Final = {
    "sendFailure": True,
    "sendRecovery": True,
    "sendDegraded": False,
    "autoSubscribe": False,
    "sslExpiry": False,
    "sslExpiryThreshold": 30,
}
_GROUP: Final[dict[str, Any]] = {
    **{name: None for name, (_, nullable) in group_json.ATTRIBUTES.items() if nullable},
    "activated": True,
    "muted": False,
    "tags": [],
    "concurrency": group_json.CONCURRENCY,
    "runParallel": False,
    "doubleCheck": True,
}
_WINDOW: Final[Mapping[str, Any]] = {
    "tags": [],
    "repeatInterval": None,
    "repeatUnit": None,
    "repeatEndsAt": None,
    "timezone": None,
    "pauseAllChecks": False,
    "silenceAllAlerts": False,
    "silenceAlertsTags": [],
    "description": None,
    "statusPageVisibility": None,
}


def kinds(services: Services, channels: AlertChannels, groups: CheckGroups, windows: Windows) -> Mapping[str, Kind]:
    """Of all types that run here."""
    checks = CheckKind(Checks(services), services.monitors, services.browsing)
    grouped, told = _groups(services, groups), _channels(services, channels)
    subscriptions = SubscriptionKind(services.subscriptions, services.browsing, checks, grouped, told)
    return {
        GROUP: grouped,
        CHANNEL: told,
        WINDOW: _windows(services, windows),
        CHECK: checks,
        SUBSCRIPTION: subscriptions,
    }


def _groups(services: Services, groups: CheckGroups) -> Numbered:
    def whole(payload: Mapping[str, Any]) -> dict[str, Any]:
        """The newer ones leave it to each member whose settings hold, unless they say so."""
        said = payload.get("useGlobalAlertSettings")
        return {**payload, "useGlobalAlertSettings": said if said is not None or payload.get("v") == 2 else True}

    async def every(principal: Principal) -> Mapping[str, int]:
        return {row.group.key: row.group.number for row in await services.groups.every(principal)}

    async def plan(payload: Mapping[str, Any], _now: Instant) -> object:
        return groups.plan(whole(payload))

    async def make(principal: Principal, payload: Mapping[str, Any], received: Instant, key: str) -> int:
        return (await groups.put(principal, whole(payload), received, key=key)).number

    async def change(
        principal: Principal, payload: Mapping[str, Any], received: Instant, _key: str, number: int
    ) -> int:
        return (await groups.put(principal, whole(payload), received, number=number)).number

    return Numbered(every, plan, make, change, groups.remove, _GROUP)


def _channels(services: Services, channels: AlertChannels) -> Numbered:
    async def every(principal: Principal) -> Mapping[str, int]:
        return {channel.key: channel.number for channel in await services.channels.every(principal)}

    async def plan(payload: Mapping[str, Any], _now: Instant) -> object:
        return await channels.plan(payload)

    async def make(principal: Principal, payload: Mapping[str, Any], received: Instant, key: str) -> int:
        return (await channels.put(principal, payload, received, key=key)).number

    async def change(
        principal: Principal, payload: Mapping[str, Any], received: Instant, _key: str, number: int
    ) -> int:
        return (await channels.put(principal, payload, received, number=number)).number

    async def drop(principal: Principal, key: str, _received: Instant) -> None:
        await services.channels.delete(principal, key, allow_missing=True)

    return Numbered(every, plan, make, change, drop, _CHANNEL)


def _windows(services: Services, windows: Windows) -> Numbered:
    async def every(principal: Principal) -> Mapping[str, int]:
        return {window.id: window.number for window in await windows.every(principal)}

    async def plan(payload: Mapping[str, Any], now: Instant) -> object:
        return windows.plan(payload, now)

    async def make(principal: Principal, payload: Mapping[str, Any], received: Instant, key: str) -> int:
        return (await windows.put(principal, payload, received, key=key)).number

    async def change(principal: Principal, payload: Mapping[str, Any], received: Instant, key: str, number: int) -> int:
        return (await windows.put(principal, payload, received, number=number, key=key)).number

    async def drop(principal: Principal, key: str, received: Instant) -> None:
        await services.windows.delete(principal, key, received, allow_missing=True)

    return Numbered(every, plan, make, change, drop, _WINDOW)
