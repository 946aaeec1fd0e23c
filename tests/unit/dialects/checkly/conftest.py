"""A store for the reading half."""

import pytest
from history_edge import Edge

from support.stores import open_sqlite


@pytest.fixture
def edge(tmp_path):
    store = open_sqlite(tmp_path)
    yield Edge(store)
    store.close()
