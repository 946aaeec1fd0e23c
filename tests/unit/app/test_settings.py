"""Settings: who wins, what is refused, and that an error names the setting."""

import pytest

from tocsin.app.settings import Settings, SettingsError, from_environment, host_port, load
from tocsin.domain.instant import SECOND
from tocsin.node.sending import FORM_PACE
from tocsin.notify.webhook import Pace


def file(tmp_path, text):
    path = tmp_path / "tocsin.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_form_is_tried_again_five_times_twenty_seconds_apart():
    notify = Settings().notify
    assert Pace(notify.form_retries, round(notify.form_retry_seconds * SECOND)) == FORM_PACE == Pace(5, 20_000)


def test_nothing_given_is_everything_by_default():
    assert load(None, {}, {}) == Settings()


def test_flags_win_over_the_environment_over_the_file_over_defaults(tmp_path):
    path = file(tmp_path, '[listen]\nhttp = "127.0.0.1:1"\ngrpc = "127.0.0.1:2"\n[store]\ndata = "in-file"\n')
    environment = {
        "TOCSIN_LISTEN__GRPC": "127.0.0.1:3",
        "TOCSIN_STORE__DATA": "in-environment",
        "TOCSIN_KEY": "no setting",
    }
    settings = load(path, environment, {"store.data": "in-flag", "listen.http": None})
    assert settings.listen.http == "127.0.0.1:1"
    assert settings.listen.grpc == "127.0.0.1:3"
    assert settings.store.data == "in-flag"
    assert settings.store.check_in_days == 90


def test_text_from_the_environment_becomes_what_the_setting_is():
    environment = {
        "TOCSIN_ENGINE__QUEUE_LIMIT": "7",
        "TOCSIN_DIALECTS__SENTRY": "false",
        "TOCSIN_LISTEN__DRAIN_SECONDS": "2.5",
        "TOCSIN_TELEMETRY__OPEN_METRICS": "true",
    }
    settings = load(None, environment, {})
    assert settings.engine.queue_limit == 7
    assert settings.dialects.sentry is False
    assert settings.listen.drain_seconds == 2.5
    assert settings.telemetry.open_metrics is True


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"TOCSIN_ENGINE__QUEUE_LIMIT": "many"}, "engine.queue_limit"),
        ({"TOCSIN_ENGINE__QUEUE_LIMIT": "0"}, "engine.queue_limit"),
        ({"TOCSIN_PROJECTS__MARGIN_SECONDS": "-1"}, "projects.margin_seconds"),
        ({"TOCSIN_PROJECTS__MARGIN_SECONDS": "nan"}, "projects.margin_seconds"),
        ({"TOCSIN_PROJECTS__FAILURE_THRESHOLD": "721"}, "projects.failure_threshold"),
        ({"TOCSIN_PROJECTS__STRICT": "perhaps"}, "projects.strict"),
        ({"TOCSIN_PROJECTS__DENIED_MONITORS": "a" * 201}, "projects.denied_monitors"),
        ({"TOCSIN_ENGINE__ANSWER_WITHIN_MS": "0"}, "engine.answer_within_ms"),
        ({"TOCSIN_STORE__CHECK_IN_DAYS": "0"}, "store.check_in_days"),
        ({"TOCSIN_STORE__CHECK_IN_DAYS": "27"}, "store.check_in_days"),
        ({"TOCSIN_STORE__BUSY_TIMEOUT_MS": "-1"}, "store.busy_timeout_ms"),
        ({"TOCSIN_LISTEN__DRAIN_SECONDS": "nan"}, "listen.drain_seconds"),
        ({"TOCSIN_LISTEN__DRAIN_SECONDS": "inf"}, "listen.drain_seconds"),
        ({"TOCSIN_LISTEN__HTTP": "8000"}, "listen.http"),
        ({"TOCSIN_LISTEN__GRPC": "localhost:99999"}, "listen.grpc"),
        ({"TOCSIN_DIALECTS__SENTRY_ORGANIZATION": "My Company"}, "dialects.sentry_organization"),
        ({"TOCSIN_DIALECTS__SENTRY_ORGANIZATION": ""}, "dialects.sentry_organization"),
        ({"TOCSIN_LISTEN__TLS_KEY": "key.pem"}, "listen.tls_certificate"),
        ({"TOCSIN_LISTEN__HTPP": "127.0.0.1:1"}, "htpp"),
        ({"TOCSIN_LISTENER__HTTP": "127.0.0.1:1"}, "listener"),
        ({"TOCSIN_TELEMETRY__LOG_LEVEL": "loud"}, "telemetry.log_level"),
        ({"TOCSIN_DIALECTS__SENTRY": "perhaps"}, "dialects.sentry"),
    ],
)
def test_an_error_names_the_setting(environment, named):
    with pytest.raises(SettingsError, match=named):
        load(None, environment, {})


@pytest.mark.parametrize("text", ["listen = [", b"\xff\xfe", "[listen]\nhttp = 8000\n"])
def test_a_file_that_cannot_be_used_is_an_error_of_settings(tmp_path, text):
    with pytest.raises(SettingsError):
        load(file(tmp_path, text), {}, {})


def test_a_section_that_is_no_table_is_named(tmp_path):
    with pytest.raises(SettingsError, match="listen"):
        load(file(tmp_path, 'listen = "127.0.0.1:1"\n'), {"TOCSIN_LISTEN__GRPC": "127.0.0.1:1"}, {})


def test_a_file_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("TOCSIN_CONFIG", str(tmp_path / "nowhere.toml"))
    with pytest.raises(SettingsError, match="nowhere"):
        from_environment(None, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [("127.0.0.1:80", ("127.0.0.1", 80)), ("[::1]:0", ("::1", 0)), ("localhost:65535", ("localhost", 65535))],
)
def test_addresses_are_read(text, expected):
    assert host_port(text, "x") == expected


@pytest.mark.parametrize("text", ["", ":80", "host", "host:", "host:-1", "host:65536", "host:8o"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(SettingsError, match=r"listen\.http"):
        host_port(text, "listen.http")


def test_the_database_is_in_the_data_folder_unless_another_is_named():
    assert load(None, {}, {"store.data": "d"}).database_url == "sqlite:///d/tocsin.db"
    assert load(None, {}, {"store.url": "sqlite:///other.db"}).database_url == "sqlite:///other.db"


def test_what_holds_in_projects():
    from tocsin.app.project_settings import Projects, to_domain
    from tocsin.domain.project_settings import DEFAULTS

    assert to_domain(Projects()) == DEFAULTS
    environment = {"TOCSIN_PROJECTS__ALLOWED_MONITORS": "a-*, b", "TOCSIN_PROJECTS__MAX_RUNTIME_SECONDS": "0.5"}
    found = to_domain(load(None, environment, {}).projects)
    assert (found.allowed_monitors, found.max_runtime_ms) == (("a-*", "b"), 500)
