"""Stores of every kind, each on a database of its own."""

import pytest

from support.stores import BACKENDS


@pytest.fixture(params=sorted(BACKENDS))
def open_store(request):
    """folder → a store on a new database in it."""
    return BACKENDS[request.param]


@pytest.fixture
def store(open_store, tmp_path):
    opened = open_store(tmp_path)
    yield opened
    opened.close()
