"""Programs, bindings and deployments are what was written, in either database."""

import uuid

import msgspec
import pytest

from support.stores import NOW
from support.writes import Writes
from tocsin.domain.deployment import Action, Binding, Deployment, Owner, Program, State, Step
from tocsin.store import deployments as rows
from tocsin.store.deploying import SqlDeployments

SHOP = Program("11111111-0000-4000-8000-000000000001", "shop", "The shop", "https://example.org/é\0", NOW, NOW)
CHECK, HOOK = Binding("check", "nightly", "nightly"), Binding("alert-channel", "hook", "checkly-0011")


@pytest.fixture
def store_of_deployments(store):
    return SqlDeployments(store.database)


def deployment(namespace="shop", project=1, **fields):
    return Deployment(str(uuid.uuid4()), project, namespace, create_time=NOW, **fields)


def intend(store, program, *bindings, project=1):
    made = deployment(program.namespace, project)
    assert store.begin(made) == ""
    store.intend(made, program, bindings)
    done = msgspec.structs.replace(made, state=State.SUCCEEDED, end_time=NOW + 5)
    store.finish(done)
    return done


def test_a_program_and_what_it_has(store_of_deployments):
    store = store_of_deployments
    assert store.program(1, "shop") is None
    assert store.bindings(1, "shop") == []
    intend(store, SHOP, CHECK, HOOK)
    kept = msgspec.structs.replace(SHOP, source="https://example.org/é\ufffd")
    assert store.program(1, "shop") == kept
    assert store.program(2, "shop") is None
    assert store.bindings(1, "shop") == [CHECK, HOOK]
    assert store.bindings(2, "shop") == []
    moved = CHECK._replace(resource="nightly-2")
    changed = msgspec.structs.replace(SHOP, source="", update_time=NOW + 1)
    intend(store, changed, moved)
    assert store.program(1, "shop") == changed
    assert store.bindings(1, "shop") == [HOOK, moved]


def test_who_declares_a_resource(store_of_deployments):
    store = store_of_deployments
    shop, bank = msgspec.structs.replace(SHOP, source=""), Program("2", "bank", "Bank")
    intend(store, shop, CHECK, HOOK)
    intend(store, bank, Binding("check", "a/b#c", "b-1"))
    intend(store, bank, Binding("check", "else", "nightly-2"), project=2)
    found = store.owners(1, "check", {"nightly", "b-1", "nightly-2", "checkly-0011"})
    assert found == {"nightly": Owner(shop, "nightly"), "b-1": Owner(bank, "a/b#c")}
    assert store.owners(1, "alert-channel", ["checkly-0011"]) == {"checkly-0011": Owner(shop, "hook")}
    assert store.owners(1, "check", ()) == {}
    many = [Binding("check", f"c{n}", f"r{n}") for n in range(1_200)]
    intend(store, shop, *many)
    assert len(store.owners(1, "check", [one.resource for one in many])) == 1_200


def test_what_other_programs_have_too(store_of_deployments):
    store = store_of_deployments
    intend(store, SHOP, CHECK, HOOK)
    intend(store, Program("2", "bank", "Bank"), CHECK)
    intend(store, Program("3", "bank", "Bank"), HOOK, project=2)
    assert store.elsewhere(1, "shop", "check", {"nightly", "other"}) == {"nightly"}
    assert store.elsewhere(1, "shop", "alert-channel", {"checkly-0011", "nightly"}) == set()
    assert store.elsewhere(1, "third", "check", {"nightly"}) == {"nightly"}


def test_programs_are_paged_oldest_first(store_of_deployments):
    store = store_of_deployments
    for name in "cab":
        intend(store, Program(name, name, name.upper()))
    intend(store, Program("c", "c", "C", update_time=NOW))  # known: stays where it is
    intend(store, Program("d", "d"), project=2)
    assert store.programs(1, skip=0, size=2) == (
        [Program("c", "c", "C", update_time=NOW), Program("a", "a", "A")],
        3,
    )
    assert store.programs(1, skip=2, size=2) == ([Program("b", "b", "B")], 3)
    assert store.programs(3, skip=0, size=2) == ([], 0)


def test_one_deployment_of_a_namespace_at_a_time(store_of_deployments):
    store = store_of_deployments
    first = deployment()
    assert store.begin(first) == ""
    assert store.begin(deployment()) == first.id
    assert store.begin(deployment("other")) == ""
    assert store.begin(deployment(project=2)) == ""
    step = Step("check", "nightly", Action.CREATE, "uuid")
    done = msgspec.structs.replace(
        first, state=State.SUCCEEDED, end_time=NOW + 1, steps=(step,), program=SHOP, progress=100
    )
    store.finish(done)
    program = msgspec.structs.replace(SHOP, source="https://example.org/é\ufffd")
    assert store.deployment(1, first.id) == msgspec.structs.replace(done, program=program)
    assert store.deployment(2, first.id) is None
    assert store.deployment(1, "no\0ne") is None
    assert store.begin(deployment()) == ""


def test_what_is_taken_away_is_not_bound_any_more(store_of_deployments):
    store = store_of_deployments
    intend(store, SHOP, CHECK, HOOK)
    going = deployment()
    store.begin(going)
    made = CHECK._replace(logical_id="weekly", resource="uid")
    store.finish(msgspec.structs.replace(going, end_time=NOW), [made], [CHECK])
    assert store.bindings(1, "shop") == [HOOK, made]
    assert store.program(1, "shop") is not None
    going = deployment()
    store.begin(going)
    store.finish(msgspec.structs.replace(going, end_time=NOW), program_gone=True)
    assert (store.bindings(1, "shop"), store.program(1, "shop")) == ([], None)


def test_old_deployments_go(store_of_deployments, monkeypatch):
    store = store_of_deployments
    monkeypatch.setattr(rows, "KEPT", 3)
    made = []
    for number in range(5):
        made.append(deployment(state=State.FAILED, end_time=NOW + number))
        assert store.begin(made[-1]) == ""
    other = deployment("other", state=State.FAILED, end_time=NOW)
    store.begin(other)
    assert [store.deployment(1, one.id) is not None for one in (*made, other)] == [False, False, True, True, True, True]
    store.save(made[0])  # gone: nothing happens
    assert store.deployment(1, made[0].id) is None


def test_the_longest_names_fit(store_of_deployments):
    store = store_of_deployments
    program = Program(str(uuid.uuid4()), "n" * 200, "é" * 400, "ü" * 500, NOW, NOW)
    binding = Binding("alert-channel-subscription", "ß" * 500, "r" * 300)
    intend(store, program, binding)
    assert store.owners(1, binding.type, [binding.resource]) == {binding.resource: Owner(program, binding.logical_id)}


def test_many_bindings_hold_the_writer_for_a_moment_each_time(store, store_of_deployments):
    many = [Binding("check", f"c{n}", f"?r{n}") for n in range(1_200)]
    made = deployment()
    store_of_deployments.begin(made)
    writes = Writes(store)
    store_of_deployments.intend(made, SHOP, many)
    there = [one._replace(resource="made") for one in many]
    done = msgspec.structs.replace(made, state=State.SUCCEEDED, end_time=NOW)
    store_of_deployments.finish(done, there[600:], many[:600])
    assert store_of_deployments.bindings(1, "shop") == there[600:]
    assert max(writes.rows) <= 1_000  # each is taken away and put
    going = deployment()
    store_of_deployments.begin(going)
    store_of_deployments.finish(msgspec.structs.replace(going, end_time=NOW), (), there[600:], program_gone=True)
    assert store_of_deployments.bindings(1, "shop") == []
    assert max(writes.rows) <= 1_000
