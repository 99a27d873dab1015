"""One seed, one run: clients, a clock, a network, a disk and crashes around the real node, all in one process and on one thread.

Nothing here tells time or draws lots but ``random.Random(seed)``, so a seed that finds a fault finds it again. The mix of faults is drawn
per seed (a run with few kinds of fault goes deeper than one with all). What the clients say and what has to be true of the market at the
end is the workload's, see :mod:`shudian.tools.simulation`; what has to be true of any ledger is tested here:

* set: what was answered for good stands in the log with its first outcome, nothing stands there that nobody sent, the log only grows;
* a repeat gets the first outcome, before and after a crash;
* a clean execution of the whole log leads to the same app hash, rows and blobs; the read models are those built anew from the log.
"""

import heapq
import os
import random
import sqlite3
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
from shudian.node.simulated_disk import Fate, RecordingDisk, all_arrives, left_by_crash, nothing_arrives, torn
from shudian.node.store import LEDGER_FILE
from shudian.node.verify import verify_folder

Outcomes = tuple[Outcome, ...]
_TICK_MS = 20
"""What arrives within one tick is brought in together."""
_LIFE_MS = 3_600_000
"""How long after it was made an envelope may still enter."""
_ACTS_COUNT = 40
"""What the clients say in one run, all together."""
_RETRIES_MAX_COUNT = 30
_MEMORY = Path("/dev/shm")  # noqa: S108 - a fresh folder with a name of its own is made in it


class SimulationFailed(Exception):
    """Something that must never happen did."""


def that(condition: bool, words: str) -> None:
    """Raise :class:`SimulationFailed` unless the condition holds."""
    if not condition:
        raise SimulationFailed(words)


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

    def check(self, node: EmbeddedNode, carried: Sequence[tuple[Sent, Outcomes]]) -> None:
        """Test the state after all that the log carries, in order; raises :class:`SimulationFailed` or CheckFailed."""
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
            again=maybe(30, 70),
            clock=maybe(3, 10),
            readers=maybe(30, 80),
        )


@dataclass
class Report:
    """What a run did. digest: of every step that can be seen from outside; the same seed gives the same."""

    seed: int
    faults: Faults
    trace: list[str]
    sent_count: int = 0
    answers_count: int = 0
    crashes_count: int = 0
    height: int = 0
    app_hash: bytes = b""

    @property
    def digest(self) -> str:
        """SHA-256 of the trace, in hex."""
        return sha256("\n".join(self.trace).encode()).hex()


class World:
    """One run of a seed."""

    def __init__(
        self, seed: int, folder: Path, disk: RecordingDisk, founded: Founded, workload: Workload, trace: list[str]
    ) -> None:
        """A node on the founded ledger in an empty folder; nothing moves until :meth:`run`."""
        self._dice = random.Random(seed)  # noqa: S311 - a simulation, repeatable by its seed
        self.report = Report(seed, Faults.draw(self._dice), trace)
        self._folder, self._disk, self._founded, self._workload = folder, disk, founded, workload
        self._acts_left_count = _ACTS_COUNT
        self._now_ms = founded.now_ms + 1_000
        self._skew_ms = 0
        self._waiting: list[tuple[int, int, Callable[[], None]]] = []
        self._event_no = 0
        self._arrived: list[Sent] = []
        self._sent: dict[bytes, Sent] = {}
        self._blocks: list[bytes] = []
        self._node: EmbeddedNode | None = None
        self._held = {name: data for name, data in founded.files.items() if name != READING_FILE}
        self._readers: list[bytes] = [founded.files[READING_FILE]]
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
            raise SimulationFailed(str(error)) from error
        finally:
            self._disk.fails_at = None
            if self._node is not None:
                self._node.close()
        return self.report

    # ------------------------------------------------------------------------------------------ clock and events

    def _after(self, ms: int, happen: Callable[[], None]) -> None:
        self._event_no += 1
        heapq.heappush(self._waiting, (self._now_ms + ms, self._event_no, happen))

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
            self._after(_TICK_MS, self._take_in)
        self._arrived.append(sent)

    def _take_in(self) -> None:
        """The node takes what has arrived; nobody is there if it is down."""
        batch, self._arrived = self._arrived, []
        node = self._node
        if node is None:
            return
        height = node.height
        try:
            answers = node.submit([sent.data for sent in batch])
        except NodeStoppedError as error:
            that(self._is_broken(), f"the node stopped although nothing was broken: {error}")
            self._note("the node stops")
            self._crash(power=self._happens(50))
            return
        except NodeError as error:
            is_behind = self._last_block_ms(node) - self._node_ms() > CLOCK_BEHIND_MAX_MS
            that(is_behind and node.height == height, f"refused for no reason: {error}")
            self._note("the node waits for its clock")
            self._after(2_000, self._mend_clock)
            return
        that(node.height <= height + len(batch), "more blocks than envelopes")
        self._note(f"block {node.height} {node.app_hash.hex()[:16]}")
        for sent, outcomes in zip(batch, answers, strict=True):
            self._answered(node, sent, outcomes)

    def _answered(self, node: EmbeddedNode, sent: Sent, outcomes: Outcomes) -> None:
        """The node has given its word, whether it reaches the client or not."""
        is_late = outcomes[0].number == MESSAGE_EXPIRED.number and sent.expires_ms <= node.market_ms
        that(outcomes[0].number != ID_USED_FOR_ANOTHER.number, "an id was taken for another's")
        if sent.told is not None:
            that(outcomes == sent.told or is_late, f"a repeat was answered {outcomes} after {sent.told}")
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
        if (
            self._node is not None and self._dice.randrange(4) == 0
        ):  # a client that reads at once finds what it was told
            that(self._node.projector.height == self._node.height, "who reads does not see the last block")
        self._after(self._dice.randrange(10, 400), partial(self._act, sent.client_no))

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

    def _break_disk(self, fault: type[apsw.Error], within_count: int = 12) -> None:
        """From one of the next steps on the disk takes nothing more."""
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
        self._held = left_by_crash(steps, fate, self._held)
        readers = _read(self._folder / READING_FILE)
        if self._happens(self.report.faults.readers):  # they are not waited for, and may be deleted by hand
            readers = self._dice.choice([self._readers[-1], self._readers[0], b""])
        _put(self._folder, {**self._held, **({READING_FILE: readers} if readers else {})})
        if readers:
            self._readers.append(readers)
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
            self._node = EmbeddedNode.open(self._folder, self._founded.node_key, now_ms=self._node_ms)
        except (NodeError, apsw.Error) as error:
            that(self._is_broken(), f"the ledger does not open again: {error}")
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
        self._disk.fails_at = None
        self._start()
        node = self._node
        that(node is not None, "the ledger did not come up")
        if node is None:
            return
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
        verified = verify_folder(self._folder, secrets)
        that(verified.app_hash == self.report.app_hash, "a clean replay leads to another app hash")
        (self._folder / READING_FILE).unlink()
        with closing(EmbeddedNode.open(self._folder, self._founded.node_key, now_ms=self._node_ms)) as anew:
            that(_rows(anew) == told, "the read models differ from those built anew from the log")

    def _check_log(self, node: EmbeddedNode) -> None:
        """The set of what was told against the log; then the workload's own tests."""
        carried: dict[bytes, Outcomes] = {}
        for height in range(self._founded.height + 1, node.height + 1):
            block = node.block(height)
            data = encode(block)
            place = height - self._founded.height - 1
            if place < len(self._blocks):
                that(self._blocks[place] == data, f"block {height} is another than it was")
            else:
                self._blocks.append(data)
            for envelope, outcomes in zip(block.envelopes, decode_outcomes(block.outcomes), strict=True):
                that(envelope in self._sent, f"block {height} holds what nobody sent")
                if node.machine.uses_id(outcomes):
                    that(carried.setdefault(envelope, outcomes) == outcomes, f"block {height} answers a repeat anew")
        that(len(self._blocks) <= node.height - self._founded.height, "blocks that were there are gone")
        for sent in self._sent.values():
            if sent.told is not None:
                that(
                    carried.get(sent.data) == sent.told,
                    "what was acknowledged is not in the log, or with another outcome",
                )
        read = {(row[0], row[1]) for row in node.projector.connection.execute("SELECT sender_id, id FROM messages")}
        for data in carried:
            envelope_read = decode(data, Envelope)
            that((envelope_read.sender_id, envelope_read.id) in read, "the read models lack a message")
        self._workload.check(node, [(self._sent[data], outcomes) for data, outcomes in carried.items()])


def _rows(node: EmbeddedNode) -> dict[str, list[tuple[Any, ...]]]:
    """All that the read models hold, by table."""
    db = node.projector.connection
    names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return {name: sorted(db.execute(f"SELECT * FROM {name}"), key=repr) for name in names}  # noqa: S608 - a table of the file


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


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


def simulate(
    seed: int, founded: Founded, workload: Workload, trace: list[str] | None = None, *, syncs: bool = True
) -> Report:
    """Run one seed. ``trace``: gets every step. ``syncs``: False plants a fault, a disk whose word of being synced means nothing.

    Raises:
        SimulationFailed: with the words of what is wrong; any other error is a fault as well.
    """
    with scratch() as folder:
        disk = RecordingDisk("simulated", syncs=syncs, is_default=True)
        try:
            return World(seed, folder, disk, founded, workload, [] if trace is None else trace).run()
        finally:
            disk.unregister()
