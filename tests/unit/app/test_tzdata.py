"""Which release of the zone data is in use, where the system has none and the package stands in."""

import importlib.metadata
import sys
import zoneinfo
from types import SimpleNamespace

import pytest

from tocsin.app.tzdata import forget, tzdata_version


@pytest.fixture(autouse=True)
def no_system_files(monkeypatch):
    monkeypatch.setattr(zoneinfo, "TZPATH", ())
    forget()
    yield
    forget()


@pytest.mark.parametrize(("release", "version"), [("2026.2", "2026b"), ("2026.3.1", "2026c"), ("odd", "odd")])
def test_the_package_is_asked_and_not_the_module_imported_before_an_upgrade(monkeypatch, release, version):
    monkeypatch.setitem(sys.modules, "tzdata", SimpleNamespace(IANA_VERSION="2020a"))
    monkeypatch.setattr(importlib.metadata, "version", lambda name: {"tzdata": release}[name])
    assert tzdata_version() == version


def test_without_a_package_the_version_is_unknown(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert tzdata_version() == "unknown"
