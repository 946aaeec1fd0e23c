"""The body of a write → what it asks for, whether it is JSON or YAML, whatever its content type says. Pure.

A form is answered in the same form: an array by an array, a hash by a hash, YAML by YAML.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import msgspec

from tocsin.dialects.cronitor import yaml_text
from tocsin.dialects.cronitor.problems import Invalid, Problem, Refused
from tocsin.dialects.cronitor.schema import CHECK, HEARTBEAT, JOB, REQUEST_TEXTS, TEXTS
from tocsin.dialects.cronitor.yaml_text import YamlError

SECTIONS: Final = {
    "jobs": JOB,
    "checks": CHECK,
    "heartbeats": HEARTBEAT,
    "job": JOB,
    "check": CHECK,
    "heartbeat": HEARTBEAT,
    "events": HEARTBEAT,
    "event": HEARTBEAT,
}
_SITES: Final = ("sites", "site")
_SWITCHES: Final = ("rollback", "async", "webhook_url")
_SNIFF: Final = re.compile(
    rb"(?:\s|#[^\n]*\n|---[^\n]*\n)*(?:jobs?|checks?|heartbeats?|events?|sites?|async|rollback|webhook_url)\s*:"
)


class Form(Enum):
    ARRAY = "array"
    HASH = "hash"
    YAML = "yaml"


@dataclass(frozen=True, slots=True)
class Sent:
    """`monitors`: as they were written, those of YAML with their `key` and `type`."""

    form: Form
    monitors: list[Any]
    rollback: bool = False
    later: bool = False  # `async`: it is answered at once, and told of when it is done
    webhook_url: str = ""


def is_yaml(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() in (
        "application/yaml",
        "application/x-yaml",
        "text/yaml",
        "text/x-yaml",
    )


def batch(data: bytes, *, yaml: bool) -> Sent:
    """Many monitors. Refused 400 when it is neither form, Invalid for a wrong switch. YAML takes its time."""
    if not yaml:
        try:
            found = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            if not _SNIFF.match(data):
                raise Refused(400, f"the body is neither JSON nor YAML: {str(problem)[:200]}") from None
        else:
            return _of_json(found)
    try:
        return _of_yaml(yaml_text.load(data))
    except YamlError as problem:
        raise Refused(400, f"the body is not YAML that can be read: {problem}") from None


def single(data: bytes) -> dict[str, Any]:
    """One JSON object. Refused 400."""
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Refused(400, f"the body is not JSON: {str(problem)[:200]}") from None
    if not isinstance(found, dict):
        raise Refused(400, "the body must be a JSON object")
    return found


def _of_json(found: Any) -> Sent:
    if isinstance(found, list):
        return Sent(Form.ARRAY, found)
    if not isinstance(found, dict):
        raise Refused(400, "the body must be an array of monitors, or a hash with the key 'monitors'")
    monitors = found.get("monitors")
    if not isinstance(monitors, list):
        raise Refused(400, "monitors: required, a list")
    return Sent(Form.HASH, monitors, *_switches(found))


def _of_yaml(found: Any) -> Sent:
    found = {} if found is None else found
    if not isinstance(found, dict):
        raise Refused(400, f"the top of the YAML must be a mapping with the keys {', '.join(list(SECTIONS)[:3])}")
    if any(found.get(name) for name in _SITES):
        raise Refused(400, "sites: monitors of this type are not served here; remove the section")
    if found and not found.keys() & {*SECTIONS, *_SITES, *_SWITCHES}:
        raise Refused(400, f"none of the sections is there: {', '.join(list(SECTIONS)[:3])}")
    monitors = [body for name, kind in SECTIONS.items() for body in _section(name, kind, found.get(name))]
    return Sent(Form.YAML, monitors, *_switches(found))


def _section(name: str, kind: str, content: Any) -> Iterator[Any]:
    if content is None:
        return
    if isinstance(content, list):
        for body in content:
            yield {**_attributes(body), "type": kind} if isinstance(body, dict) else body
        return
    if not isinstance(content, dict):
        raise Refused(400, f"{name}: must be a mapping of monitors by key")
    for key, attributes in content.items():
        if attributes is None:
            yield {"key": key, "type": kind}
        elif isinstance(attributes, dict):
            yield {**_attributes(attributes), "key": key, "type": kind}
        else:
            raise Invalid(Problem("must be a mapping of attributes", key))


def _attributes(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _request(value) if name == "request" else yaml_text.plain(value, textual=name in TEXTS)
        for name, value in body.items()
    }


def _request(value: Any) -> Any:
    if not isinstance(value, dict):
        return yaml_text.plain(value)
    return {
        name: yaml_text.words(part) if name in REQUEST_TEXTS else yaml_text.plain(part) for name, part in value.items()
    }


def _switches(found: Mapping[str, Any]) -> tuple[bool, bool, str]:
    rollback, later, url = (found.get(name) for name in _SWITCHES)
    for name, value in (("rollback", rollback), ("async", later)):
        if value is not None and not isinstance(value, bool):
            raise Invalid(Problem(f"{name}: must be true or false", "", name))
    if url is not None and not isinstance(url, str):
        raise Invalid(Problem("webhook_url: must be text", "", "webhook_url"))
    return bool(rollback), bool(later), url or ""
