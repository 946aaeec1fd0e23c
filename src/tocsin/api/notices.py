"""NoticeService: what people were told."""

from tocsin.api.keys import child
from tocsin.api.monitors import page_size
from tocsin.domain import errors, names
from tocsin.service.call import Call
from tocsin.service.notices import Notices
from tocsin.v1 import notice_pb2
from tocsin.v1 import notice_service_pb2 as pb
from tocsin.wire.notice import STATES, from_notice

_RETRY_MAX = 500


class NoticeHandlers:
    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    async def GetNotice(self, request: pb.GetNoticeRequest, call: Call) -> notice_pb2.Notice:
        return from_notice(await self._notices.get(call.principal, _number("notice", request.name, call)))

    async def ListNotices(self, request: pb.ListNoticesRequest, call: Call) -> pb.ListNoticesResponse:
        call.principal.require_project(names.parse("project", request.parent, "parent").project)
        page = await self._notices.page(
            call.principal,
            monitor_id=names.parse("monitor", request.monitor, "monitor").monitor if request.monitor else "",
            incident=_number("incident", request.incident, call, "incident") if request.incident else None,
            states=[STATES.to_domain(state, f"states[{index}]") for index, state in enumerate(request.states)],
            size=page_size(request.page_size),
            token=request.page_token,
        )
        return pb.ListNoticesResponse(notices=[from_notice(row) for row in page.rows], next_page_token=page.next_token)

    async def RetryNotices(self, request: pb.RetryNoticesRequest, call: Call) -> pb.RetryNoticesResponse:
        call.principal.require_project(names.parse("project", request.parent, "parent").project)
        if len(request.names) > _RETRY_MAX:
            raise errors.invalid("names", f"at most {_RETRY_MAX}, not {len(request.names)}")
        numbers = [_number("notice", name, call, f"names[{index}]") for index, name in enumerate(request.names)]
        return pb.RetryNoticesResponse(retried_count=await self._notices.retry(call.principal, numbers, call.received))


def _number(kind: str, name: str, call: Call, field: str = "name") -> int:
    text = child(kind, name, call, field)
    if not text.isdecimal() or len(text) > 18:
        raise errors.NotFound(
            f"no {kind} {text[:64]!r}", reason=f"{kind.upper()}_NOT_FOUND", metadata={kind: text[:64]}
        )
    return int(text)
