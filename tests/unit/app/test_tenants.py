"""What a person gets to begin with."""

import json
import re

import pytest

from support.stores import NOW, open_sqlite
from tocsin.app.tenants import CREDENTIALS, PUBLIC_URL, create_tenant, dsn, keep_for_person
from tocsin.domain.project import Scope, digest_of


@pytest.fixture
def store(tmp_path):
    store = open_sqlite(tmp_path)
    yield store
    store.close()


def test_a_tenant_has_an_admin_key_and_an_ingest_key(store):
    tenant = create_tenant(store, "Acme", NOW)
    scopes = {key.digest: key.scope for key in store.list_keys()}
    assert scopes == {digest_of(tenant.admin_key): Scope.ADMIN, digest_of(tenant.ingest_key): Scope.INGEST}
    for key in (tenant.admin_key, tenant.ingest_key):
        assert re.fullmatch("[0-9a-f]{32}", key)


def test_keys_are_stored_as_digests_only(store, tmp_path):
    tenant = create_tenant(store, "Acme", NOW)
    store.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("tocsin.db*"))
    assert tenant.admin_key.encode() not in kept
    assert tenant.ingest_key.encode() not in kept


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, "http://KEY@127.0.0.1:8000/7"),
        ("https://tocsin.example", "https://KEY@tocsin.example/7"),
        ("https://example.com:8443/tocsin/", "https://KEY@example.com:8443/tocsin/7"),
        ("http://[::1]:8000", "http://KEY@[::1]:8000/7"),
    ],
)
def test_a_dsn_is_made_of_the_public_url(store, url, expected):
    if url:
        store.put_setting(PUBLIC_URL, url)
    assert dsn(store, 7, "KEY") == expected


def test_the_first_keys_are_kept_where_only_their_owner_can_read_them(store, tmp_path):
    (tmp_path / CREDENTIALS).touch(mode=0o644)
    tenant = create_tenant(store, "Acme", NOW)
    path = keep_for_person(tmp_path, tenant)
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["admin_key"] == tenant.admin_key
