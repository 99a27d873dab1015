"""The front: a process beside the engine that opens envelopes ahead of it, on another core.

It holds no state: envelopes go in, opened acts (or refusals) come back, and the engine takes them as if its own door had opened them.
The work lies in parts on one heap: of each part a ticket stands in a pipe that both processes read, and whoever gets the ticket opens the
part. So neither waits while there is something to open, and a front that is slow, late or dead costs time and nothing else. The roots of
the epochs travel over a pipe, never by arguments, environment or file. Envelopes of an epoch that was not known when they were opened are opened again by the engine when it is their turn.

No thread of the engine waits for the front's answers: a thread that wakes beside a busy one gets the interpreter only after milliseconds.
They stay in the pipe, and beyond its size with the front, until the engine looks.
"""

import fcntl
import logging
import os
import queue
import select
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import IO, TypeVar

from shudian.kernel.codec import Malformed, decode_own, encode
from shudian.kernel.epochs import EPOCHS
from shudian.kernel.machine import Machine
from shudian.kernel.opened import Arrival
from shudian.kernel.outcomes import EPOCH_NOT_IN_FORCE, Refused
from shudian.node.front_wire import (
    PIPE_BYTES,
    READY,
    TICKET_BYTES,
    Ask,
    Frames,
    Hello,
    answer_decoder,
    framed,
    next_ticket,
)

PART_COUNT = 64
"""Envelopes that are opened together: so few that neither process waits long for the other's last part."""
AHEAD_COUNT = 8_192
"""Envelopes that lie open or to be opened ahead of the block that is being applied, unless a single block holds more."""
_TICKETS_MAX_COUNT = select.PIPE_BUF // TICKET_BYTES
"""So many tickets go into the pipe together or not at all."""
_CORES_MIN_COUNT = 2

_log = logging.getLogger("shudian.node")


def pays() -> bool:
    """Whether there is a second core for it."""
    return len(os.sched_getaffinity(0)) >= _CORES_MIN_COUNT


class _Part:
    """Some envelopes of one opening. arrivals: None until it was opened here or there. kept: no ticket leads to it, so the engine opens it."""

    def __init__(self, envelopes: Sequence[bytes]) -> None:
        self.envelopes = tuple(envelopes)
        self.arrivals: list[Arrival] | None = None
        self.kept = False


class Opening:
    """Envelopes on their way through the door; whoever takes them out waits for them, and helps."""

    def __init__(self, front: "Front", envelopes: Sequence[bytes]) -> None:
        """Cut them into parts; the front is told by :meth:`Front.begin`."""
        self._front = front
        self.parts = [_Part(envelopes[at : at + PART_COUNT]) for at in range(0, len(envelopes), PART_COUNT)]

    def result(self) -> list[Arrival]:
        """All that :meth:`arrivals` gives; for one thread, once, when all that comes before has been applied."""
        return list(self.arrivals())

    def arrivals(self) -> Iterator[Arrival]:
        """What the door makes of each, in order and one part after another, so that the front opens the last while the first are taken in.

        Epochs that began meanwhile were unknown when the envelopes were opened: what was refused for its epoch is opened again.
        """
        self.parts.reverse()
        while self.parts:
            part = self.parts.pop()  # it is the caller's now: what holds the opening holds nothing back
            while part.arrivals is None:
                self._front.advance(part)
            for place, arrival in enumerate(part.arrivals):
                if isinstance(arrival, Refused) and arrival.refusal is EPOCH_NOT_IN_FORCE:
                    (part.arrivals[place],) = self._front.door.open_all([part.envelopes[place]])
            yield from part.arrivals


class Front:
    """The engine's end. Close it to end the process."""

    def __init__(self, machine: Machine, verifier: str) -> None:
        """Start the process; it takes its share as soon as it is up. verifier: the back end that it shall use, empty to let it choose as :func:`~shudian.node.verifiers.choose` does."""
        self.door = machine.door
        self._machine = machine
        self._turn = threading.Lock()
        self._parts: dict[int, _Part] = {}
        self._begun_count = 0
        self._roots_sent = 0
        self._up = False
        self._ended = False
        self._closing = False
        self._answer = answer_decoder(machine.door.opened_type)
        self._tickets, self._tickets_in = os.pipe()
        self._process = subprocess.Popen(  # no search for garbage hinders its imports
            [sys.executable, "-c", "import gc; gc.disable(); from shudian.node.front_process import run; run()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(self._tickets,),
            bufsize=0,
        )
        asking, self._answering = _fileno(self._process.stdin), _fileno(self._process.stdout)
        for pipe in (asking, self._answering):
            _widen(pipe)
        for pipe in (self._tickets, self._tickets_in, self._answering):
            os.set_blocking(pipe, False)
        self._answers = Frames(self._answering)
        self._asks = _Outlet(asking)
        self._asks.put(encode(Hello(machine.chain_id, verifier, self._tickets)))

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def begin(self, envelopes: Sequence[bytes]) -> Opening:
        """Have envelopes opened, by the front or by whoever calls for the result of an opening."""
        opening = Opening(self, envelopes)
        with self._turn:
            if not self._ended:
                first = self._begun_count
                self._begun_count += len(opening.parts)
                self._parts.update(enumerate(opening.parts, first))
                self._ticket_all(opening.parts, first)
                ask = Ask(self._new_roots(), first, tuple(part.envelopes for part in opening.parts))
                self._asks.put(encode(ask))
        return opening

    def advance(self, part: _Part) -> None:
        """One step nearer to a part that was begun: take what the front answered, else open what nobody has begun, else wait for the front."""
        with self._turn:
            self._receive()
            if part.arrivals is not None:
                return
            if self._ended or part.kept:
                self._open(part)
                return
            number = next_ticket(self._tickets)
            if number is None:
                self._wait(None)
            else:
                self._open(self._parts.pop(number))

    def wait_up(self, seconds: float) -> bool:
        """Wait until the process takes its share; False if it is not up by then."""
        until = time.monotonic() + seconds
        with self._turn:
            while not (self._up or self._ended) and time.monotonic() < until:
                self._wait(until - time.monotonic())
            return self._up and not self._ended

    def close(self) -> None:
        """End the process; openings under way are left to the engine's door."""
        self._closing = True
        self._process.kill()
        self._process.wait()
        self._asks.close()
        with self._turn:
            self._end()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            os.close(self._tickets)
            os.close(self._tickets_in)

    def _ticket_all(self, parts: list[_Part], first: int) -> None:
        """Lay out the tickets of parts; those for which there is no room the engine keeps."""
        for at in range(0, len(parts), _TICKETS_MAX_COUNT):
            some = parts[at : at + _TICKETS_MAX_COUNT]
            numbers = range(first + at, first + at + len(some))
            try:
                os.write(self._tickets_in, b"".join(number.to_bytes(TICKET_BYTES, "little") for number in numbers))
            except BlockingIOError:
                for part in some:
                    part.kept = True

    def _open(self, part: _Part) -> None:
        part.kept = True  # if this is broken off, the ticket is gone
        part.arrivals = self.door.open_all(part.envelopes)

    def _wait(self, seconds: float | None) -> None:
        """Until something came from the front, at most so long if that is not None; and take it."""
        poll = select.poll()
        poll.register(self._answering, select.POLLIN)
        if poll.poll(None if seconds is None else seconds * 1_000):
            self._receive()

    def _receive(self) -> None:
        """Take what has come. If the pipe is gone, or what came is no answer, the engine opens alone from here on."""
        if self._ended:
            return
        try:
            while self._answers.take():
                for frame in self._answers.cut():
                    self._answered(frame)
        except (EOFError, OSError, Malformed, KeyError):
            self._end()

    def _answered(self, frame: bytes) -> None:
        if frame == READY:
            self._up = True
            return
        number, opened, turned = decode_own(self._answer, frame)
        part = self._parts.pop(number)
        arrivals: list[Arrival] = opened
        for place, outcome in turned:
            refusal = self._machine.refusals[outcome.number]
            arrivals.insert(place, Refused(refusal, outcome.field, outcome.value, outcome.allowed))
        part.arrivals = arrivals

    def _end(self) -> None:
        """Give up on the front."""
        if not (self._ended or self._closing):
            _log.warning("front process %s has gone; the engine opens envelopes alone from here on", self.pid)
        self._ended = True
        self._parts.clear()

    def _new_roots(self) -> tuple[tuple[int, bytes], ...]:
        first, self._roots_sent = self._roots_sent + 1, EPOCHS.count(self._machine.store)
        roots = ((number, self._machine.secrets.root(number)) for number in range(first, self._roots_sent + 1))
        return tuple((number, root) for number, root in roots if root is not None)


Envelopes = TypeVar("Envelopes", bound=Sequence[bytes])


def opened_ahead(blocks: Iterable[Envelopes], front: Front) -> Iterator[tuple[Envelopes, Opening]]:
    """Blocks in order with their openings, each begun while the blocks before it are still being applied."""
    ahead: deque[tuple[Envelopes, Opening]] = deque()
    count = 0
    for envelopes in blocks:
        ahead.append((envelopes, front.begin(envelopes)))
        count += len(envelopes)
        while count > AHEAD_COUNT and len(ahead) > 1:
            count -= len(ahead[0][0])
            yield ahead.popleft()
    while ahead:
        yield ahead.popleft()


class _Outlet:
    """What goes into a pipe: at once as much as it takes, the rest by a thread that sleeps in the pipe and not in the interpreter.

    A thread alone would have to wait until a busy engine lets it have the interpreter.
    """

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._waiting: queue.SimpleQueue[memoryview | None] = queue.SimpleQueue()
        self._waiting_count = 0
        self._gone_count = 0
        os.set_blocking(pipe, False)
        self._thread = threading.Thread(target=self._feed, name="front feeder", daemon=True)
        self._thread.start()

    def put(self, frame: bytes) -> None:
        """Send a frame; for one thread at a time. Whether the other end is there, only its answers tell."""
        left = memoryview(framed(frame))
        if self._gone_count == self._waiting_count:
            with suppress(OSError):
                left = left[os.write(self._pipe, left) :]
        if left:
            self._waiting_count += 1
            self._waiting.put(left)

    def close(self) -> None:
        """End the thread; the other end is gone."""
        self._waiting.put(None)
        self._thread.join()

    def _feed(self) -> None:
        room = select.poll()
        room.register(self._pipe, select.POLLOUT)
        with suppress(OSError):  # the other end is gone
            while (left := self._waiting.get()) is not None:
                while left:
                    room.poll()
                    left = left[os.write(self._pipe, left) :]
                self._gone_count += 1


def _fileno(pipe: IO[bytes] | None) -> int:
    return -1 if pipe is None else pipe.fileno()


def _widen(pipe: int) -> None:
    with suppress(OSError):  # the system allows less: it works with less
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
