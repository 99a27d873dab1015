"""One seed, one run: clients, a clock, a network, a disk and crashes around the real node, all in one process and on one thread.

Nothing here tells time or draws lots but ``random.Random(seed)``, so a seed that finds a fault finds it again. The mix of faults is drawn
per seed (a run with few kinds of fault goes deeper than one with all). What the clients say and what has to be true of the market at the
end is the workload's, see :mod:`shudian.tools.simulation`; what has to be true of any ledger is tested here:

* set: what was answered for good stands in the log with its first outcome, nothing stands there that nobody sent, the log only grows; a
  repeat gets the first outcome, before and after a crash;
* replay: a clean execution of the whole log leads to the same app hash, rows and blobs;
* readers: the read models, whatever a crash left of their file, see the last block and are those built anew from the log;
* node: it refuses and stops only where something is broken, and comes up again.

Each of these and of the workload's is a checker with a name, so that a test can take one away and see what is found without it.
"""

import heapq
import logging
import os
import random
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import apsw

from shudian.kernel.check import CheckFailed
from shudian.kernel.codec import decode, encode
from shudian.kernel.crypto import SigningKey, sha256
from shudian.kernel.envelope import Envelope
from shudian.kernel.messages import Message
from shudian.kernel.outcomes import ID_USED_FOR_ANOTHER, MESSAGE_EXPIRED, Outcome
from shudian.node.blocks import decode_outcomes
from shudian.node.embedded import CLOCK_BEHIND_MAX_MS, EmbeddedNode
from shudian.node.errors import NodeError, NodeStoppedError
from shudian.node.folder import READING_FILE
from shudian.node.simulated_disk import Fate, LateDisk, RecordingDisk, all_arrives, left_by_crash, nothing_arrives, torn
from shudian.node.store import LEDGER_FILE
from shudian.node.verify import verify_folder

Outcomes = tuple[Outcome, ...]
_TICKS_MS = (20, 500)
"""What arrives within one tick is brought in together; each run has one of these."""
_LIFE_MS = 3_600_000
"""How long after it was made an envelope may still enter."""
_ACTS_COUNT = 40
"""What the clients say in one run, all together."""
_RETRIES_MAX_COUNT = 30
_MEMORY = Path("/dev/shm")  # noqa: S108 - a fresh folder with a name of its own is made in it


SET, REPLAY, READERS, NODE = "set", "replay", "readers", "node"
"""The checkers of any ledger, by name."""


class SimulationFailed(Exception):
    """Something that must never happen did; ``checker`` is the name of the one that found it."""

    def __init__(self, checker: str, words: str) -> None:
        """Found by a checker."""
        super().__init__(f"{checker}: {words}")
        self.checker = checker


def that(condition: bool, checker: str, words: str) -> None:
    """Raise :class:`SimulationFailed` unless the condition holds."""
    if not condition:
        raise SimulationFailed(checker, words)


@dataclass(frozen=True)
class Founded:
    """The ledger on which every run begins: its files at rest, height, the node's key and the time of its last block."""

    files: dict[str, bytes]
    height: int
    node_key: SigningKey
    now_ms: int


@dataclass
class Sent:
    """One envelope: its bytes, what it says, and the outcomes that the node gave for good (None: none yet)."""

    client_no: int
    data: bytes
    expires_ms: int
    message: Message
    told: Outcomes | None = None
    is_over: bool = False
    tries_count: int = 0


class Workload(Protocol):
    """What the clients say, and what has to be true of their market."""

    @property
    def clients_count(self) -> int:
        """How many clients there are, numbered from 0."""
        ...

    def seal(self, client_no: int, message_id: bytes, expires_ms: int, dice: random.Random) -> tuple[bytes, Message]:
        """What a client says next, sealed and signed."""
        ...

    def heard(self, sent: Sent, outcomes: Outcomes) -> None:
        """An answer reached its client."""
        ...

    def check(self, node: EmbeddedNode, carried: Sequence[tuple[Sent, Outcomes]], without: frozenset[str]) -> None:
        """Test the state after all that the log carries, in order, with all checkers but some; raises :class:`SimulationFailed` or CheckFailed."""
        ...


@dataclass(frozen=True)
class Faults:
    """How often, in percent (crashes and jumps: per act of a client), what goes wrong in a run."""

    lost: int
    doubled: int
    slow: int
    crash: int
    broken: int
    full: int
    stop: int
    again: int
    clock: int
    readers: int

    @classmethod
    def draw(cls, dice: random.Random) -> "Faults":
        """Each kind is off in about half of the runs."""

        def maybe(*choices: int) -> int:
            return dice.choice(choices) if dice.randrange(2) else 0

        return cls(
            lost=maybe(5, 20, 40),
            doubled=maybe(10, 40),
            slow=maybe(10, 50),
            crash=maybe(2, 5),
            broken=maybe(2, 5, 8),
            full=maybe(2, 4),
            stop=maybe(2, 4),
            again=maybe(30, 70),
            clock=maybe(3, 10),
            readers=maybe(30, 80),
        )


@dataclass
class Report:
    """What a run did. digest: SHA-256 in hex of every step that can be seen from outside; the same seed gives the same."""

    seed: int
    faults: Faults
    trace: list[str]
    sent_count: int = 0
    answers_count: int = 0
    crashes_count: int = 0
    height: int = 0
    app_hash: bytes = b""
    digest: str = ""


class World:
    """One run of a seed."""

    def __init__(
        self,
        seed: int,
        folder: Path,
        disk: RecordingDisk,
        founded: Founded,
        workload: Workload,
        trace: list[str],
        without: frozenset[str],
    ) -> None:
        """A node on the founded ledger in an empty folder; nothing moves until :meth:`run`. ``without``: checkers that are taken away."""
        self._dice = random.Random(seed)  # noqa: S311 - a simulation, repeatable by its seed
        self.report = Report(seed, Faults.draw(self._dice), trace)
        self._folder, self._disk, self._founded, self._workload = folder, disk, founded, workload
        self._without = without
        self._acts_left_count = _ACTS_COUNT
        self._now_ms = founded.now_ms + 1_000
        self._skew_ms = 0
        self._waiting: list[tuple[int, int, Callable[[], None]]] = []
        self._event_no = 0
        self._arrived: list[Sent] = []
        self._sent: dict[bytes, Sent] = {}
        self._blocks: list[bytes] = []
        self._node: EmbeddedNode | None = None
        self._held = founded.files
        self._readers = [_of_readers(founded.files)]
        self._tick_ms = self._dice.choice(_TICKS_MS)
        late_percent = self._dice.choice((0, 50, 100))
        self._late_disk = LateDisk(lambda: self._dice.randrange(100) < late_percent) if late_percent else None
        self._is_calm = False
        _put(folder, founded.files)

    def run(self) -> Report:
        """Play to the end, then let all faults stop, every client have its answer, and test everything.

        Raises:
            SimulationFailed: with the words of what is wrong.
        """
        try:
            self._start()
            for client_no in range(self._workload.clients_count):
                self._after(self._dice.randrange(200), partial(self._act, client_no))
            while self._waiting:
                self._now_ms, _, happen = heapq.heappop(self._waiting)
                happen()
            self._calm_down()
        except (NodeError, CheckFailed) as error:
            raise SimulationFailed(NODE, str(error)) from error
        finally:
            self._disk.fails_at = None
            if self._node is not None:
                self._node.close()
        self.report.digest = sha256("\n".join(self.report.trace).encode()).hex()
        return self.report

    # ------------------------------------------------------------------------------------------ clock and events

    def _after(self, ms: int, happen: Callable[[], None]) -> None:
        self._event_no += 1
        heapq.heappush(self._waiting, (self._now_ms + ms, self._event_no, happen))

    def _that(self, condition: bool, checker: str, words: str) -> None:
        if checker not in self._without:
            that(condition, checker, words)

    def _note(self, words: str) -> None:
        self.report.trace.append(f"{self._now_ms - self._founded.now_ms} {words}")

    def _happens(self, percent: int) -> bool:
        return not self._is_calm and self._dice.randrange(100) < percent

    def _node_ms(self) -> int:
        return self._now_ms + self._skew_ms

    # ------------------------------------------------------------------------------------------ clients and network

    def _act(self, client_no: int) -> None:
        """A client says something new."""
        if self._acts_left_count <= 0:
            return
        self._acts_left_count -= 1
        self._break_something()
        expires_ms = self._now_ms + _LIFE_MS
        message_id = self._dice.randbytes(16)
        data, message = self._workload.seal(client_no, message_id, expires_ms, self._dice)
        sent = self._sent[data] = Sent(client_no, data, expires_ms, message)
        self.report.sent_count += 1
        self._note(f"client {client_no} says {type(message).__name__} {message_id.hex()[:8]}")
        self._send(sent)

    def _send(self, sent: Sent) -> None:
        """Once or more over the network, again after a while if no answer comes."""
        if sent.is_over:
            return
        sent.tries_count += 1
        if sent.tries_count > _RETRIES_MAX_COUNT:
            self._after(0, partial(self._act, sent.client_no))  # gives up; it may have been carried out or not
            return
        for _ in range(1 + self._happens(self.report.faults.doubled)):
            if not self._happens(self.report.faults.lost):
                self._after(self._delay_ms(), partial(self._arrive, sent))
        self._after(1_500, partial(self._send, sent))

    def _delay_ms(self) -> int:
        return self._dice.randrange(20, 5_000 if self._happens(self.report.faults.slow) else 120)

    def _arrive(self, sent: Sent) -> None:
        if not self._arrived:
            self._after(self._tick_ms, self._take_in)
        self._arrived.append(sent)

    def _take_in(self) -> None:
        """The node takes what has arrived; nobody is there if it is down."""
        batch, self._arrived = self._arrived, []
        node = self._node
        if node is None:
            return
        height = node.height
        try:
            answers_count = self._bring(node, batch)
        except NodeStoppedError as error:
            self._that(self._is_broken(), NODE, f"the node stopped although nothing was broken: {error}")
            self._note("the node stops")
            self._crash(power=self._happens(50))
            return
        except NodeError as error:
            is_behind = self._last_block_ms(node) - self._node_ms() > CLOCK_BEHIND_MAX_MS
            self._that(is_behind and node.height == height, NODE, f"refused for no reason: {error}")
            self._note("the node waits for its clock")
            self._after(2_000, self._mend_clock)
            return
        self._that(node.height <= height + len(batch), NODE, "more blocks than envelopes")
        self._note(f"block {node.height} {node.app_hash.hex()[:16]}")
        self._that(answers_count == len(batch), NODE, "not every envelope has an answer")

    def _bring(self, node: EmbeddedNode, batch: list[Sent]) -> int:
        """Submit in one part or more, the disk keeping one while the next is applied; whatever is answered counts, also if the rest fails."""
        size = self._dice.randrange(1, 4) if self._dice.randrange(2) else len(batch)
        parts = [batch[first : first + size] for first in range(0, len(batch), size)]
        answers_count = 0
        for part, answers in zip(parts, node.submit_all([sent.data for sent in part] for part in parts), strict=False):
            for sent, outcomes in zip(part, answers, strict=True):
                self._answered(node, sent, outcomes)
                answers_count += 1
        return answers_count

    def _answered(self, node: EmbeddedNode, sent: Sent, outcomes: Outcomes) -> None:
        """The node has given its word, whether it reaches the client or not."""
        is_late = outcomes[0].number == MESSAGE_EXPIRED.number and sent.expires_ms <= node.market_ms
        self._that(outcomes[0].number != ID_USED_FOR_ANOTHER.number, SET, "an id was taken for another's")
        if sent.told is not None:
            self._that(outcomes == sent.told or is_late, SET, f"a repeat was answered {outcomes} after {sent.told}")
        elif node.machine.uses_id(outcomes):
            sent.told = outcomes
        if not self._happens(self.report.faults.lost):
            self._after(self._delay_ms(), partial(self._hear, sent, outcomes))

    def _hear(self, sent: Sent, outcomes: Outcomes) -> None:
        if sent.is_over:
            return
        sent.is_over = True
        self.report.answers_count += 1
        self._note(f"client {sent.client_no} hears {[outcome.number for outcome in outcomes]}")
        self._workload.heard(sent, outcomes)
        if self._node is not None and self._dice.randrange(4) == 0:
            self._read_at_once(self._node)
        self._after(self._dice.randrange(10, 400), partial(self._act, sent.client_no))

    def _read_at_once(self, node: EmbeddedNode) -> None:
        """A client that reads finds what it was told, or is refused where the disk broke under the read models."""
        try:
            height = node.projector.height
        except NodeStoppedError as error:
            self._that(self._is_broken(), READERS, f"reading is refused for no reason: {error}")
            self._note("the read models stop")
            return
        self._that(height == node.height, READERS, "who reads does not see the last block")

    # ------------------------------------------------------------------------------------------ what goes wrong

    def _break_something(self) -> None:
        faults, dice = self.report.faults, self._dice
        if self._happens(faults.clock):
            self._skew_ms += dice.choice((-30_000, 30_000, -50_000, -70_000, -600_000, 90_000))
            self._note(f"the node's clock is off by {self._skew_ms} ms")
        if self._node is None or self._is_broken():
            return
        if self._happens(faults.crash):
            self._crash(power=False)
        elif self._happens(faults.broken):
            self._break_disk(apsw.IOError)
        elif self._happens(faults.full):
            self._break_disk(apsw.FullError)
        elif self._happens(faults.stop):
            self._stop_in_order(self._node)

    def _stop_in_order(self, node: EmbeddedNode) -> None:
        """An orderly stop writes both journals back into their files; the power may go in the midst of it."""
        self._note("the node is stopped")
        if self._happens(70):
            self._break_disk(apsw.IOError, 60)
        node.close()
        self._node = None
        self._crash(power=True)

    def _break_disk(self, fault: type[apsw.Error], within_count: int = 40) -> None:
        """From one of the next steps on the disk takes nothing more, of the ledger's file and the read models'."""
        self._disk.fault = fault
        self._disk.fails_at = len(self._disk.steps) + self._dice.randrange(within_count)

    def _is_broken(self) -> bool:
        return self._disk.fails_at is not None and len(self._disk.steps) >= self._disk.fails_at

    def _mend_clock(self) -> None:
        if self._skew_ms < 0 and self._node is not None:
            behind_ms = self._last_block_ms(self._node) - self._node_ms()
            if behind_ms > 0:
                self._skew_ms += behind_ms
                self._note("the node's clock is set right")

    def _last_block_ms(self, node: EmbeddedNode) -> int:
        return node.block(node.height).header.time_ms

    def _crash(self, *, power: bool) -> None:
        """The process ends at this step of the disk; with the power, what was not synced may be lost or torn too."""
        fate = self._fate() if power else all_arrives
        self.report.crashes_count += 1
        self._note(f"crash, {'power lost' if power else 'process killed'}, after {len(self._disk.steps)} steps")
        steps = list(self._disk.steps)
        self._disk.fails_at = None
        if self._node is not None:
            self._node.close()  # gives the files back; what this wrote is overwritten below
            self._node = None
        held = left_by_crash(steps, fate, self._held)
        readers = _of_readers(held)
        if self._happens(self.report.faults.readers):  # put back as of an earlier day, or deleted by hand
            readers = self._dice.choice([self._readers[-1], self._readers[0], {}])
        if readers:
            self._readers.append(readers)
        self._held = {name: data for name, data in held.items() if not name.startswith(READING_FILE)} | readers
        _put(self._folder, self._held)
        self._disk.steps.clear()
        self._after(self._dice.randrange(50, 2_000), self._start)

    def _fate(self) -> Fate:
        return self._dice.choice((nothing_arrives, all_arrives, torn(self._dice.randrange(1 << 30))))

    def _start(self) -> None:
        """The node starts, perhaps to fall again on the way."""
        if self._node is not None:
            return
        if self._blocks and self._happens(self.report.faults.again):
            self._break_disk(apsw.IOError, 2)  # a start writes little
        try:
            self._node = EmbeddedNode.open(
                self._folder,
                self._founded.node_key,
                now_ms=self._node_ms,
                connect_readers=self._disk.connect_readers,
                disk=self._late_disk,
            )
        except (NodeError, apsw.Error) as error:
            self._that(self._is_broken(), NODE, f"the ledger does not open again: {error}")
            self._crash(power=self._happens(50))
            return
        if self._is_broken():
            self._crash(power=True)
            return
        self._disk.fails_at = None
        self._note(f"the node is up at {self._node.height} {self._node.app_hash.hex()[:16]}")
        self._check_log(self._node)

    # ------------------------------------------------------------------------------------------ what has to be true

    def _calm_down(self) -> None:
        """No more faults: whoever has no answer asks once more."""
        self._is_calm = True
        if self._node is not None and self._is_broken():
            self._crash(power=False)
        self._disk.fails_at = None
        self._start()
        node = self._node
        if node is None:
            raise SimulationFailed(NODE, "the ledger did not come up")
        self._skew_ms = max(self._skew_ms, self._last_block_ms(node) - self._now_ms)
        for sent in list(self._sent.values()):
            if not sent.is_over:
                (outcomes,) = node.submit([sent.data])
                self._answered(node, sent, outcomes)
        self._check_log(node)
        self.report.height, self.report.app_hash = node.height, node.app_hash
        self._note(f"end {node.height} {node.app_hash.hex()}")
        told = _rows(node)
        secrets = node.secrets
        node.close()
        self._node = None
        try:
            verified = verify_folder(self._folder, secrets)
        except NodeError as error:
            raise SimulationFailed(REPLAY, str(error)) from error
        self._that(verified.app_hash == self.report.app_hash, REPLAY, "a clean replay leads to another app hash")
        # anew from the founding on: its read models are the same in every run
        (self._folder / READING_FILE).write_bytes(self._founded.files[READING_FILE])
        with closing(EmbeddedNode.open(self._folder, self._founded.node_key, now_ms=self._node_ms)) as anew:
            self._that(_rows(anew) == told, READERS, "the read models differ from those built anew from the log")

    def _check_log(self, node: EmbeddedNode) -> None:
        """The set of what was told against the log; then the workload's own tests."""
        carried: dict[bytes, Outcomes] = {}
        for height in range(self._founded.height + 1, node.height + 1):
            block = node.block(height)
            data = encode(block)
            place = height - self._founded.height - 1
            if place < len(self._blocks):
                self._that(self._blocks[place] == data, SET, f"block {height} is another than it was")
            else:
                self._blocks.append(data)
            for envelope, outcomes in zip(block.envelopes, decode_outcomes(block.outcomes), strict=True):
                self._that(envelope in self._sent, SET, f"block {height} holds what nobody sent")
                if node.machine.uses_id(outcomes):
                    is_first = carried.setdefault(envelope, outcomes) == outcomes
                    self._that(is_first, SET, f"block {height} answers a repeat anew")
        for sent in self._sent.values():
            if sent.told is not None:
                is_kept = carried.get(sent.data) == sent.told
                self._that(is_kept, SET, "what was acknowledged is not in the log, or with another outcome")
        self._that(len(self._blocks) <= node.height - self._founded.height, SET, "blocks that were there are gone")
        read = {(row[0], row[1]) for row in node.projector.connection.execute("SELECT sender_id, id FROM messages")}
        for data in carried:
            envelope_read = decode(data, Envelope)
            self._that((envelope_read.sender_id, envelope_read.id) in read, READERS, "the read models lack a message")
        self._workload.check(node, [(self._sent[data], outcomes) for data, outcomes in carried.items()], self._without)


def _rows(node: EmbeddedNode) -> dict[str, list[tuple[Any, ...]]]:
    """All that the read models hold, by table."""
    db = node.projector.connection
    names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return {name: sorted(db.execute(f"SELECT * FROM {name}"), key=repr) for name in names}  # noqa: S608 - a table of the file


def _of_readers(files: dict[str, bytes]) -> dict[str, bytes]:
    """The read models' file and its journals."""
    return {name: data for name, data in files.items() if name.startswith(READING_FILE)}


def _put(folder: Path, files: dict[str, bytes]) -> None:
    """Make these the only files of the ledger and its read models."""
    for path in folder.iterdir():
        if path.name.startswith((LEDGER_FILE, READING_FILE)):
            path.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)


@contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder, in memory where the system has one."""
    memory = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="shudian-simulated-", dir=memory) as name:
        yield Path(name)


def at_rest(folder: Path) -> dict[str, bytes]:
    """The files of a ledger whose node is closed, read models included, each of one piece."""
    for name in (LEDGER_FILE, READING_FILE):
        with closing(sqlite3.connect(folder / name)) as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return {name: (folder / name).read_bytes() for name in (LEDGER_FILE, READING_FILE)}


@contextmanager
def _unsaid() -> Iterator[None]:
    """What was done to the node on purpose is not told again: its log, and faults of the disk that SQLite could do without."""
    log, tell = logging.getLogger("shudian.node"), sys.unraisablehook
    was_disabled, log.disabled = log.disabled, True

    def tell_others(fault: Any) -> None:
        if not isinstance(fault.exc_value, (apsw.IOError, apsw.FullError)):
            tell(fault)

    sys.unraisablehook = tell_others
    try:
        yield
    finally:
        log.disabled, sys.unraisablehook = was_disabled, tell


def simulate(
    seed: int,
    founded: Founded,
    workload: Workload,
    trace: list[str] | None = None,
    *,
    syncs: bool = True,
    without: frozenset[str] = frozenset(),
) -> Report:
    """Run one seed.

    trace: gets every step. syncs: False plants a fault, a disk whose word of being synced means nothing. without: names of checkers that
    are taken away, to see what is found without them.

    Raises:
        SimulationFailed: with the words of what is wrong; any other error is a fault as well.
    """
    with scratch() as folder, _unsaid():
        disk = RecordingDisk("simulated", syncs=syncs, is_default=True)
        try:
            return World(seed, folder, disk, founded, workload, [] if trace is None else trace, without).run()
        finally:
            disk.unregister()
