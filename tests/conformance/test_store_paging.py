"""Pages hold still while rows come in, and a token belongs to its question."""

import msgspec
import pytest

from support.stores import NOW, check_in, commit, delta, incident, monitor, read_pages, track, with_monitors
from support.stores import check_in_number as number
from tocsin.domain import errors
from tocsin.domain.incident import Outage
from tocsin.domain.monitor import Monitor
from tocsin.store import CheckInFilter

ANY = CheckInFilter()


@pytest.mark.parametrize("order_by", ["", "id desc", "display_name", "create_time desc", "update_time"])
def test_pages_of_monitors_hold_still_under_inserts(store, order_by):
    old = [
        monitor(
            index,
            id=f"m-{index * 7 % 25:02}",
            display_name="same" if index % 3 else "other",
            create_time=NOW + index % 4,
        )
        for index in range(1, 25)
    ]
    with_monitors(store, *old)
    field, _, direction = (order_by or "id").partition(" ")
    whole = sorted(old, key=lambda one: (getattr(one, field), one.number), reverse=direction == "desc")
    fresh = iter(range(100, 200))
    seen: list[Monitor] = []
    token = ""
    while True:
        page = store.list_monitors(1, size=5, token=token, order_by=order_by)
        seen += [row.monitor for row in page.rows]
        token = page.next_token
        if not token:
            break
        new = [monitor(next(fresh), id=f"{prefix}{next(fresh)}") for prefix in ("a-", "m-13-", "z-")]
        commit(store, delta(*new))
    assert [one for one in seen if one.number < 100] == whole
    assert len({one.number for one in seen}) == len(seen)


def test_pages_of_check_ins_hold_still_under_inserts(store):
    with_monitors(store, monitor(1))
    commit(store, delta(*(check_in(number(index), track(1, 1)) for index in range(20))))
    fresh = iter(range(100, 200))

    def read(token):
        page = store.list_check_ins(1, CheckInFilter(monitor=1), size=3, token=token)
        commit(store, delta(check_in(number(next(fresh)), track(1, 1))))
        return page

    assert [one.number for one in read_pages(read)] == [number(index) for index in range(19, -1, -1)]


def test_a_last_page_that_is_full_has_no_token(store):
    with_monitors(store, *(monitor(index) for index in range(1, 5)))
    page = store.list_monitors(1, size=2)
    page = store.list_monitors(1, size=2, token=page.next_token)
    assert [row.monitor.number for row in page.rows] == [3, 4]
    assert page.next_token == ""


def test_incidents_and_outages_are_paged(store):
    with_monitors(store, monitor(1), monitor(2))
    here = track(1, 1)
    rows = [incident(index, here, resolve_time=NOW if index < 5 else None) for index in range(1, 6)]
    away = [
        Outage(number=index, start_time=NOW, end_time=NOW + index, reason="restart", shown=index % 2 == 0)
        for index in range(1, 7)
    ]
    made = delta(*rows, incident(9, track(2, 2)), outages=away)
    commit(store, made)
    assert read_pages(lambda token: store.list_incidents(1, monitor=1, size=2, token=token)) == rows[::-1]
    assert [
        one.number for one in read_pages(lambda token: store.list_incidents(1, open_only=True, size=1, token=token))
    ] == [9, 5]
    assert [one.number for one in read_pages(lambda token: store.list_outages(size=2, token=token))] == [6, 4, 2]
    assert read_pages(lambda token: store.list_outages(shown_only=False, size=2, token=token)) == away[::-1]
    assert store.get_incident(2, 9) is None
    commit(store, delta(outages=[msgspec.structs.replace(away[5], unknown_count=3)]))
    assert store.list_outages(size=1).rows[0].unknown_count == 3


def test_a_token_belongs_to_its_question(store):
    with_monitors(store, *(monitor(index) for index in range(1, 5)), monitor(9, project=2))
    token = store.list_monitors(1, size=2).next_token
    assert store.list_monitors(1, size=1, token=token).rows  # the size may change
    for wrong in (
        lambda: store.list_monitors(2, size=2, token=token),
        lambda: store.list_monitors(1, size=2, token=token, filter="id=m-1"),
        lambda: store.list_monitors(1, size=2, token=token, order_by="id desc"),
        lambda: store.list_check_ins(1, ANY, size=2, token=token),
        lambda: store.list_outages(size=2, token=token),
        *(
            (lambda bad=bad: store.list_monitors(1, size=2, token=bad))
            for bad in (token[:-1], "A" + token, "!", "é", "AAAA", token[::-1], "x" * 5000)
        ),
    ):
        with pytest.raises(errors.InvalidArgument) as caught:
            wrong()
        assert caught.value.reason == "PAGE_TOKEN_INVALID"


def test_an_order_that_is_none_is_refused(store):
    for bad in ("policy", "id up", "id, number", "id; DROP TABLE monitors"):
        with pytest.raises(errors.InvalidArgument) as caught:
            store.list_monitors(1, size=2, order_by=bad)
        assert caught.value.reason == "ORDER_BY_INVALID"
