"""A report on its way into one track: do what the table says to the run, move the slot, judge.

One method for each `Action` of the table. Whatever cannot be honoured is `Refused`, with its reason.
"""

from typing import Any

import msgspec

from tocsin.domain.check_in import CheckIn, Report, ReportKind
from tocsin.domain.check_in import State as CheckInState
from tocsin.domain.facts import CheckInRecorded
from tocsin.domain.instant import NEVER, SECOND, Instant, ceil_second
from tocsin.domain.receipt import Receipt
from tocsin.domain.refusals import RefusalReason
from tocsin.domain.track import Verdict
from tocsin.engine import assertions, drafts, events, open_runs, pairing, rates, slots, verdicts
from tocsin.engine.drafts import Refused
from tocsin.engine.rules import RUNS
from tocsin.engine.subject import Subject

_SKEW = 10 * SECOND
OPEN_RUNS_MAX = 1_000  # of one monitor in one environment: each report of it looks at all of them

_ALIVE = (CheckInState.IN_PROGRESS, CheckInState.UNKNOWN, CheckInState.ABANDONED)
_WELL = (ReportKind.OK, ReportKind.RESET)

__all__ = ["OPEN_RUNS_MAX", "Filing", "Refused"]


class Filing:
    """One report on its way into one track."""

    def __init__(self, subject: Subject, sent: Report, at: Instant) -> None:
        self.subject, self.sent, self.at = subject, sent, at
        self.state, self.slot, self.track = subject.state, subject.slot, subject.track
        self.monitor, self.timing = subject.monitor, subject.timing
        self.time: Instant = sent.time if sent.time is not None else at  # when it happened, as far as we believe it
        self.paused = self.monitor.paused(at)
        self.settings = subject.state.settings_of(subject.monitor.project)
        self.on_schedule: bool | None = None  # None: older news, or it meets no slot

    def file(self) -> Receipt:
        run = pairing.run_of(self.subject, self.sent, self.time, self.at)
        action = RUNS[run.state if run else None, self.sent.kind]
        if run is not None and self.at >= pairing.forgotten(self.subject, run):
            raise Refused(RefusalReason.CHECKIN_FINISHED, f"check-in {run.id} began too long ago", {"guid": run.id})
        if run is not None and self.sent.check_in_id and self.sent.retry_safe and self._repeats(run):
            return Receipt(check_in=self._named(run))
        self._admit(run)
        return getattr(self, f"_{action.value}")(run)  # type: ignore[no-any-return] # one method for each Action

    def _admit(self, run: CheckIn | None) -> None:
        """Refused when the minute is full. What shows life or the end of a run known to be open always counts."""
        opening = run is None or self.sent.kind in pairing.APART
        if not opening and run is not None and run.state in _ALIVE:
            return
        limit = self.timing.policy.check_ins_per_minute
        if limit is None:
            limit = self.settings.check_ins_per_minute
        side = rates.OPENING if opening else rates.ENDING
        if limit and not self.state.rates.admit(self.slot, side, limit, self.sent.received):
            what = "openings" if opening else "endings"
            raise Refused(
                RefusalReason.MONITOR_ENVIRONMENT_RATELIMITED,
                f"more than {limit} {what} in this minute and environment",
            )

    def _repeats(self, run: CheckIn) -> bool:
        """Whether this is the request that made the run what it is, sent again."""
        outcomes = {
            ReportKind.START: CheckInState.IN_PROGRESS,
            ReportKind.OK: CheckInState.OK,
            ReportKind.ERROR: CheckInState.ERROR,
            ReportKind.NOTE: CheckInState.NOTE,
        }
        return outcomes.get(self.sent.kind) is run.state

    # -- one method for each Action

    def _open(self, _run: CheckIn | None) -> Receipt:
        if self.track.open_runs >= OPEN_RUNS_MAX and self.timing.policy.abandon_runs:
            open_runs.abandon_oldest(self.subject, self.at)
        elif self.track.open_runs >= OPEN_RUNS_MAX:
            raise Refused(
                RefusalReason.CHECKIN_VALIDATION_FAILED,
                f"{OPEN_RUNS_MAX} runs are open already; end them, or set a maximum runtime",
            )
        timeout = None
        if not self.paused:
            timeout = self.timing.timeout(self.time)
            if timeout is not None and self.sent.time is not None:
                timeout = max(timeout, ceil_second(self.at + open_runs.SPOOL_GRACE))
        run = self._new(CheckInState.IN_PROGRESS, start_time=self.time, timeout_time=timeout)
        run = self._meet_slot(run, begins=True)
        self.track.started_count += 1
        open_runs.settle(self.subject, run, self.at)
        self._appear(run)
        return self._recorded(run, created=True, finished=False)

    def _alone(self, _run: CheckIn | None) -> Receipt:
        good = self.sent.kind in _WELL
        run = self._new(CheckInState.OK if good else CheckInState.ERROR, end_time=self.time)
        newer = self._spoken_since(run)
        if good or not newer:
            run = self._meet_slot(run, begins=True)
        self._judge(run, good=good, newer=newer)
        if self.sent.series and self.sent.kind not in pairing.APART:
            self.state.recents.note_end(run, self.at)
        return self._recorded(run, created=True, finished=True)

    def _keep_alive(self, run: CheckIn | None) -> Receipt:
        assert run is not None
        timeout = None if self.paused else self.timing.timeout(self.time)
        if timeout is not None:
            timeout = min(timeout, pairing.forgotten(self.subject, run))
        kept = self._merged(run, timeout_time=timeout, deafened=False)
        self._meet_slot(kept, begins=False)
        open_runs.settle(self.subject, kept, self.at)
        self._appear(kept)
        return self._recorded(kept, created=False, finished=False)

    def _close(self, run: CheckIn | None) -> Receipt:
        assert run is not None
        good = self.sent.kind in _WELL
        closed = self._merged(
            run,
            state=CheckInState.OK if good else CheckInState.ERROR,
            end_time=self.time,
            duration_ms=self._duration(run),
            timeout_time=None,
        )
        newer = self._spoken_since(run)
        if good or not newer:
            self._meet_slot(closed, begins=False)
        open_runs.settle(self.subject, closed, self.at)
        self._judge(closed, good=good, newer=newer)
        return self._recorded(closed, created=False, finished=True)

    def _reopen(self, run: CheckIn | None) -> Receipt:
        assert run is not None
        timeout = None if self.paused else self.timing.timeout(self.time)
        alive = self._merged(run, state=CheckInState.IN_PROGRESS, timeout_time=timeout, deafened=False)
        self._meet_slot(alive, begins=False)
        open_runs.settle(self.subject, alive, self.at)
        self._appear(alive)
        return self._recorded(alive, created=False, finished=False)

    def _reorder(self, run: CheckIn | None) -> Receipt:
        assert run is not None
        started = run.start_time if run.start_time is not None else self.time
        kept = drafts.said(run)  # the end's words are the newer ones, whichever came first
        noted = self._merged(run, start_time=started, duration_ms=self._duration(run), **kept)
        if self.timing.assertions and not self.sent.check_in_id and not self.paused:
            verdicts.measure(self.subject, noted, assertions.late_start(self.timing, noted), self.at)
        return self._recorded(noted, created=False, finished=False)

    def _close_late(self, run: CheckIn | None) -> Receipt:
        assert run is not None
        noted = self._merged(run, end_time=self.time, duration_ms=self._duration(run))
        self._meet_slot(noted, begins=False)
        if noted.duration_ms is not None:
            self.track.last_duration = noted.duration_ms
        return self._recorded(noted, created=False, finished=True)

    def _end_again(self, run: CheckIn | None) -> Receipt:
        """A retry under the same id. One run is one failure, however often it is tried; a good end recovers.

        Unless a newer run has spoken since: what that said holds, and the retry is recorded only.
        """
        assert run is not None
        began = run.start_time if run.start_time is not None else run.receive_time
        limit = self.timing.timeout(began)
        if not self.settings.ok_after_error or (limit is not None and self.time > limit):
            return self._finished(run)
        good = self.sent.kind in _WELL
        ended = self._merged(
            run,
            state=CheckInState.OK if good else CheckInState.ERROR,
            end_time=self.time,
            duration_ms=self._duration(msgspec.structs.replace(run, duration_ms=None)),
        )
        self._meet_slot(ended, begins=False)
        if good:
            self._judge(ended, good=True, newer=self._overruled(run), again=True)
        elif ended.duration_ms is not None:
            self.track.last_duration = ended.duration_ms
        return self._recorded(ended, created=False, finished=True)

    def _finished(self, run: CheckIn | None) -> Receipt:
        assert run is not None
        raise Refused(
            RefusalReason.CHECKIN_FINISHED,
            f"check-in {run.id} has ended already: {run.state.value}, reported {self.sent.kind.value}",
            {"guid": run.id, "state": run.state.value},
        )

    def _note(self, _run: CheckIn | None) -> Receipt:
        note = self._new(CheckInState.NOTE)
        if self.timing.assertions and self.sent.metrics and self.sent.pair and not self.sent.check_in_id:
            self._add_to_run()
        return self._recorded(note, created=True, finished=False)

    # -- parts

    def _add_to_run(self) -> None:
        """What a note measures counts for the open run that it is about."""
        run = self.state.runs.newest(self.slot, self.sent.series, self.sent.host)
        if run is not None:
            known = msgspec.structs.replace(run, metrics=drafts.joined(run.metrics, self.sent))
            self.state.record(known)
            open_runs.settle(self.subject, known, self.at)

    def _appear(self, run: CheckIn) -> None:
        """The run lives: that may be all that was missing."""
        if self.on_schedule is not None and not self.paused:
            held = assertions.judged(self.timing, self.sent, run)
            verdicts.appear(self.subject, run, self.at, on_schedule=self.on_schedule, held=held)

    def _new(self, outcome: CheckInState, **fields: Any) -> CheckIn:
        return drafts.new(self.subject, self.sent, self.at, outcome, **fields)

    def _merged(self, run: CheckIn, **changes: object) -> CheckIn:
        return drafts.merged(self.sent, self.at, run, **changes)

    def _duration(self, run: CheckIn) -> int | None:
        return drafts.duration(self.sent, self.time, run)

    def _spoken_since(self, run: CheckIn) -> bool:
        """Whether a run that began later has ended already: this one must not overrule it.

        Where causes are apart, runs overlap as they please, and what counts is when reports happened. Clocks of several
        hosts differ, and a reset is somebody's word.
        """
        began = run.start_time if run.start_time is not None else self.time
        if self.track.last_start == NEVER or began >= self.track.last_start:
            return False
        if not self.timing.policy.separate_causes:
            return True
        return self.sent.kind is not ReportKind.RESET and self.time < self.track.last_check_in - _SKEW

    def _overruled(self, run: CheckIn) -> bool:
        """The same for a run that has ended before: a newer one may also have timed out since."""
        if self.track.verdict == Verdict.TIMED_OUT:
            return True
        ended = run.end_time if run.end_time is not None else run.receive_time
        began = run.start_time if run.start_time is not None else min(ended, run.receive_time)
        return self.track.last_start != NEVER and began < self.track.last_start

    def _meet_slot(self, run: CheckIn, *, begins: bool) -> CheckIn:
        run, self.on_schedule = slots.meet(self.subject, self.sent, run, self.time, begins=begins, paused=self.paused)
        return run

    def _judge(self, run: CheckIn, *, good: bool, newer: bool, again: bool = False) -> None:
        track = self.track
        if good:
            track.ok_count += 1
            track.last_success = max(self.time, track.last_success if track.last_success != NEVER else self.time)
        else:
            track.error_count += 1
        if run.duration_ms is not None:
            track.last_duration = run.duration_ms
        began = run.start_time if run.start_time is not None else self.time
        backdated = self.sent.time is not None
        if not newer and not again:
            track.last_start = began if track.last_start == NEVER else max(began, track.last_start)
        if self.paused or (newer and (backdated or again or not good)):
            return
        held, on_schedule = assertions.judged(self.timing, self.sent, run), bool(self.on_schedule)
        if good:
            reset = self.sent.kind is ReportKind.RESET
            verdicts.succeed(self.subject, run, self.at, reset=reset, on_schedule=on_schedule, held=held)
        else:
            verdicts.fail(self.subject, run, Verdict.ERROR, self.at, on_schedule=on_schedule, held=held)

    def _recorded(self, run: CheckIn, *, created: bool, finished: bool) -> Receipt:
        replaces = created and run.number != self.state.sequences.get("check_in")
        self.state.record(run, new=created and not replaces)
        if replaces:
            self.state.delta.renamed_check_ins.add(run.number)
        self.state.delta.facts.append(CheckInRecorded(run, self.sent.kind, finished))
        events.note(self.subject, run, self.sent.kind, self.at, created=created, finished=finished)
        return Receipt(check_in=self._named(run), created=created)

    def _named(self, run: CheckIn) -> CheckIn:
        """Rows that were made from silence have no monitor id; the report names it."""
        return run if run.monitor_id else msgspec.structs.replace(run, monitor_id=self.sent.monitor_id)
