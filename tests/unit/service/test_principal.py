"""Keys: what each may do, whose project it is, and when a change of them is seen."""

import pytest

from support.stores import NOW, open_sqlite
from tocsin.domain.errors import PermissionDenied, Unauthenticated
from tocsin.domain.project import Scope, digest_of
from tocsin.service.principal import Principals

KEYS = {scope: f"{scope.value:0>32}" for scope in Scope}


@pytest.fixture
def store(tmp_path):
    store = open_sqlite(tmp_path)
    store.create_project("Acme", NOW)
    for scope, key in KEYS.items():
        store.create_key(1, scope, digest_of(key), key[-4:], NOW)
    yield store
    store.close()


@pytest.fixture
def principals(store):
    principals = Principals(store)
    principals.refresh()
    return principals


@pytest.mark.parametrize(
    ("held", "may"),
    [
        (Scope.INGEST, {Scope.INGEST}),
        (Scope.READ, {Scope.READ}),
        (Scope.ADMIN, {Scope.INGEST, Scope.READ, Scope.ADMIN}),
    ],
)
def test_a_scope_allows_what_it_includes_and_no_more(principals, held, may):
    principal = principals.resolve(KEYS[held])
    for scope in Scope:
        if scope in may:
            principal.require(scope)
        else:
            with pytest.raises(PermissionDenied) as refused:
                principal.require(scope)
            assert refused.value.reason == "KEY_SCOPE"
            assert refused.value.metadata == {"scope": held.value, "required_scope": scope.value}


@pytest.mark.parametrize("key", [None, ""])
def test_no_key_is_told_apart(principals, key):
    with pytest.raises(Unauthenticated) as refused:
        principals.resolve(key)
    assert refused.value.reason == "KEY_MISSING"


@pytest.mark.parametrize("key", ["f" * 32, "short", "x" * 10_000, "ключ", "\ud800"])
def test_an_unknown_key_is_refused_whatever_it_looks_like(principals, key):
    with pytest.raises(Unauthenticated) as refused:
        principals.resolve(key)
    assert refused.value.reason == "KEY_INVALID"


@pytest.mark.parametrize("reference", ["1", "acme", "-"])
def test_a_key_names_its_own_project_in_three_ways(principals, reference):
    principals.resolve(KEYS[Scope.READ]).require_project(reference)


@pytest.mark.parametrize("reference", ["2", "other", "", "Acme"])
def test_a_key_is_bound_to_its_project(principals, reference):
    with pytest.raises(PermissionDenied):
        principals.resolve(KEYS[Scope.ADMIN]).require_project(reference)


def test_new_and_revoked_keys_are_seen_at_the_next_refresh(store, principals):
    assert not principals.refresh()
    [number] = [key.number for key in store.list_keys() if key.scope is Scope.READ]
    store.create_key(1, Scope.INGEST, digest_of("new"), "new", NOW)
    store.revoke_key(number, NOW)
    revoked = principals.resolve(KEYS[Scope.READ])
    principals.require_active(revoked)
    assert principals.find("new") is None
    assert principals.refresh()
    principals.require_active(principals.resolve("new"))
    with pytest.raises(Unauthenticated) as refused:
        principals.require_active(revoked)
    assert refused.value.reason == "KEY_INVALID"
    assert principals.find("new").scope is Scope.INGEST
    assert principals.find(KEYS[Scope.READ]) is None
    assert not principals.refresh()


def test_a_project_is_found_by_number_and_slug(principals):
    assert principals.project(1) == principals.project("1") == principals.project("acme")
    for unknown in (2, "2", "nobody", "9" * 5_000):
        assert principals.project(unknown) is None
