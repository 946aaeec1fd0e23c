"""A client is known by the short name of its User-Agent."""

import pytest

from tocsin.dialects.cronitor.telemetry.clients import short_name


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("curl/8.5.0", "curl"),
        ("cronitor-python", "cronitor-python"),
        ("CronitorCLI/33.4", "CronitorCLI"),
        ("cronitor-kubernetes/0.9.1", "cronitor-kubernetes"),
        ("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0", "browser"),
        ("Wget (linux)", "Wget"),
        ("python-requests/2.32 (x)", "python-requests"),
        ("a;b", "a"),
        ("", ""),
        ("  ", ""),
        ("/1", ""),
        ("x" * 100, "x" * 64),
        ("a\x7fb", "ab"),
    ],
)
def test_short_names(user_agent, name):
    assert short_name(user_agent) == name
