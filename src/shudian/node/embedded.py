"""The embedded engine: one process, one writer, a signed and hash-linked block log over SQLite.

Threads that submit at the same time share a block and its one durable write (group commit): whoever gets the lock first takes all that
waits. The projector follows each block, and catches up at start.
"""

import fcntl
import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from shudian.kernel.codec import Malformed, decode, encode
from shudian.kernel.crypto import SigningKey
from shudian.kernel.envelope import Envelope
from shudian.kernel.machine import WALL, Applied, Machine, answer_key
from shudian.kernel.messages import Event, Message
from shudian.kernel.outcomes import Outcome, Refused, refused
from shudian.kernel.roots import merkle_root
from shudian.market import MARKET, OVERSIGHT, VIEWS, member_of_key
from shudian.node.blocks import FORMAT_VERSION, NO_HASH, Block, Header, decode_outcomes, encode_outcomes, results_hash
from shudian.node.errors import NodeError, NodeStoppedError
from shudian.node.genesis import Genesis
from shudian.node.store import LedgerStore
from shudian.reading.projector import Projector, Said
from shudian.reading.reader import Viewer

LOCK_FILE = "lock"
READING_FILE = "reading.db"
BLOCK_MAX_BYTES = 8 << 20
BLOCK_MAX_COUNT = 4_096

_STOPPED = ("节点因内部故障已停止", "the node has stopped after a fault of its own")

_log = logging.getLogger("shudian.node")


def wall_ms() -> int:
    """Wall time, milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


@dataclass
class _Waiting:
    """One envelope that waits for its block."""

    data: bytes
    kinds: tuple[str, ...]
    answer: tuple[Outcome, ...] | None = None
    key: tuple[int, bytes] = (0, b"")
    done: threading.Event = field(default_factory=threading.Event)


class EmbeddedNode:
    """A whole chain in one folder. Open it with :meth:`open`, make it with :meth:`create`."""

    def __init__(
        self, folder: Path, node_key: SigningKey, *, genesis: Genesis | None = None, now_ms: Callable[[], int] = wall_ms
    ) -> None:
        """Open the folder (or make the chain of ``genesis`` in it), load the state and bring the read models up to date."""
        self.folder = folder
        self._node_key = node_key
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._queue: list[_Waiting] = []
        self._queue_lock = threading.Lock()
        self._stopped = False
        with ExitStack() as closing:
            closing.enter_context(_take_folder(folder))
            self._store = LedgerStore(folder, create=genesis is not None)
            closing.callback(self._store.close)
            self.genesis = genesis or Genesis.from_bytes(self._store.meta("genesis"))
            self.machine = Machine(MARKET, self.genesis.chain_id, self._store.cold)
            if genesis is not None:
                self._begin(genesis)
            else:
                self._load()
            self.projector = Projector(folder / READING_FILE, VIEWS, OVERSIGHT)
            closing.callback(self.projector.close)
            for block in self._store.blocks(self.projector.height + 1):
                self._project(block, self._said(block))
            self._closing = closing.pop_all()

    @classmethod
    def create(
        cls, folder: Path, genesis: Genesis, node_key: SigningKey, *, now_ms: Callable[[], int] = wall_ms
    ) -> "EmbeddedNode":
        """Make a new chain in a folder without one."""
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder, node_key, genesis=genesis, now_ms=now_ms)

    @classmethod
    def open(cls, folder: Path, node_key: SigningKey, *, now_ms: Callable[[], int] = wall_ms) -> "EmbeddedNode":
        """Open the chain of a folder."""
        if not folder.is_dir():
            raise NodeError(f"没有文件夹 {folder}", f"there is no folder {folder}")
        return cls(folder, node_key, now_ms=now_ms)

    def _begin(self, genesis: Genesis) -> None:
        applied = self.machine.genesis(genesis.clock, genesis.start_ms, genesis.sections)
        block = self._seal([], applied, NO_HASH, (NO_HASH, NO_HASH))
        meta = {"genesis": genesis.to_bytes(), "node_public_key": self._node_key.public_key}
        self._store.commit(block, applied, meta)
        self.machine.settle()
        self._last = block

    def _load(self) -> None:
        height = self._store.height()
        self._last = self._store.block(height)
        if self._node_key.public_key != self._store.meta("node_public_key"):
            raise NodeError("节点密钥与账本不符", "the node key does not belong to this ledger")
        app_hash = self.machine.load(height, self._store.rows())
        if app_hash != self._last.app_hash:
            raise NodeError("账本状态与区块记录不符，已停止", "the stored state does not match the last block; stopped")
        self.machine.settle()

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

    def submit(self, envelopes: list[bytes]) -> list[tuple[Outcome, ...]]:
        """Bring envelopes in; returns the outcomes of each when they are durable.

        Envelopes given together stand in one block as long as they fit. What fails at the door, and repeats of what was
        answered before, make no block.
        """
        waiting = [self._at_the_door(data) for data in envelopes]
        with self._queue_lock:
            self._queue.extend(one for one in waiting if one.answer is None)
        with self._lock:
            if any(not one.done.is_set() and one.answer is None for one in waiting):
                self._drain()
        if any(one.answer is None for one in waiting):
            raise NodeStoppedError(*_STOPPED)
        return [one.answer or () for one in waiting]

    def tick(self) -> None:
        """Make an empty block so that hooks whose time has come run; only a wall clock needs it."""
        with self._lock:
            if self.machine.clock_mode == WALL:
                self._make_block([])

    def _at_the_door(self, data: bytes) -> _Waiting:
        try:
            envelope, messages = self.machine.open(data)
            with self._lock:
                answered = self.machine.first_answer(envelope, self.market_ms)
        except Refused as error:
            return _Waiting(data, (), (refused(error),))
        kinds = tuple(type(message).__name__ for message in messages)
        return _Waiting(data, kinds, None if answered is None else answered.outcomes, answer_key(envelope))

    def _drain(self) -> None:
        while True:
            with self._queue_lock:
                batch: list[_Waiting] = []
                size = 0
                while (
                    self._queue and len(batch) < BLOCK_MAX_COUNT and size + len(self._queue[0].data) <= BLOCK_MAX_BYTES
                ):
                    size += len(self._queue[0].data)
                    batch.append(self._queue.pop(0))
            if not batch:
                return
            self._make_block(batch)

    def _make_block(self, batch: list[_Waiting]) -> None:
        if self._stopped:
            raise NodeStoppedError(*_STOPPED)
        time_ms = max(self._now_ms(), self._last.header.time_ms)
        try:
            applied = self.machine.apply(time_ms, [one.data for one in batch], verify_signatures=False)
            block = self._seal(
                [one.data for one in batch],
                applied,
                self._last.header.hash(),
                (self._last.app_hash, self._last.results_hash),
                time_ms,
            )
            self._store.commit(block, applied)
        except BaseException:
            self._stopped = True
            raise
        self.machine.settle()
        before, self._last = self._last, block
        for fault in applied.faults:
            _log.error("block %s: internal fault, message refused: %s", self.height, fault)
        said = [
            Said(one.key[0], one.key[1], one.kinds, outcomes)
            for one, outcomes in zip(batch, applied.outcomes, strict=True)
            if self.machine.uses_id(outcomes)
        ]
        self.projector.project(
            self.height, self._messages_ms(block, before), said, applied.events, hooks_ms=block.market_ms
        )
        for one, outcomes in zip(batch, applied.outcomes, strict=True):
            one.answer = outcomes
            one.done.set()

    def _seal(
        self,
        envelopes: list[bytes],
        applied: Applied,
        last_hash: bytes,
        before: tuple[bytes, bytes],
        time_ms: int | None = None,
    ) -> Block:
        header = Header(
            FORMAT_VERSION,
            self.genesis.chain_id,
            self.machine.height,
            self._now_ms() if time_ms is None else time_ms,
            last_hash,
            merkle_root(envelopes),
            *before,
        )
        return Block(
            header,
            self._node_key.sign(header.hash()),
            tuple(envelopes),
            encode_outcomes(applied.outcomes),
            encode(applied.events),
            applied.market_ms,
            applied.app_hash,
            results_hash(applied.outcomes, applied.events),
        )

    def _said(self, block: Block) -> list[Said]:
        said = []
        for data, outcomes in zip(block.envelopes, decode_outcomes(block.outcomes), strict=True):
            if not self.machine.uses_id(outcomes):
                continue
            envelope = decode(data, Envelope)
            try:
                messages: list[Message] = decode(envelope.body, self.machine.message_type)
            except Malformed:
                messages = []
            sender_id, message_id = answer_key(envelope)
            said.append(Said(sender_id, message_id, tuple(type(message).__name__ for message in messages), outcomes))
        return said

    def _project(self, block: Block, said: list[Said]) -> None:
        events: list[tuple[int, Event]] = decode(block.events, list[tuple[int, self.machine.event_type]])  # type: ignore[name-defined] # a type made at run time
        before = self._store.block(block.header.height - 1) if block.header.height else None
        self.projector.project(
            block.header.height, self._messages_ms(block, before), said, events, hooks_ms=block.market_ms
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
                    return query(self.projector.reader, viewer, **filters)
        raise NodeError(f"没有查询 {name}", f"there is no query {name}")

    def member_of_key(self, public_key: bytes) -> int | None:
        """The member whose person signs with a key; None if the key is not registered."""
        return member_of_key(self.machine.store, public_key)

    def close(self) -> None:
        """Close the files and give the folder back."""
        self._closing.close()


def _take_folder(folder: Path) -> IO[str]:
    try:
        handle = (folder / LOCK_FILE).open("w")
    except OSError as error:
        raise NodeError(
            f"文件夹 {folder} 不可写：{error.strerror}", f"folder {folder} cannot be written: {error.strerror}"
        ) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise NodeError(
            f"文件夹 {folder} 正被另一个进程使用", f"folder {folder} is in use by another process"
        ) from None
    return handle
