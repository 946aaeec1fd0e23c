"""Who is meant by what an alert policy names."""

import pytest

from tocsin.domain.notification import NotificationList
from tocsin.notify.routing import destinations, kind_of, unsupported

LISTS = {
    "default": NotificationList(1, 1, "default", destinations=("email:a@x.org",)),
    "ops": NotificationList(2, 1, "ops", destinations=("webhook:ops", "email:a@x.org")),
    "staging": NotificationList(3, 1, "staging", destinations=("slack:#s",), environments=("staging",)),
    "nobody": NotificationList(4, 1, "nobody"),
}


@pytest.mark.parametrize(
    ("named", "environment", "found"),
    [
        ((), "production", ("email:a@x.org",)),
        (("default",), "production", ("email:a@x.org",)),
        (("ops", "default"), "production", ("webhook:ops", "email:a@x.org")),
        (("webhook:https://x/", "ops"), "x", ("webhook:https://x/", "webhook:ops", "email:a@x.org")),
        (("staging",), "production", ()),
        (("staging",), "staging", ("slack:#s",)),
        (("nobody",), "production", ()),
        (("gone",), "production", ("email:a@x.org",)),
        (("gone", "webhook:ops", "lost"), "production", ("email:a@x.org", "webhook:ops")),
    ],
)
def test_destinations(named, environment, found):
    assert destinations(named, LISTS, environment) == found


def test_without_a_default_list_nobody_is_meant():
    assert destinations((), {}, "production") == ()
    assert destinations(("gone",), {}, "production") == ()


def test_a_default_list_speaks_for_its_environments_only_also_in_place_of_another():
    lists = {"default": NotificationList(1, 1, "default", destinations=("webhook:d",), environments=("staging",))}
    assert destinations(("gone",), lists, "production") == ()
    assert destinations(("gone",), lists, "staging") == ("webhook:d",)


@pytest.mark.parametrize(
    ("destination", "kind", "supported"),
    [
        ("webhook:ops", "webhook", True),
        ("email:a@x.org", "email", False),
        ("carrier-pigeon:loft", "other", False),
        ("ops", "other", False),
    ],
)
def test_kinds(destination, kind, supported):
    assert (kind_of(destination), not unsupported(destination)) == (kind, supported)
