"""The embedded engine: one process, one writer, a signed and hash-linked block log over SQLite.

Threads that submit at the same time share a block and its one durable write (group commit): whoever gets the lock first takes all that
waits. What needs no block, because it was refused at the door or answered before, is answered on the way. The read models follow after the answers: before anything is read from them, when too much is waiting, and at the end; what a crash
left out they catch up at the next start.
"""

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

from shudian.faults import system_words
from shudian.kernel.codec import decode, encode
from shudian.kernel.crypto import SigningKey
from shudian.kernel.envelope import Envelope, EpochKey
from shudian.kernel.epochs import EPOCHS, FIRST_EPOCH, NodeSecrets
from shudian.kernel.machine import WALL, Applied, Machine
from shudian.kernel.messages import Message
from shudian.kernel.opened import Arrival, Opened
from shudian.kernel.outcomes import Outcome, Refused
from shudian.kernel.repeats import answer_key
from shudian.market import MARKET, OVERSIGHT, VIEWS, member_of_key
from shudian.node.batches import Batch, Begun, Made, Submission, Written
from shudian.node.blocks import (
    Block,
    decode_events,
    decode_outcomes,
    encode_outcomes,
    encode_told,
    header_after,
    precommit_bytes,
    results,
    results_hash,
)
from shudian.node.errors import NodeError, NodeStoppedError
from shudian.node.folder import READING_FILE, refuse_lost_blocks, take_folder
from shudian.node.front import Front, opened_ahead
from shudian.node.garbage import SET_ASIDE_MIN_COUNT, no_collection, set_aside, take_back
from shudian.node.genesis import Genesis
from shudian.node.loading import load
from shudian.node.sqlite_faults import sqlite_fault
from shudian.node.store import LedgerStore
from shudian.node.verifiers import choose
from shudian.reading.projector import Projector, Said
from shudian.reading.reader import Viewer

CLOCK_BEHIND_MAX_MS = 60_000
"""How far this machine's clock may stand before the last block's time; steps of a time service are far smaller."""

UNFOLLOWED_MAX_COUNT = 1 << 17
"""Envelopes and events that may wait for the read models: what a reader waits for at most, a few seconds, and the memory they take."""

_STOPPED = ("节点因故障已停止", "the node has stopped after a fault")
_DAMAGED_READERS = (
    f"查询库 {READING_FILE} 无法使用，请删除它，下次启动时会重建",
    f"the read models in {READING_FILE} cannot be used; delete the file, the next start builds it anew",
)

_log = logging.getLogger("shudian.node")

T = TypeVar("T")
ConnectReaders = Callable[[str], Any]
"""Opens the file of a path as ``sqlite3.connect`` does."""


def wall_ms() -> int:
    """Wall time, milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def _stop(zh: str = "", en: str = "") -> NodeStoppedError:
    return NodeStoppedError(
        f"{_STOPPED[0]}：{zh}" if zh else _STOPPED[0], f"{_STOPPED[1]}: {en}" if en else _STOPPED[1]
    )


def _said(act: Envelope | Opened[Message], messages: Sequence[Message], outcomes: tuple[Outcome, ...]) -> Said:
    return Said(*answer_key(act), tuple(type(message).__name__ for message in messages), outcomes)


class EmbeddedNode:
    """A whole chain in one folder. Open it with :meth:`open`, make it with :meth:`create`."""

    def __init__(
        self,
        folder: Path,
        node_key: SigningKey,
        *,
        genesis: Genesis | None = None,
        now_ms: Callable[[], int] = wall_ms,
        front: bool = False,
        connect_readers: ConnectReaders | None = None,
        disk: Executor | None = None,
    ) -> None:
        """Open the folder (or make the chain of ``genesis`` in it), load the state and bring the read models up to date.

        front: whether a process beside this one opens envelopes (see ``node/front.py``); pays for many of them on two cores.
        connect_readers: another way to open the read models' file than Python's own module; disk: what runs the end of a commit while
        the next block is applied, if not the thread that comes with a front. Both are for the simulated world.
        """
        self.folder = folder
        self._node_key = node_key
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._queue: deque[Submission] = deque()
        self._stopped: NodeStoppedError | None = None
        self._written: Written | None = None
        self._unfollowed: deque[Made] = deque()
        self._following = threading.RLock()
        self._readers_stopped: NodeStoppedError | None = None
        with ExitStack() as closing:
            closing.enter_context(take_folder(folder))
            if genesis is None:
                refuse_lost_blocks(folder)
            self._store = LedgerStore(folder, create=genesis is not None)
            closing.callback(take_back)
            closing.callback(self._store.close)
            if genesis is None:
                self._load()
            else:
                self._begin(genesis)
            self.verifier = choose()
            self.machine.door.back_end = self.verifier.back_end
            self.front: Front | None = None
            self._disk = disk
            if front:
                self._disk = disk or ThreadPoolExecutor(1, "disk")
                closing.callback(self._disk.shutdown)
                self.front = Front(self.machine, self.verifier.name)
                closing.callback(self.front.close)
            try:
                self._projector = Projector(folder / READING_FILE, VIEWS, OVERSIGHT, connect_readers)
                closing.callback(self._projector.close)
                self._refuse_lost_readers()
                self._drop_readers_of_another()
                for block in self._store.blocks(self._projector.height + 1):
                    self._project(block, self._said(block))
            except sqlite3.Error as error:
                raise sqlite_fault(*_DAMAGED_READERS, error) from None
            self._closing = closing.pop_all()

    def _refuse_lost_readers(self) -> None:
        """Read models grow out of blocks; those before a snapshot are not here to grow them anew."""
        first = self._store.first_height()
        if first and self._projector.height < first:
            raise NodeError(
                f"账本始于区块 {first} 的快照，查询库 {READING_FILE} 无法由此前的区块重建；请放回快照中的 {READING_FILE}",
                f"this ledger starts from a snapshot at block {first}, so its read models cannot be built anew; "
                f"put {READING_FILE} of the snapshot back",
            )

    def _drop_readers_of_another(self) -> None:
        """Read models that followed another block of that height (put there by hand, or left by a ledger that was set back) tell of what never was here."""
        height = self._projector.height
        if height < 0 or self._projector.mark == self._store.block(height).signature:
            return
        if self._store.first_height():
            raise NodeError(
                f"查询库 {READING_FILE} 不属于这本账本；请放回快照中的 {READING_FILE}",
                f"the read models in {READING_FILE} are not of this ledger; put {READING_FILE} of the snapshot back",
            )
        _log.warning(
            "the read models are of another ledger, or of blocks that this one does not hold; they are built anew"
        )
        self._projector.start_anew()

    @classmethod
    def create(
        cls,
        folder: Path,
        genesis: Genesis,
        node_key: SigningKey,
        *,
        now_ms: Callable[[], int] = wall_ms,
        front: bool = False,
    ) -> Self:
        """Make a new chain in a folder without one."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NodeError(
                f"文件夹 {folder} 无法建立：{system_words(error)[0]}",
                f"folder {folder} cannot be made: {system_words(error)[1]}",
            ) from None
        return cls(folder, node_key, genesis=genesis, now_ms=now_ms, front=front)

    @classmethod
    def open(
        cls,
        folder: Path,
        node_key: SigningKey,
        *,
        now_ms: Callable[[], int] = wall_ms,
        front: bool = False,
        connect_readers: ConnectReaders | None = None,
        disk: Executor | None = None,
    ) -> Self:
        """Open the chain of a folder."""
        if not folder.is_dir():
            raise NodeError(f"没有文件夹 {folder}", f"there is no folder {folder}")
        return cls(folder, node_key, now_ms=now_ms, front=front, connect_readers=connect_readers, disk=disk)

    def _begin(self, genesis: Genesis) -> None:
        if (self.folder / READING_FILE).exists():
            raise NodeError(
                f"文件夹 {self.folder} 有另一条链的查询库",
                f"folder {self.folder} holds the read models of another chain",
            )
        self.secrets = NodeSecrets(self._node_key, genesis.chain_id)
        epoch_public_key = self.secrets.of(FIRST_EPOCH).public_key
        genesis = replace(genesis, epoch_public_key=epoch_public_key.hex())
        self.genesis = genesis
        self.machine = Machine(MARKET, genesis.chain_id, self._store.cold, self.secrets)
        applied = self.machine.genesis(genesis.clock, genesis.start_ms, genesis.sections, epoch_public_key)
        block = self._seal([], [], applied, None, self._now_ms())
        meta = {"genesis": genesis.to_bytes(), "node_public_key": self._node_key.public_key}
        self._store.commit(block, applied, meta)
        self.machine.settle()
        self._last = block

    def _load(self) -> None:
        if self._node_key.public_key != self._store.meta("node_public_key"):
            raise NodeError("节点密钥与账本不符", "the node key does not belong to this ledger")
        self.secrets = NodeSecrets(self._node_key, Genesis.from_bytes(self._store.meta("genesis")).chain_id)
        loaded = load(self._store, self.secrets)
        self.genesis, self.machine, self._last = loaded.genesis, loaded.machine, loaded.last

    @property
    def height(self) -> int:
        """Height of the last block; genesis is 0."""
        return self.machine.height

    @property
    def app_hash(self) -> bytes:
        """App hash after the last block."""
        return self._last.app_hash

    @property
    def market_ms(self) -> int:
        """Market time now."""
        return (
            max(self.machine.market_ms, self._now_ms()) if self.machine.clock_mode == WALL else self.machine.market_ms
        )

    @property
    def epoch(self) -> EpochKey:
        """The epoch to seal for now: the present one.

        The one before, which is still taken, where the present one was begun with a key that is not this node's: nothing sealed for that
        could be opened. Begin another then.
        """
        key = self.machine.epoch_key(self.machine.epoch_at(self.height + 1))
        if key.public_key != self.secrets.of(key.epoch_no).public_key and key.epoch_no > FIRST_EPOCH:
            return self.machine.epoch_key(key.epoch_no - 1)
        return key

    @property
    def next_epoch(self) -> EpochKey:
        """The epoch that this node can open next, to be begun by the exchange's operator."""
        epoch_no = EPOCHS.count(self.machine.store) + 1
        return EpochKey(epoch_no, self.secrets.of(epoch_no).public_key)

    def submit(self, envelopes: list[bytes]) -> list[tuple[Outcome, ...]]:
        """Bring envelopes in; returns the outcomes of each when they are durable.

        Envelopes given together stand in one block as long as they fit. What fails at the door, and repeats of what was
        answered before, make no block.

        Raises:
            NodeStoppedError: the store failed or a promise of our own broke. Whether the block is there shows when the folder is opened
                again; send the same envelopes, a repeat gets its first outcome.
            NodeError: this machine's clock has gone back; nothing is taken in until it is right again.
        """
        return self.finish(self.begin(envelopes))

    def begin(self, envelopes: list[bytes]) -> Begun:
        """Bring envelopes to the door, for a :meth:`finish` later on; if there is a front, it opens them meanwhile."""
        if self.front is None:
            return Begun(envelopes, partial(self.machine.door.open_all, envelopes))
        return Begun(envelopes, self.front.begin(envelopes).result)

    def finish(self, begun: Begun) -> list[tuple[Outcome, ...]]:
        """What :meth:`submit` gives, and raises, for envelopes that were begun; once each, in the order in which they were begun."""
        arrivals = self._opened(begun)
        self._refuse_going_back()
        return self._answers(self._bring(begun.envelopes, arrivals))

    def _opened(self, begun: Begun) -> list[Arrival]:
        return begun.opened()

    def submit_all(self, parts: Iterable[list[bytes]]) -> Iterator[list[tuple[Outcome, ...]]]:
        """:meth:`submit` of one part after another.

        If there is a front, it opens the next parts and the disk keeps the part before while one is applied: answers come in order, each
        when its part is durable, but not before the next part was given, if there is one.
        """
        waiting: deque[Submission] = deque()
        try:
            for envelopes, arrivals in self._through_door(parts):
                self._refuse_going_back()
                waiting.append(self._bring(envelopes, arrivals))
                if self._disk is None or len(waiting) > 1:
                    yield self._answers(waiting.popleft())
        except Exception:
            while waiting:  # what is durable is answered all the same
                yield self._answers(waiting.popleft())
            raise
        while waiting:
            yield self._answers(waiting.popleft())

    def _through_door(self, parts: Iterable[list[bytes]]) -> Iterator[tuple[list[bytes], list[Arrival]]]:
        if self.front is None:
            for envelopes in parts:
                yield envelopes, self.machine.door.open_all(envelopes)
        else:
            for envelopes, opening in opened_ahead(parts, self.front):
                yield envelopes, opening.result()

    def _refuse_going_back(self) -> None:
        behind_ms = self._behind_ms()
        if behind_ms > CLOCK_BEHIND_MAX_MS:
            raise NodeError(
                f"本机时钟比最后区块早 {behind_ms // 1000} 秒，未接收任何消息；请校准时钟",
                f"this machine's clock is {behind_ms // 1000} s behind the last block, nothing was taken in; set it right",
            )

    def _bring(self, envelopes: list[bytes], arrivals: list[Arrival]) -> Submission:
        """What came through the door, on its way to its answers."""
        submission = Submission(envelopes, arrivals)
        self._queue.append(submission)
        with self._lock:
            if not submission.is_answered:
                self._drain()
        return submission

    def _answers(self, submission: Submission) -> list[tuple[Outcome, ...]]:
        """The outcomes of a submission, when they are durable."""
        with self._lock:
            if not submission.is_answered:
                self._wait_durable()
        if not submission.is_answered:
            raise self._stopped or _stop()
        return submission.answers

    def tick(self) -> None:
        """Make an empty block so that hooks whose time has come run, which only a wall clock needs, one that has not gone back; the read models follow."""
        with self._lock:
            if self.machine.clock_mode == WALL and self._behind_ms() <= CLOCK_BEHIND_MAX_MS:
                self._make_empty_block()
        self.follow()

    def block_after(self, height: int) -> Block:
        """The block after a height, which carries what the block of that height led to; an empty one is made where none is yet."""
        with self._lock:
            self._wait_durable()
            if height == self.height:
                self._make_empty_block()
            return self._store.block(height + 1)

    def carried(self, read: Callable[[], T]) -> tuple[T, Block]:
        """What ``read`` finds in the present state while nothing moves, and a block whose header carries that state's app hash.

        That is the last block if it changed no row, otherwise an empty one made for the purpose.
        """
        with self._lock:
            self._wait_durable()
            found = read()
            if self._last.header.app_hash != self._last.app_hash:
                self._make_empty_block()
            return found, self._last

    def block(self, height: int) -> Block:
        """A block of the log."""
        with self._lock:
            self._wait_durable()
        return self._store.block(height)

    @property
    def public_key(self) -> bytes:
        """The key that signs this chain's blocks."""
        return self._node_key.public_key

    def _behind_ms(self) -> int:
        """How far a wall clock stands before the last block's time; stepped market time has nothing to do with it."""
        return self._last.header.time_ms - self._now_ms() if self.machine.clock_mode == WALL else 0

    def _drain(self) -> None:
        while self._queue:
            batch = self._next_batch()
            if batch.acts:
                self._make_block(batch)
            else:
                self._wait_durable()  # a repeat is not answered before the first
                batch.answer([])

    def _next_batch(self) -> Batch:
        """What waits, as much as a block takes; what needs none, because it was refused or answered before, gets its answer here."""
        batch, now_ms = Batch(), self.market_ms
        while self._queue and batch.fill(self._queue[0], self.machine, now_ms):
            batch.complete.append(self._queue.popleft())
        return batch

    def _make_empty_block(self) -> None:
        self._make_block(Batch())
        self._wait_durable()

    def _make_block(self, batch: Batch) -> None:
        """Apply and write a block, while the one before becomes durable; only then is this one written."""
        if self._stopped is not None:
            self._queue.clear()
            raise self._stopped
        time_ms = max(self._now_ms(), self._last.header.time_ms)
        with self._stopping(), no_collection():
            applied = self._apply(time_ms, batch.acts)
            digests = [act.data_digest for act in batch.acts]
            block = self._seal(batch.envelopes, digests, applied, self._last, time_ms)
            self._wait_durable()
            done = self._commit(block, applied)
            if len(applied.changes) >= SET_ASIDE_MIN_COUNT:
                set_aside()
        self.machine.settle()
        self._written = Written(batch, applied, block, self._last, done)
        self._last = block
        if done is None:
            self._wait_durable()

    def _wait_durable(self) -> None:
        """If a block is written, wait until it is durable, then give out its answers. For the holder of the lock."""
        written, self._written = self._written, None
        if written is None:
            return
        if written.done is not None:
            with self._stopping():
                written.done.result()
        batch, applied, block = written.batch, written.applied, written.block
        height = block.header.height
        batch.answer(applied.outcomes)
        for fault in applied.faults:
            _log.error("block %s: internal fault, message refused: %s", height, fault)
        count = len(batch.acts) + sum(map(len, applied.told))
        self._unfollowed.append(
            Made(height, block.signature, self._messages_ms(block, written.before), batch.acts, applied, count)
        )
        while sum(made.count for made in self._unfollowed) > UNFOLLOWED_MAX_COUNT:
            self.follow_next()

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """Whatever fails within stops the node."""
        try:
            yield
        except NodeStoppedError:
            raise
        except NodeError as error:
            self._stopped = _stop(error.zh, error.en)
            raise self._stopped from None
        except OSError as error:
            self._stopped = _stop(str(error), str(error))
            raise self._stopped from None
        except BaseException:
            self._stopped = _stop()
            raise

    @property
    def projector(self) -> Projector:
        """The read models, brought to the last block.

        Raises:
            NodeStoppedError: they could not follow; what they show is older than what was answered, so they show nothing.
        """
        self.follow()
        if self._readers_stopped is not None:
            raise self._readers_stopped
        return self._projector

    def follow(self) -> None:
        """Bring the read models to the last block. Blocks are durable and answered, so a failure stops the node but unsays nothing."""
        with self._following:
            while self.follow_next():
                pass

    def follow_next(self) -> bool:
        """Bring the read models one block nearer, for who has little time; False if they are at the last one. Fails as :meth:`follow`."""
        with self._following:
            if not self._unfollowed:
                return False
            made = self._unfollowed[0]
            try:
                with no_collection():
                    self._follow(made)
            except sqlite3.Error as error:
                self._unfollowed.clear()  # the next start catches up
                self._stopped = _stop(
                    f"查询库跟不上区块（{error}）", f"its read models cannot follow the blocks ({error})"
                )
                self._readers_stopped = self._stopped
                _log.error("block %s is durable, yet %s", made.height, self._stopped)
                return False
            except BaseException:
                self._unfollowed.clear()
                self._stopped = self._readers_stopped = _stop()
                raise
            self._unfollowed.popleft()
            return True

    def _follow(self, made: Made) -> None:
        said = [
            _said(act, act.messages, outcomes)
            for act, outcomes in zip(made.acts, made.applied.outcomes, strict=True)
            if self.machine.uses_id(outcomes)
        ]
        self._projector.project(
            made.height,
            made.messages_ms,
            said,
            made.applied.events,
            hooks_ms=made.applied.market_ms,
            mark=made.mark,
        )

    def _apply(self, time_ms: int, acts: list[Opened[Message]]) -> Applied:
        return self.machine.apply(time_ms, acts)

    def _commit(self, block: Block, applied: Applied) -> Future[None] | None:
        """Write a block; the end of it is left to another thread if there is one."""
        if self._disk is None:
            self._store.commit(block, applied)
            return None
        self._store.write(block, applied)
        return self._disk.submit(self._store.finish)

    def _seal(
        self, envelopes: list[bytes], digests: list[bytes], applied: Applied, before: Block | None, time_ms: int
    ) -> Block:
        header = header_after(before, self.genesis, self._node_key.public_key, time_ms, digests)
        told = encode_told(applied.told)
        found = results(header.height, applied.state_key, digests, applied.outcomes, told)
        return Block(
            header,
            self._node_key.sign(precommit_bytes(header)),
            tuple(envelopes),
            encode_outcomes(applied.outcomes),
            encode(told),
            applied.market_ms,
            applied.app_hash,
            results_hash(found),
            applied.clock_path,
        )

    def _said(self, block: Block) -> list[Said]:
        said = []
        for data, outcomes in zip(block.envelopes, decode_outcomes(block.outcomes), strict=True):
            if not self.machine.uses_id(outcomes):
                continue
            (arrival,) = self.machine.door.open_all([data], verify_signatures=False)
            messages = () if isinstance(arrival, Refused) else arrival.messages
            said.append(_said(decode(data, Envelope), messages, outcomes))
        return said

    def _project(self, block: Block, said: list[Said]) -> None:
        events = decode_events(block.events, self.machine.event_type)
        before = self._store.block(block.header.height - 1) if block.header.height else None
        self._projector.project(
            block.header.height,
            self._messages_ms(block, before),
            said,
            events,
            hooks_ms=block.market_ms,
            mark=block.signature,
        )

    def _messages_ms(self, block: Block, before: Block | None) -> int:
        """Market time of a block's messages; a stepped clock moves after them, before the hooks."""
        if before is None or self.machine.clock_mode == WALL:
            return block.market_ms
        return before.market_ms

    def query(self, viewer: Viewer, name: str, /, **filters: Any) -> Any:
        """Run a query ``contract.function`` of the views on behalf of a viewer."""
        contract, _, function = name.partition(".")
        for view in VIEWS:
            for query in view.queries:
                if (view.name, query.__name__) == (contract, function):
                    try:
                        return query(self.projector.reader, viewer, **filters)
                    except sqlite3.DatabaseError as error:
                        raise sqlite_fault(*_DAMAGED_READERS, error) from None
        raise NodeError(f"没有查询 {name}", f"there is no query {name}")

    def member_of_key(self, public_key: bytes) -> int | None:
        """The member whose person signs with a key; None if the key is not registered."""
        return member_of_key(self.machine.store, public_key)

    def close(self) -> None:
        """Bring the read models to the last block, close the files and give the folder back."""
        try:
            with self._lock, suppress(NodeStoppedError):  # nobody waits for its answers any more
                self._wait_durable()
            self.follow()
        finally:
            self._closing.close()
