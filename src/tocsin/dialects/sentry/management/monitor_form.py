"""The body of a create or an update → a `MonitorChange`. Every bad field is told at once."""

import re
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from tocsin.dialects.sentry.management import config_form
from tocsin.dialects.sentry.management.config_form import Rules
from tocsin.dialects.sentry.management.form import Form
from tocsin.dialects.sentry.refusals import DIALECT
from tocsin.domain.instant import NEVER
from tocsin.domain.monitor import Kind, Monitor, MonitorChange
from tocsin.domain.names import slugify
from tocsin.domain.project import Project

NAME_MAX: Final = 128
SLUG_MAX: Final = 50
OWNER_MAX: Final = 256
ALERT_RULE: Final = "alertRule"  # its name in the extras
_SLUG: Final = re.compile(r"[a-z0-9_-]{1,50}")
_OWNER: Final = re.compile(r"(user|team):\S.*")
_TARGETS: Final = ("Member", "Team")
_TARGETS_MAX: Final = 100
_WHOLE_MAX: Final = 2**63 - 1


class Creation(NamedTuple):
    change: MonitorChange
    slug: str  # "" when the name shall decide


def creation(form: Form, project: Project, rules: Rules) -> Creation:
    """Invalid, when anything is wrong."""
    _project(form, project)
    slug = form.text("slug", 10 * SLUG_MAX) if "slug" in form else ""
    if isinstance(slug, str) and slug:
        _check_slug(form, slug)
    if "name" not in form:
        form.wrong("name", "required")
    if "config" not in form or not bytes(form.raw("config")):
        form.wrong("config", "required: an object with schedule_type and schedule")
    fields = _common(form, None, rules)
    policy: Any = fields.setdefault("policy", {})
    policy["kind"] = Kind.JOB
    form.done()
    return Creation(MonitorChange(origin=DIALECT, by_hand=True, **fields), slug if isinstance(slug, str) else "")


def alteration(form: Form, known: Monitor, project: Project, rules: Rules) -> MonitorChange:
    """Invalid, when anything is wrong. Fields that are not named stay."""
    _project(form, project)
    slug = form.value("slug", str)
    if isinstance(slug, str) and slug != known.id:
        form.wrong("slug", f"a monitor keeps its slug, {known.id!r}; make a new monitor for another one")
    fields = _common(form, known, rules)
    form.done()
    return MonitorChange(origin=DIALECT, by_hand=True, **fields)


def quiet_fields(form: Form) -> dict[str, Any]:
    """`status` and `isMuted`, as far as they are named."""
    found: dict[str, Any] = {}
    status = form.value("status", str)
    if status == "active":
        found |= {"disabled": False, "inactive": False}
    elif status == "disabled":
        found["disabled"] = True
    elif status is not UNSET:
        form.wrong("status", "must be 'active' or 'disabled'")
    muted = form.value("is_muted", bool)
    if muted is None:
        form.wrong("is_muted", "must be true or false")
    elif muted is not UNSET:
        found["muted_until"] = NEVER if muted else None
    return found


def slug_from(name: str) -> str:
    """A slug made of a name: never empty, never only digits."""
    slug = slugify(name, SLUG_MAX)
    if not slug or slug.isdecimal():
        slug = f"monitor-{slug}".strip("-")
    return slug


def _common(form: Form, known: Monitor | None, rules: Rules) -> dict[str, Any]:
    fields = quiet_fields(form)
    name = form.text("name", NAME_MAX)
    if name in (None, ""):
        form.wrong("name", "must not be empty")
    elif name is not UNSET:
        fields["display_name"] = name
    owner = _owner(form)
    if owner is not UNSET:
        fields["owner"] = owner
    if "alert_rule" in form:
        fields["extras"] = _alert_rule(form, known)
    part = form.part("config")
    if part is not None:
        settings = config_form.read(part, known, rules)
        form.wrong_inside("config", part)
        fields["policy"], fields["tolerance"] = settings
    return fields


def _project(form: Form, project: Project) -> None:
    """One may be named; the key has decided which it is."""
    raw = form.raw("project")
    if not bytes(raw):
        return
    try:
        asked = msgspec.json.decode(raw, type=str | int)
    except (msgspec.DecodeError, RecursionError):
        form.wrong("project", "must be the slug or the number of a project")
        return
    if str(asked) not in (project.slug, str(project.number)):
        form.wrong(
            "project", f"this key belongs to project {project.slug!r}; monitors of another need its key, and none moves"
        )


def _check_slug(form: Form, slug: str) -> None:
    if slug.isdecimal():
        form.wrong("slug", "must not be only digits: that is how monitors are numbered elsewhere")
    elif not _SLUG.fullmatch(slug):
        hint = slugify(slug, SLUG_MAX)
        suggestion = f"; {hint!r} would do" if hint and not hint.isdecimal() else ""
        form.wrong("slug", f"must be 1 to {SLUG_MAX} of a-z, 0-9, '-' and '_'{suggestion}")


def _owner(form: Form) -> str | UnsetType:
    """An empty one clears it."""
    owner = form.text("owner", OWNER_MAX)
    if owner is UNSET:
        return UNSET
    if owner and not _OWNER.fullmatch(str(owner)):
        form.wrong("owner", f"{str(owner)[:40]!r} is not of the form 'user:NAME' or 'team:NAME'")
        return UNSET
    return str(owner or "")


def _alert_rule(form: Form, known: Monitor | None) -> dict[str, msgspec.Raw] | UnsetType:
    """The extras with the rule in them, in camelCase. It is kept and shown; who is told is decided elsewhere."""
    kept: dict[str, Any] = {}
    if known is not None and DIALECT in known.extras:
        kept = msgspec.json.decode(known.extras[DIALECT])
    kept.pop(ALERT_RULE, None)
    part = form.part("alert_rule")
    if part is not None:
        targets = part.value("targets", list[dict[str, Any]])
        environment = part.text("environment", 64)
        rule = _targets(part, targets) if isinstance(targets, list) else []
        form.wrong_inside("alert_rule", part)
        kept[ALERT_RULE] = {"targets": rule, "environment": environment if isinstance(environment, str) else None}
    return {DIALECT: msgspec.Raw(msgspec.json.encode(kept))}


def _targets(part: Form, targets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """In camelCase. The first wrong one is told."""
    if len(targets) > _TARGETS_MAX:
        part.wrong("targets", f"at most {_TARGETS_MAX}, not {len(targets)}")
        return []
    found = []
    for index, target in enumerate(targets):
        kind = target.get("targetType", target.get("target_type"))
        identifier = target.get("targetIdentifier", target.get("target_identifier"))
        if not isinstance(kind, str) or kind not in _TARGETS:
            part.wrong("targets", f"[{index}].targetType: must be {' or '.join(map(repr, _TARGETS))}")
            break
        if not _is_identifier(identifier):
            what = f"a whole number, or text of 1 to {OWNER_MAX} characters"
            part.wrong("targets", f"[{index}].targetIdentifier: must be {what}")
            break
        found.append({"targetIdentifier": identifier, "targetType": kind})
    return found


def _is_identifier(value: object) -> bool:
    if isinstance(value, str):
        return 1 <= len(value) <= OWNER_MAX
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _WHOLE_MAX
