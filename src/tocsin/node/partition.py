"""The loop that owns a partition: take entries in order, step the engine, commit, answer. One transaction a batch.

The only awaits between accept and commit are the take, the recall and the commit; stepping is plain calls on this
thread. While the store cannot commit, the engine stands still with its clock and the journal fills up to its limit;
what is refused meanwhile is deaf time. When an entry breaks the engine, the engine is thrown away and loaded again; an
entry that breaks it twice is recorded as a refusal and stepped over: one poisoned report must not stop the line.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import structlog

from tocsin.domain.commands import Deaf, Entry, RecordRefusals
from tocsin.domain.errors import Unavailable
from tocsin.domain.instant import Clock, Instant
from tocsin.engine.delta import Delta
from tocsin.engine.engine import Engine, Unjudgeable
from tocsin.engine.rezoning import NewRules
from tocsin.journal.local import LocalJournal, Waiting
from tocsin.node import batches
from tocsin.node.flushing import Flushing
from tocsin.node.gaps import OVERLOAD, Gaps
from tocsin.node.pace import Pace
from tocsin.store.port import Fenced, Store, StoreTrouble

T = TypeVar("T")

FIRST_SLICE: Final = 1_000  # tracks judged at once, until it is known how long that takes
BATCH: Final = 1_000  # entries a transaction
SLICE: Final = 5_000  # tracks moved between two commits, so that check-ins are answered in between
_IDLE_S: Final = 0.005  # without an entry: then there is time to write tracks that only moved
_LAST: Final = 10_000  # tracks a commit at the end
_LAST_S: Final = 5.0  # for these; what is not written is made again from its check-ins
ALIVE_EVERY_MS: Final = 1_000  # how old the durable stamp of life may grow on an idle server
_BACKOFF_S: Final = (0.05, 0.1, 0.2, 0.5, 1.0)
_BROKEN_PAUSE_S: Final = 1.0  # between loads when silence itself breaks the engine, so that the line goes on meanwhile

_log = structlog.get_logger("tocsin.partition")


class _Broken(Exception):
    """Stepping, judging or writing failed half-way: the engine's state cannot be trusted any more."""


class Partition:
    def __init__(
        self,
        new_engine: Callable[[], Engine],
        journal: LocalJournal,
        store: Store,
        clock: Clock,
        observe: Callable[[Delta], None],
        observe_commit: Callable[[float, bool], None],
        monotonic: Callable[[], float],
        beat: Callable[[], None] = lambda: None,
        flushing: Flushing | None = None,
    ) -> None:
        """`observe` sees each delta once it is durable; `observe_commit(seconds, well)` each try to write one.

        `beat()` is called before the clock is read for judging and tells `deaf` of a gap: whoever wakes first after a
        stall, silence in it is not judged.
        """
        self._new_engine = new_engine
        self._engine = new_engine()
        self._journal = journal
        self._store = store
        self._clock = clock
        self._observe = observe
        self._observe_commit = observe_commit
        self._monotonic = monotonic
        self._beat = beat
        self._flushing = flushing or Flushing()
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tocsin-writer")
        self._pace = Pace(FIRST_SLICE)
        self._position = 0
        self._alive_at: Instant = 0
        self._deaf = Gaps()
        self._new_rules: tuple[NewRules, Callable[[int], None], Callable[[Exception], None]] | None = None
        self._moving: Iterator[int] | None = None  # tracks that new time zone rules move, slice by slice
        self._unjudgeable: set[int] = set()  # numbers of tracks that broke an engine by being judged
        self._stopping = False
        self._more_due = False

    @property
    def engine(self) -> Engine:
        return self._engine

    async def start(self, listening_since: Instant) -> None:
        """Loads the store and passes over the time from its last stamp of life until we listened again."""
        await self._load()
        alive_at = self._engine.clock
        if 0 < alive_at < listening_since:
            await self._pass_over(Deaf(alive_at, listening_since, "restart"))
        while True:
            try:
                self._more_due = self._engine.tick(listening_since, limit=SLICE)
                break
            except Unjudgeable as error:
                _log.exception("the engine broke; it is loaded again")
                self._note(error)
                await self._load()
        await self._commit(self._engine.take())
        await self._alive(force=True)

    def deaf(self, since: Instant, until: Instant, reason: str) -> None:
        """Nobody could listen: to be passed over before anything later is judged."""
        self._deaf.add(since, until, reason)
        self._journal.wake()

    def rezone(self, rules: NewRules, adopted: Callable[[int], None], failed: Callable[[Exception], None]) -> None:
        """A new time zone database, compiled: in force from the next turn on. `adopted(tracks moved)` is told then.

        It is told as soon as an engine that is loaded again must use the new rules too. `failed(error)` is told instead
        when they cannot be used: the old ones hold.
        """
        self._new_rules = (rules, adopted, failed)
        self._journal.wake()

    async def run(self) -> None:
        """Until `stop`: the queue is drained and committed before this returns, and tracks are written."""
        while len(self._journal) or not self._stopping:
            await self._turn()
        end = self._monotonic() + _LAST_S
        while self._engine.projection.unsaved and self._monotonic() < end:
            await self._commit(self._engine.take(_LAST))
        await self._alive(force=True)

    def stop(self) -> None:
        self._stopping = True
        self._journal.close()

    def close(self) -> None:
        self._journal.close()
        self._journal.abandon()
        self._writer.shutdown(wait=True)

    async def _turn(self) -> None:
        wait = 0 if self._more_due or self._deaf or self._new_rules or self._stopping else self._pause()
        batch = await self._journal.take(limit=BATCH, wait=wait)
        self._beat()
        if refused := self._journal.take_refused():
            self._deaf.add(*refused, OVERLOAD)
        horizon = self._journal.horizon()
        while self._deaf:
            since = self._deaf.first
            if early := [waiting for waiting in batch if waiting.entry.at < since]:
                # What came before the gap is stepped before it; what came after would judge the silence in it.
                self._journal.put_back([waiting for waiting in batch if waiting.entry.at >= since])
                batch, horizon = early, min(horizon, since)
                break
            await self._pass_over(self._deaf.pop())
        if (alone := batches.up_to_windows(batch)) < len(batch):
            self._journal.put_back(batch[alone:])
            batch, horizon = batch[:alone], min(horizon, self._journal.horizon())
        if self._new_rules and self._moving is None and not self._more_due:
            # Within a burst some tracks have been judged past the clock: they would be given slots that were judged.
            rules, self._new_rules = self._new_rules, None
            await self._adopt(*rules)
        try:
            await self._apply(batch, horizon)
        except _Broken:
            await self._apply_singly(batch)
            if not batch:
                await asyncio.sleep(_BROKEN_PAUSE_S)
        await self._alive()

    def _pause(self) -> float:
        """Seconds until something may be due, just past the next deadline, or until there is time to write tracks."""
        longest = _IDLE_S if self._engine.projection.unsaved else 1.0
        due = self._engine.next_deadline()
        if due is None:
            return longest
        return min(max((due + 2 - self._clock.now()) / 1000, _IDLE_S), longest)

    async def _apply(self, batch: Sequence[Waiting], horizon: Instant) -> None:
        """Recall, step, judge, commit, answer."""
        try:
            if batch:
                for _ in self._engine.make_way(batch[0].entry, slice_size=SLICE):
                    await self._commit(self._engine.take())
                    await asyncio.sleep(0)
                needs = self._engine.needs([waiting.entry.command for waiting in batch])
                if needs:
                    self._engine.recall(await self._patiently(lambda: self._store.recall(needs)))
            receipts = self._engine.step_many([waiting.entry for waiting in batch])
            began = self._monotonic()
            self._judge_or_move(horizon)
            behind, idle = self._engine.projection.behind, not batch and not self._more_due
            await self._commit(self._engine.take(self._flushing.room(behind, idle=idle)))
            if self._more_due:
                self._pace.took(self._monotonic() - began)
        except Fenced:
            raise  # another process owns the partition now: to go on would be to fight it
        except Exception as error:
            _log.exception("the engine broke; it is loaded again")
            self._note(error)
            raise _Broken from error
        for waiting, receipt in zip(batch, receipts, strict=True):
            waiting.resolve(receipt)

    async def _adopt(
        self, rules: NewRules, adopted: Callable[[int], None], failed: Callable[[Exception], None]
    ) -> None:
        """From here on slots are those of a new time zone database. Looking at all tracks takes a thread a while."""
        loop = asyncio.get_running_loop()
        try:
            plan = await loop.run_in_executor(self._writer, self._engine.plan_rezone, rules)
        except Exception as error:
            failed(error)
            return
        self._moving = self._engine.rezone(plan, slice_size=SLICE)
        adopted(len(plan.moves))

    def _judge_or_move(self, horizon: Instant) -> None:
        """Judges silence; but while new time zone rules move tracks, nothing is judged by the old slots."""
        if self._moving is not None and next(self._moving, None) is not None:
            self._more_due = True
            return
        self._moving = None
        self._more_due = self._engine.tick(horizon, limit=self._pace.size)

    async def _apply_singly(self, batch: Sequence[Waiting]) -> None:
        """After a break: each entry on its own, and the poisoned one set aside."""
        await self._load()
        for waiting in batch:
            if parts := batches.taken_apart(waiting):
                await self._apply_singly(parts)
                continue
            try:
                await self._apply([waiting], self._engine.clock)
            except _Broken:
                await self._load()
                self._engine.step(Entry(waiting.entry.at, RecordRefusals((batches.set_aside(waiting.entry),))))
                await self._commit(self._engine.take())
                waiting.fail(Unavailable("this request broke the server; it was set aside", reason="INTERNAL"))

    async def _load(self) -> None:
        self._moving = None  # what was not moved yet is, as it is loaded
        self._engine = await self._patiently(self._loaded)
        self._engine.leave_out(self._unjudgeable)
        self._position = self._store.position()
        self._alive_at = self._engine.clock

    def _loaded(self) -> Engine:
        """A new engine for each try: trouble may come when half of the rows have been read."""
        engine = self._new_engine()
        for zone, monitors in engine.load(self._store.load()).items():
            _log.error(
                "a time zone cannot be read; its monitors are not judged until it can", zone=zone, monitors=monitors
            )
        return engine

    async def _pass_over(self, gap: Deaf) -> None:
        if gap.until < self._engine.clock:
            return  # a longer gap that overlaps this one was passed over already
        _log.warning("could not listen", reason=gap.reason, seconds=round((gap.until - gap.since) / 1000, 1))
        try:
            for _ in self._engine.resume(gap.since, gap.until, gap.reason):
                await self._commit(self._engine.take())
            await self._commit(self._engine.take())
        except Unjudgeable as error:
            _log.exception("the engine broke over deaf time; it is loaded again")
            self._note(error)
            await self._load()
            await self._pass_over(gap)  # without that track, so this ends

    def _note(self, error: Exception) -> None:
        """One track that cannot be judged must not stop the judging of all others."""
        if isinstance(error, Unjudgeable) and error.track not in self._unjudgeable:
            self._unjudgeable.add(error.track)
            _log.error("a track cannot be judged and is left out until the next start", track=error.track)

    async def _commit(self, delta: Delta) -> None:
        """Returns when it is durable. The delta's clock is the engine's, which stands still while slices are judged."""
        if not delta:
            return
        position = self._position + 1
        await self._patiently(lambda: self._store.commit(delta, position), writes=True)
        self._position = position
        self._alive_at = delta.clock
        try:
            self._observe(delta)
        except Exception:  # it is durable: to count it wrong is bad, to step it again would be worse
            _log.exception("what was committed could not be counted")

    async def _alive(self, *, force: bool = False) -> None:
        """Moves the durable stamp of life of a server that has nothing else to write."""
        clock = self._engine.clock
        if clock - self._alive_at >= ALIVE_EVERY_MS or (force and clock > self._alive_at):
            await self._patiently(lambda: self._store.alive(clock))
            self._alive_at = clock

    async def _patiently(self, call: Callable[[], T], *, writes: bool = False) -> T:
        """Runs a blocking call on the writer thread, again and again while the store is in trouble.

        Only `writes` of a batch are observed when they go well; trouble always is.
        """
        loop = asyncio.get_running_loop()
        attempt = 0
        while True:
            started = self._monotonic()
            try:
                result = await loop.run_in_executor(self._writer, call)
            except StoreTrouble as trouble:
                self._observe_commit(self._monotonic() - started, False)
                pause = _BACKOFF_S[min(attempt, len(_BACKOFF_S) - 1)]
                _log.warning("the store cannot now; trying again", trouble=str(trouble), seconds=pause)
                attempt += 1
                await asyncio.sleep(pause)
            else:
                if writes:
                    self._observe_commit(self._monotonic() - started, True)
                return result
