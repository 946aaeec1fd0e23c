"""Templates become what Checkly's own package makes of them; where it throws, ours may do as it likes."""

import json
import os
import random
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support import clients
from support.templates import CONTEXT, Templates
from tocsin.domain.notice import Content, Notice, NoticeKind, NoticeState
from tocsin.notify.form import variables
from tocsin.notify.handlebars import TemplateError, parse, render

MANY = 4_000
CI_SEED = 1  # CI sees the same templates each time, as it does of Hypothesis
SCRIPT = """
const engine = require("@checkly/handlebars").create();
const {templates, context} = JSON.parse(require("fs").readFileSync(0, "utf8"));
const made = templates.map((template) => {
  try { return engine.compile(template)(context); } catch (error) { return null; }
});
process.stdout.write(JSON.stringify(made));
"""
WRITTEN = (
    "{{CHECK}} {{{NAME}}} {{&NAME}} {{NAME}}",
    '{"text": "{{#if T}}:red_circle: {{NAME}}{{else}}ok{{/if}}", "team": "{{tagValue TAGS "team" "none"}}"}',
    "{{#each TAGS}}\n  - {{this}}{{#unless @last}},{{/unless}}\n{{/each}}\n",
    "{{#each O}}{{@key}}={{this}};{{/each}}",
    '{{#eq NUM "10"}}ten{{else}}not{{/eq}} {{#is NUM 10}}like ten{{/is}}',
    '{{moment ISO "YYYY-MM-DD HH:mm:ss"}} {{date "2020-06-15" "dddd, MMMM Do YYYY"}} {{date "15 Jun 2020 10:00 GMT" "X"}}',
    '{{moment "2024-01" "YYYY-MM-DD"}} {{moment "20240229" "D"}} {{moment "2024-02-31" "M/D"}} {{moment 0 "YYYY"}}',
    '{{startsWith NAME "back"}} {{replace NAME "back" "$&"}} {{split S "," 1}} {{split S "" 2}} {{split S "," 9}}',
    "{{#with O}}{{b.c}} {{../NAME}} {{@root.N}}{{/with}}",
    "{{#if EMPTY}}a{{else if ZERO}}b{{else if ONE}}c{{else}}d{{/if}}",
    "{{#if ZERO includeZero=true}}zero{{/if}}",
    "\\{{NAME}} \\\\{{NAME}} {{! never }} {{!-- {{never}} --}}",
    '{{#ifEven N}}even{{else}}odd{{/ifEven}} {{#contains TAGS "plain"}}has it{{/contains}} {{default NULL NOPE "last"}}',
    '{{lookup TAGS 1}} {{lookup O "a"}} {{[foo bar]}} {{TAGS}} {{O}} {{BIG}} {{FLT}} {{NEG}}',
    '{{#has TAGS "plain"}}yes{{/has}} {{#isTruthy "no"}}a{{else}}b{{/isTruthy}} {{isFalsey "nope"}} {{compare N ">=" 7}}',
)


CHANNELS = {
    "incidentio": "IncidentioAlertChannel",
    "msteams": "MSTeamsAlertChannel",
    "telegram": "TelegramAlertChannel",
}
PAYLOADS = """
const channels = JSON.parse(process.argv[1]);
Promise.all(Object.entries(channels).map(([file, name]) =>
  import(`${process.cwd()}/node_modules/checkly/dist/constructs/${file}-alert-channel.js`).then((m) => m[name].DEFAULT_PAYLOAD)
)).then((found) => process.stdout.write(JSON.stringify(found)));
"""
T0 = 1_774_000_800_000
Engine = Callable[..., list[str | None]]


@pytest.fixture(scope="module")
def engine(sentry_client: Callable[[str], Path]) -> Engine:
    """Templates → what Checkly's package makes of each; None: it throws."""
    installed = sentry_client("checkly-templates")

    def made(templates: list[str], context: dict[str, Any] = CONTEXT) -> list[str | None]:
        done = subprocess.run(
            [clients.node() / "node", "--input-type=commonjs", "--eval", SCRIPT],
            cwd=installed,
            env={"TZ": "UTC"},
            input=json.dumps({"templates": templates, "context": context}),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: list[str | None] = json.loads(done.stdout)
        return found

    return made


def ours(template: str, context: dict[str, Any] = CONTEXT) -> str | None:
    try:
        return render(parse(template), context, datetime.now(UTC))
    except TemplateError:
        return None


def test_templates_as_people_write_them(engine: Engine) -> None:
    made = engine(list(WRITTEN))
    assert None not in made
    assert [ours(template) for template in WRITTEN] == made


def test_templates_by_chance(engine: Engine) -> None:
    seed = CI_SEED if os.environ.get("CI") == "true" else random.SystemRandom().randrange(2**32)
    print("seed", seed)
    by_chance = Templates(seed)
    # Two values in a row, raw and no texts, are added up by their engine before they are written: see the README.
    templates = [one for one in (by_chance.one() for _ in range(MANY)) if "{{{" not in one and "{{&" not in one]
    made = engine(templates)
    judged = [(template, theirs, ours(template)) for template, theirs in zip(templates, made, strict=True)]
    compared = [one for one in judged if one[1] is not None]
    assert len(compared) > MANY // 2
    assert [one for one in compared if one[1] != one[2]] == []


@pytest.mark.parametrize("kind", [NoticeKind.ALERT, NoticeKind.RECOVERY])
def test_templates_that_their_client_brings(
    engine: Engine, sentry_client: Callable[[str], Path], kind: NoticeKind
) -> None:
    done = subprocess.run(
        [clients.node() / "node", "--input-type=commonjs", "--eval", PAYLOADS, json.dumps(CHANNELS)],
        cwd=sentry_client("checkly8"),
        env={},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    templates: list[str] = json.loads(done.stdout)
    content = Content("backup", 'Back "up"', "missed", "production", T0, T0, group="Night", tags=("team:core", "a=b"))
    state = (NoticeState.PENDING, 0, T0, T0, None, "")
    said = variables(Notice(1, 1, 1, 5, kind, 1, "webhook:ops", *state, content), "https://tocsin.example.org")
    made = [ours(template, said) for template in templates]
    assert made == engine(templates, said)
    incident, card, message = made
    assert incident is not None
    assert json.loads(incident)["status"] == ("resolved" if kind is NoticeKind.RECOVERY else "firing")
    assert card is not None
    assert json.loads(card)["attachments"]
    assert message is not None
    assert "team:core" in message
