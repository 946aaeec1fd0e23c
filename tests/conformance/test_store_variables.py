"""Variables and snippets: kept by key and by number, in either database; what is secret is not read back."""

import msgspec
import pytest

from support.stores import NOW
from support.telling import World
from tocsin.domain import errors
from tocsin.domain.project import Scope
from tocsin.domain.variable import Snippet, Variable
from tocsin.service.notification import Nouns
from tocsin.service.principal import Principal
from tocsin.service.texts import Snippets, Variables
from tocsin.store.variables import SqlTexts


@pytest.fixture
def texts(store) -> SqlTexts:
    return SqlTexts(store.database)


@pytest.fixture
def admin(store) -> Principal:
    return Principal(store.create_project("Acme", NOW), Scope.ADMIN)


async def test_a_variable_is_made_changed_and_removed(texts, admin):
    variables = Variables(texts)
    made = await variables.put(admin, "API_URL", {"value": "https://a/\0", "locked": True}, NOW, update=False)
    assert made.number > 0
    kept = await variables.get(admin, "API_URL")
    assert kept == Variable(made.number, made.project, "API_URL", NOW, NOW, value="https://a/\ufffd", locked=True)
    changed = await variables.put(admin, "API_URL", {"value": ""}, NOW + 1, create=False)
    assert (changed.value, changed.locked, changed.update_time) == ("", True, NOW + 1)
    assert await variables.get_by_number(admin, made.number) == changed
    with pytest.raises(errors.AlreadyExists) as taken:
        await variables.put(admin, "API_URL", {"value": "x"}, NOW, update=False)
    assert taken.value.reason == "VARIABLE_ALREADY_EXISTS"
    await variables.delete(admin, "API_URL")
    with pytest.raises(errors.NotFound):
        await variables.get(admin, "API_URL")
    with pytest.raises(errors.NotFound):
        await variables.get_by_number(admin, made.number)


async def test_a_secret_is_for_templates_alone(texts, admin):
    variables = Variables(texts)
    written = await variables.put(admin, "TOKEN", {"value": "hidden", "secret": True}, NOW)
    await variables.put(admin, "OPEN", {"value": "seen"}, NOW)
    shown = [written, await variables.get(admin, "TOKEN"), await variables.get_by_number(admin, written.number)]
    shown += (await variables.page(admin, size=9)).rows[1:]
    shown += (await variables.numbered_page(admin, size=1))[0]
    shown += (await variables.every(admin))[1:]
    assert {one.key for one in shown} == {"TOKEN"}
    assert [(one.value, one.secret) for one in shown] == [("", True)] * 6
    with pytest.raises(errors.InvalidArgument, match=r"variable\.secret"):
        await variables.put(admin, "TOKEN", {"secret": False}, NOW)
    changed = await variables.put(admin, "TOKEN", {"locked": True}, NOW)
    assert (changed.value, changed.locked) == ("", True)
    assert texts.values(admin.project.number, 0) == {"TOKEN": "hidden", "OPEN": "seen"}
    assert texts.values(admin.project.number + 1, 0) == {}


async def test_variables_of_a_group_stand_before_those_of_the_project(store, texts):
    world = World(store)
    world.monitors(1, group="night")
    world.monitors(2)
    rows = [{"key": "STAGE", "value": "group"}, {"key": "OWN", "value": "x", "secret": True}]
    odd = [7, {"key": "NO"}, {"key": 1, "value": "x"}, {"key": "NULL", "value": None}]
    kept = {"checkly": msgspec.Raw(msgspec.json.encode({"environmentVariables": rows + odd}))}
    world.group(
        "night", extras={**kept, "other": msgspec.Raw(b"[1]"), "more": msgspec.Raw(b'{"environmentVariables": 1}')}
    )
    for key in ("STAGE", "ALL"):
        texts.variables.put(1, key, {"value": "project"}, NOW, create=True, update_known=True)
    assert texts.values(1, 1) == {"ALL": "project", "STAGE": "group", "OWN": "x"}
    assert texts.values(1, 2) == texts.values(1, 99) == {"ALL": "project", "STAGE": "project"}
    assert texts.values(2, 1) == {}


async def test_snippets_are_found_by_number_and_counted(texts, admin):
    snippets = Snippets(texts)
    made = [await snippets.create(admin, {"display_name": f"s{n}", "script": f"{n}"}, NOW) for n in range(3)]
    assert await snippets.numbered_page(admin, size=2, offset=1) == (made[1:], 3)
    assert (await snippets.numbered_page(admin, size=2, offset=7))[0] == []
    assert await snippets.get_by_number(admin, made[0].number) == made[0]
    again = await snippets.put(admin, made[0].key, {"script": "new"}, NOW + 1, create=False)
    assert again == Snippet(made[0].number, made[0].project, made[0].key, NOW, NOW + 1, "s0", "new")
    for number in (0, -1, made[-1].number + 1, 2**63, 2**80):
        with pytest.raises(errors.NotFound):
            await snippets.get_by_number(admin, number)


async def test_what_may_not_be_is_refused(texts, admin):
    variables, snippets = Variables(texts), Snippets(texts)
    for key in ("", "a b", "a/b", "ä", "x" * 201):
        with pytest.raises(errors.InvalidArgument, match=r"variable\.key"):
            await variables.put(admin, key, {"value": "x"}, NOW)
    with pytest.raises(errors.InvalidArgument, match=r"variable\.value"):
        await variables.put(admin, "X", {"value": "x" * 16_385}, NOW)
    with pytest.raises(errors.InvalidArgument, match=r"snippet\.script"):
        await snippets.create(admin, {"script": "x" * 262_145}, NOW)
    with pytest.raises(errors.InvalidArgument, match=r"snippet\.display_name"):
        await snippets.create(admin, {"display_name": "x" * 201}, NOW)
    reader = Principal(admin.project, Scope.READ)
    with pytest.raises(errors.PermissionDenied):
        await variables.put(reader, "X", {}, NOW)
    with pytest.raises(errors.PermissionDenied):
        await snippets.create(reader, {}, NOW)
    assert (await variables.numbered_page(reader, size=5)) == ([], 0)


def test_whoever_adds_a_reader_thinks_of_secrets():
    """All that readers of both nouns can call: of variables, each is one that hides the value of a secret."""
    readers = {name for name, found in vars(Nouns).items() if not name.startswith("_") and callable(found)}
    assert readers - {"delete"} <= vars(Variables).keys()
