"""Who calls, and whether the path means what the key may see: `Authorization: Bearer KEY`, one organisation."""

from typing import Final

from starlette.requests import Request

from tocsin.dialects.sentry.management.replies import Refused
from tocsin.domain.project import Scope
from tocsin.http.auth import key_of
from tocsin.service.principal import Principal, Principals

ORGANIZATION_ID: Final = "1"
_READS: Final = frozenset({"GET", "HEAD"})


def principal_of(request: Request, principals: Principals) -> Principal:
    """Unauthenticated without a known key, PermissionDenied when its scope is too small for the method."""
    found = principals.resolve(key_of(request))
    found.require(Scope.READ if request.method in _READS else Scope.ADMIN)
    return found


def check_organization(asked: str, organization: str) -> None:
    """Refused 404 unless it is this server's, by slug or number."""
    if asked not in (organization, ORGANIZATION_ID):
        raise Refused(
            404,
            f"there is no organization {asked[:64]!r} here; this server is one organization, {organization!r} "
            "(setting dialects.sentry_organization)",
        )


def check_project(asked: str, principal: Principal) -> None:
    """PermissionDenied unless it is the key's own, by slug or number."""
    principal.require_project(asked)
