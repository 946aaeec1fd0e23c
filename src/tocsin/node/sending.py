"""Sends notices to where a destination leads: a URL, or a channel, whose form is filled in here."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog

from tocsin.domain.instant import SECOND, Clock
from tocsin.domain.notice import Notice
from tocsin.domain.notification import WEBHOOK, Channel, Form, parts
from tocsin.notify import form, webhook
from tocsin.notify.webhook import Outcome, Pace
from tocsin.outgoing import Client
from tocsin.store.port import StoreTrouble
from tocsin.store.tellable import SqlTellable
from tocsin.store.variables import SqlTexts

FORM_PACE: Final = Pace(retries=5, pause_ms=20 * SECOND)

_THREADS: Final = 2  # that fill in forms: not those that read the database, which pings wait for, too
_HIDDEN: Final = "no answer came; a variable says from where, so more is not told"

_log = structlog.get_logger("tocsin.sending")


class Sender:
    """What a channel with a form is told, it is told in a request of its own, and in a pace of its own.

    `close()` at the end.
    """

    def __init__(
        self,
        client: Client,
        tellable: SqlTellable,
        texts: SqlTexts,
        clock: Clock,
        public_url: str,
        pace: Pace = FORM_PACE,
    ) -> None:
        self._client, self._tellable, self._texts = client, tellable, texts
        self._clock, self._public_url, self._pace = clock, public_url, pace
        self._forms = ThreadPoolExecutor(_THREADS, "tocsin-form")

    def close(self) -> None:
        """Waits for nothing: what is being filled in is sent by nobody."""
        self._forms.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, project: int, destination: str, notices: Sequence[Notice]) -> Outcome:
        prefix, target = parts(destination) or ("", "")
        if prefix != WEBHOOK:
            return Outcome(sent=False, error="this server cannot deliver to such a destination")
        url = target
        if "://" not in target:
            channel = await asyncio.to_thread(self._tellable.channel, project, target)
            if channel is None:
                return Outcome(sent=False, error=f"there is no channel {target[:64]!r}")
            if channel.form is not None:
                outcome = await self._in_form(channel, channel.form, notices[0])
                return outcome._replace(taken=1, pace=self._pace)
            url = channel.url
        return await webhook.send(self._client, url, notices, self._public_url, self._clock.now())

    async def _in_form(self, channel: Channel, filled: Form, notice: Notice) -> Outcome:
        now = self._clock.now()
        try:
            texts = await asyncio.to_thread(self._texts.values, notice.project, notice.monitor)
            given = (filled, channel.url, notice, texts, self._public_url, now)
            asked = await asyncio.get_running_loop().run_in_executor(self._forms, form.request, *given)
        except form.FormError as error:
            _log.warning("a form gives no request", channel=channel.number, error=str(error))
            return Outcome(sent=False, error=str(error))
        except StoreTrouble:
            raise
        except Exception as error:  # of this notice; the next one may do better
            _log.exception("a form cannot be filled in", channel=channel.number, notice=notice.number)
            return Outcome(sent=False, again=True, error=f"internal: {type(error).__name__}")
        outcome = await webhook.ask(self._client, *asked, now, always=True)
        if outcome.error and form.is_host_hidden(channel.url) and not outcome.error.startswith("answered"):
            return outcome._replace(error=_HIDDEN)
        return outcome
