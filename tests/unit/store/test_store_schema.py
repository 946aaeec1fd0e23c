"""No field of a stored noun is forgotten: each has a column, a place in a body, or is made from others."""

import msgspec
import pytest

from tocsin.domain.check_in import CheckIn
from tocsin.domain.environment import ProjectEnvironment
from tocsin.domain.facts import CheckInRefused
from tocsin.domain.group import Group
from tocsin.domain.incident import Incident, Outage
from tocsin.domain.manual_incident import ManualIncident
from tocsin.domain.monitor import Monitor
from tocsin.domain.notification import Subscription
from tocsin.domain.project import Key, Project
from tocsin.domain.trace_error import TraceError
from tocsin.domain.track import Track
from tocsin.store import check_ins, groups, manual_incidents, monitors, schema


def names(struct: type) -> list[str]:
    return [field.name for field in msgspec.structs.fields(struct)]


@pytest.mark.parametrize(
    ("noun", "table", "body", "made"),
    [
        (CheckIn, schema.check_ins, check_ins.Detail, {"id", "monitor_id", "environment", "client_chosen"}),
        (Monitor, schema.monitors, monitors.Body, set()),
        (Incident, schema.incidents, None, {"monitor_id", "environment"}),
        (Outage, schema.outages, None, set()),
        (Group, schema.groups, groups.Body, set()),
        (Subscription, schema.subscriptions, None, set()),
        (ProjectEnvironment, schema.project_environments, None, set()),
        (ManualIncident, schema.manual_incidents, manual_incidents.Body, set()),
        (CheckInRefused, schema.refusals, None, set()),
        (TraceError, schema.trace_errors, None, set()),
        (Key, schema.keys, None, set()),
        (Project, schema.projects, None, set()),
    ],
)
def test_every_field_has_a_place(noun, table, body, made):
    kept = set(table.columns.keys()) | set(names(body) if body else ())
    assert set(names(noun)) - kept == made


@pytest.mark.parametrize("noun", [Outage, Project])
def test_rows_read_by_position_have_the_order_of_the_fields(noun):
    assert schema.metadata.tables[f"{noun.__name__.lower()}s"].columns.keys() == names(noun)


def test_tracks_and_refusals_have_the_order_of_the_fields():
    own = [name for name in names(Track) if name != "next_track"]
    assert schema.tracks.columns.keys() == [*own, "create_time", "applied", "packed"]
    assert schema.trace_errors.columns.keys() == names(TraceError)
    assert schema.refusals.columns.keys()[1:] == [name for name in names(CheckInRefused) if name != "number"]
