"""What `sentry-cli info`, `organizations list` and `projects list` ask: the server, its organisation, one project."""

from typing import Any, Final

from starlette.responses import Response

from tocsin.dialects.sentry.management.auth import ORGANIZATION_ID
from tocsin.dialects.sentry.management.call import Call
from tocsin.dialects.sentry.management.monitor_json import project_json
from tocsin.dialects.sentry.management.replies import reply
from tocsin.dialects.sentry.management.times import iso
from tocsin.domain.project import Scope

_NO_MORE: Final = (
    '<{url}>; rel="previous"; results="false"; cursor="0:0:1", <{url}>; rel="next"; results="false"; cursor="0:100:0"'
)


async def root(call: Call) -> Response:
    writes = call.principal.may(Scope.ADMIN)
    scopes = ["org:read", "project:read", *(["project:write", "project:admin"] if writes else [])]
    return reply(200, {"version": "0", "auth": {"scopes": scopes}, "user": None})


async def organizations(call: Call) -> Response:
    return reply(200, [_organization(call)], _one_page(call))


async def organization(call: Call) -> Response:
    return reply(200, _organization(call))


async def projects(call: Call) -> Response:
    """One: the key sees no other."""
    return reply(200, [_project(call)], _one_page(call))


async def project(call: Call) -> Response:
    return reply(200, _project(call))


def _organization(call: Call) -> dict[str, Any]:
    slug = call.door.organization
    return {
        "id": ORGANIZATION_ID,
        "slug": slug,
        "name": slug,
        "dateCreated": iso(call.principal.project.create_time),
        "status": {"id": "active", "name": "active"},
        "isEarlyAdopter": False,
        "require2FA": False,
        "requireEmailVerification": False,
        "features": [],
    }


def _project(call: Call) -> dict[str, Any]:
    found = call.principal.project
    return {
        **project_json(found),
        "platform": None,
        "dateCreated": iso(found.create_time),
        "status": "active",
        "isMember": True,
        "hasAccess": True,
        "isBookmarked": False,
        "features": [],
        "team": None,
        "teams": [],
        "organization": _organization(call),
    }


def _one_page(call: Call) -> dict[str, str]:
    return {"Link": _NO_MORE.format(url=call.url)}
