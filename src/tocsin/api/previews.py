"""What schedules would do, as messages."""

import datetime
from typing import Final

from google.protobuf.duration_pb2 import Duration

from tocsin.schedule import FireTime, Placement
from tocsin.service.monitors import Preview
from tocsin.v1 import monitor_service_pb2 as pb
from tocsin.wire.time import from_instant

_PLACEMENTS: Final = {
    Placement.PLAIN: pb.PreviewedSlot.PLACEMENT_UNSPECIFIED,
    Placement.MOVED: pb.PreviewedSlot.PLACEMENT_MOVED,
    Placement.FIRST: pb.PreviewedSlot.PLACEMENT_FIRST_PASS,
    Placement.SECOND: pb.PreviewedSlot.PLACEMENT_SECOND_PASS,
}
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def from_preview(found: Preview) -> pb.PreviewScheduleResponse:
    return pb.PreviewScheduleResponse(
        fire_times=[from_instant(time.at_ms) for time in found.times],
        descriptions=found.words,
        slots=[_slot(time) for time in found.times],
        previous_slots=[_slot(time) for time in found.previous],
        time_zone_database=found.database,
    )


def _slot(time: FireTime) -> pb.PreviewedSlot:
    return pb.PreviewedSlot(
        fire_time=from_instant(time.at_ms),
        wall_clock=wall_clock(time),
        clock_changes=[
            pb.ClockChange(change_time=from_instant(change.at_ms), shift=Duration(seconds=change.shift_s))
            for change in time.changes
        ],
        placement=_PLACEMENTS[time.placement],
    )


def wall_clock(time: FireTime) -> str:
    """The wall time with its offset; an instant whose wall time lies outside the years 1 to 9999 is shown in UTC."""
    at = _EPOCH + datetime.timedelta(milliseconds=time.at_ms)
    try:
        return at.astimezone(datetime.timezone(datetime.timedelta(seconds=time.utc_offset_s))).isoformat()
    except OverflowError:
        return at.isoformat()
