"""Names of nouns that are found by a key: the key out of a name, and the key of a new one."""

from tocsin.domain import errors, names
from tocsin.service.call import Call


def child(kind: str, name: str, call: Call, field: str = "name") -> str:
    """The last part of a name of this kind, in the project of the call. InvalidArgument, PermissionDenied."""
    parsed = names.parse(kind, name, field)
    call.principal.require_project(parsed.project)
    return parsed.child


def new_key(asked: str, display_name: str, kind: str) -> str:
    """The key asked for, or one made of the display name. InvalidArgument names the field."""
    field = f"{kind}_id"
    if asked:
        return names.check_monitor_id(asked, field)
    made = names.slugify(display_name, names.MONITOR_ID_MAX)
    if not made:
        raise errors.invalid(field, f"name it here, or in {kind}.display_name", reason="NAME_INVALID")
    return made
