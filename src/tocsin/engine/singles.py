"""Reports that came one by one, several at a time: what is plain of them takes the way of batches.

A report may bring what columns do not hold: an id that its client chose, a message, metrics. Then a kernel moves its
track, and the check-in is an object all the same. What must be known before a row is stepped is looked at here: that
the id is a new one, and that the configuration that came along is the one applied last.
"""

from array import array
from collections.abc import Sequence

from tocsin._core.apply import spare
from tocsin._core.batch import KINDS, Batch
from tocsin._core.recorded import Recorded
from tocsin.domain import ids
from tocsin.domain.check_in import MAX_DURATION, CheckIn, Report, ReportKind
from tocsin.domain.check_in import State as CheckInState
from tocsin.domain.commands import Entry, ReportCheckIn
from tocsin.domain.facts import CheckInRecorded
from tocsin.domain.receipt import Receipt
from tocsin.engine import plain, puts, reports
from tocsin.engine.delta import Columns
from tocsin.engine.state import NOWHERE, State

_OK = KINDS.index("OK")


class Singles:
    """Entries from `first` on that may be stepped together: of one project and one client, and plain as it seems."""

    def __init__(self, state: State, entries: Sequence[Entry], first: int) -> None:
        self.state = state
        self.sent: list[Report] = []
        self._batch = Batch()
        self._times = array("q")
        self._named: set[str] = set()
        for entry in entries[first:] if first else entries:
            command = entry.command
            if type(command) is not ReportCheckIn or not self._takes(command.report):
                break
            sent = command.report
            self.sent.append(sent)
            self._times.append(max(entry.at, state.clock))
            self._batch.append(
                sent.monitor_id,
                _OK,
                sent.environment,
                -1 if sent.duration_ms is None else sent.duration_ms,
                sent.check_in_id is not None or not sent.pair,
            )

    def _takes(self, sent: Report) -> bool:
        """Whether the rules would do with it what they do with a row of a batch, as far as it can be seen from here."""
        if sent.kind is not ReportKind.OK or sent.time is not None or sent.upsert_error or sent.by_kind:
            return False
        if self.sent:
            head = self.sent[0]
            if sent.project != head.project or sent.client != head.client or sent.dialect != head.dialect:
                return False
        if sent.duration_ms is not None and not 0 <= sent.duration_ms <= MAX_DURATION:
            return False
        if sent.upsert is not None and not self._applied(sent):
            return False
        identifier = sent.check_in_id
        if identifier is not None:
            if not identifier or identifier in self._named or ids.number_of(identifier) is not None:
                return False
            if self.state.find_check_in(sent.project, identifier) is not None:
                return False
            self._named.add(identifier)
        return True

    def _applied(self, sent: Report) -> bool:
        """Whether the configuration that came along is that which the monitor has applied last."""
        slot = self.state.find_monitor(sent.project, sent.monitor_id)
        assert sent.upsert is not None
        if slot == NOWHERE:
            return False
        return sent.upsert_new_only or self.state.monitors.get(slot, "digest") == puts.digest_of(sent.upsert)

    def step(self) -> list[Receipt]:
        state, head = self.state, self.sent[0]
        columns = Columns(Recorded(), head.project, head.dialect, head.client)
        place = len(state.delta.columns)
        state.delta.columns.append(columns)
        receipts: list[Receipt] = []
        row, last, done = 0, len(self.sent), 0
        while row < last:
            row = plain.step_plain(state, columns, self._batch, row, 0, self._times)
            receipts += [self._receipt(columns, index) for index in range(done, len(columns.recorded))]
            done = len(columns.recorded)
            if row < last:
                receipts.append(reports.report(state, self.sent[row], self._times[row]))
                row += 1
        kept = columns.recorded
        if said := {row for row, sent in enumerate(self.sent) if says_more(sent)}:
            kept = spare(kept, said)
        state.delta.columns[place : place + 1] = [columns._replace(recorded=kept)] if len(kept) else []
        return receipts

    def _receipt(self, columns: Columns, index: int) -> Receipt:
        number, monitor, track, _, at, _, _, _, expected, policy, environment, _, row = columns.recorded.row(index)
        assert row is not None
        sent = self.sent[row]
        made = CheckIn(
            number=number,
            id=sent.check_in_id or ids.public_id(number),
            project=sent.project,
            monitor=monitor,
            monitor_id=sent.monitor_id,
            track=track,
            environment=self.state.environments[environment],
            state=CheckInState.OK,
            receive_time=at,
            update_time=at,
            end_time=at,
            duration_ms=sent.duration_ms,
            expected_time=expected,
            policy=policy,
            client_chosen=sent.check_in_id is not None,
            exit_code=sent.exit_code,
            message=sent.message,
            release=sent.release,
            host=sent.host,
            trace_id=sent.trace_id,
            metrics=sent.metrics,
            series=sent.series,
            dialect=sent.dialect,
            client=sent.client,
            event=sent.event,
            address=sent.address,
        )
        if says_more(sent):
            self.state.record(made, new=True)
            self.state.delta.facts.append(CheckInRecorded(made, ReportKind.OK, True))
        return Receipt(check_in=made, created=True)


def says_more(sent: Report) -> bool:
    """Whether its check-in has what columns do not hold."""
    return bool(
        sent.check_in_id
        or sent.message
        or sent.metrics
        or sent.host
        or sent.release
        or sent.trace_id
        or sent.series
        or sent.event
        or sent.address
        or sent.exit_code is not None
    )


def step_many(state: State, entries: Sequence[Entry], first: int) -> list[Receipt]:
    """The receipts of the entries from `first` on that can be stepped together; none if there is no such."""
    if state.applier is None:
        return []
    singles = Singles(state, entries, first)
    return singles.step() if singles.sent else []
