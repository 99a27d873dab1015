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
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import IO, Any, TypeVar

from shudian.kernel.codec import Decoder, Malformed, Record, decode, decode_own, decoder, encode
from shudian.kernel.epochs import EPOCHS, EpochSecret
from shudian.kernel.machine import Machine
from shudian.kernel.opened import Arrival
from shudian.kernel.outcomes import EPOCH_NOT_IN_FORCE, Outcome, Refused, refused
from shudian.market import MARKET
from shudian.node.verifiers import choose

PART_COUNT = 64
"""Envelopes that are opened together: so few that neither process waits long for the other's last part."""
AHEAD_COUNT = 8_192
"""Envelopes that lie open or to be opened ahead of the block that is being applied, unless a single block holds more."""
_LENGTH_BYTES = 4
_TICKET_BYTES = 4
_TICKETS_MAX_COUNT = select.PIPE_BUF // _TICKET_BYTES
"""So many tickets go into the pipe together or not at all."""
_PIPE_BYTES = 1 << 20
_CORES_MIN_COUNT = 2

_log = logging.getLogger("shudian.node")


class _Hello(Record):
    """The first frame to the front. tickets: its end of the pipe of tickets."""

    chain_id: str
    verifier: str
    tickets: int


class _Ask(Record):
    """Parts to open, numbered from ``first_part`` on, and the roots of epochs that were not sent before."""

    roots: tuple[tuple[int, bytes], ...]
    first_part: int
    parts: tuple[tuple[bytes, ...], ...]


_READY = b"ready"
_Turned = tuple[int, Outcome]
"""Place in its part of an envelope that was refused, with the outcome."""


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
    """Envelopes on their way through the door; :meth:`result` waits for them, and helps."""

    def __init__(self, front: "Front", envelopes: Sequence[bytes]) -> None:
        """Cut them into parts; the front is told by :meth:`Front.begin`."""
        self._front = front
        self.parts = [_Part(envelopes[at : at + PART_COUNT]) for at in range(0, len(envelopes), PART_COUNT)]

    def result(self) -> list[Arrival]:
        """What the door makes of each, in order; for one thread, once, when all that comes before has been applied.

        Epochs that began meanwhile were unknown when the envelopes were opened: what was refused for its epoch is opened again.
        """
        arrivals: list[Arrival] = []
        for part in self.parts:
            while part.arrivals is None:
                self._front.advance(part)
            for place, arrival in enumerate(part.arrivals):
                if isinstance(arrival, Refused) and arrival.refusal is EPOCH_NOT_IN_FORCE:
                    (part.arrivals[place],) = self._front.door.open_all([part.envelopes[place]])
            arrivals.extend(part.arrivals)
        return arrivals


class Front:
    """The engine's end. Close it to end the process."""

    def __init__(self, machine: Machine, verifier: str) -> None:
        """Start the process; it takes its share as soon as it is up. verifier: the back end that it shall use."""
        self.door = machine.door
        self._machine = machine
        self._turn = threading.Lock()
        self._parts: dict[int, _Part] = {}
        self._begun_count = 0
        self._roots_sent = 0
        self._up = False
        self._ended = False
        self._closing = False
        self._answer = _answer_decoder(machine.door.opened_type)
        self._tickets, self._tickets_in = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "shudian.node.front"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(self._tickets,),
            bufsize=0,
        )
        self._asking, self._answering = _fileno(self._process.stdin), _fileno(self._process.stdout)
        for pipe in (self._asking, self._answering):
            _widen(pipe)
        for pipe in (self._tickets, self._tickets_in, self._answering):
            os.set_blocking(pipe, False)
        self._answers = _Frames(self._answering)
        self._asks: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._asks.put(encode(_Hello(machine.chain_id, verifier, self._tickets)))
        self._feeder = threading.Thread(target=self._feed, name="front feeder", daemon=True)
        self._feeder.start()

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
                ask = _Ask(self._new_roots(), first, tuple(part.envelopes for part in opening.parts))
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
            number = _ticket(self._tickets)
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
        self._asks.put(None)
        self._feeder.join()
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
                os.write(self._tickets_in, b"".join(number.to_bytes(_TICKET_BYTES, "little") for number in numbers))
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
        if frame == _READY:
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

    def _feed(self) -> None:
        """In a thread of its own, which sleeps in the pipe and not in the interpreter."""
        with suppress(OSError):  # the engine sees the end of the front where it waits for answers
            while (ask := self._asks.get()) is not None:
                _write_all(self._asking, _framed(ask))

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


class _Frames:
    """What comes over a pipe, each frame after its length."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._came = bytearray()

    def take(self) -> bool:
        """Take in what stands in the pipe; False if that is nothing.

        Raises:
            EOFError: the other end is closed.
        """
        try:
            data = os.read(self._pipe, _PIPE_BYTES)
        except BlockingIOError:
            return False
        if not data:
            raise EOFError
        self._came += data
        return True

    def cut(self) -> list[bytes]:
        """The frames that are whole."""
        frames: list[bytes] = []
        at, came = 0, self._came
        while len(came) - at >= _LENGTH_BYTES:
            end = at + _LENGTH_BYTES + int.from_bytes(came[at : at + _LENGTH_BYTES], "little")
            if len(came) < end:
                break
            frames.append(bytes(memoryview(came)[at + _LENGTH_BYTES : end]))
            at = end
        del came[:at]
        return frames


class _Shipped:
    """The secrets of the epochs whose roots came over the pipe."""

    def __init__(self) -> None:
        self.secrets: dict[int, EpochSecret] = {}

    def of(self, epoch_no: int) -> EpochSecret | None:
        return self.secrets.get(epoch_no)

    def root(self, _epoch_no: int) -> bytes | None:
        return None


class _Engine:
    """The front's end. What the engine does not take yet waits here."""

    def __init__(self, asking: int, answering: int) -> None:
        self._asks = _Frames(asking)
        self._frames: deque[bytes] = deque()
        self._answering = answering
        self._waiting: deque[memoryview] = deque()
        self._poll = select.poll()
        self._poll.register(asking, select.POLLIN)
        os.set_blocking(answering, False)

    def say(self, frame: bytes) -> None:
        """Answer, as far as there is room."""
        self._waiting.append(memoryview(_framed(frame)))
        self._flush()

    def ask(self) -> bytes:
        """The next frame of the engine; while there is none, what waits goes out.

        Raises:
            EOFError: the engine is gone.
        """
        while not self._frames:
            self._poll.register(self._answering, select.POLLOUT if self._waiting else 0)
            for pipe, _ in self._poll.poll():
                if pipe != self._answering:
                    self._asks.take()
                    self._frames.extend(self._asks.cut())
                elif self._waiting:
                    self._flush()
                else:
                    raise EOFError
        return self._frames.popleft()

    def _flush(self) -> None:
        with suppress(BlockingIOError):
            while self._waiting:
                left = self._waiting[0][os.write(self._answering, self._waiting[0]) :]
                if left:
                    self._waiting[0] = left
                else:
                    self._waiting.popleft()


def main() -> None:
    """The front process: open what it has tickets for until the engine is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the engine, which gets it as well, ends this process by the pipe
    engine = _Engine(sys.stdin.fileno(), sys.stdout.fileno())
    hello = decode(engine.ask(), _Hello)
    shipped = _Shipped()
    door = Machine(MARKET, hello.chain_id, lambda _digest: None).door_with(shipped)
    door.back_end = choose(hello.verifier).back_end
    engine.say(_READY)
    asks = decoder(_Ask)
    parts: dict[int, tuple[bytes, ...]] = {}
    while True:
        number = _ticket(hello.tickets)
        while number is None or number not in parts:
            ask: _Ask = decode_own(asks, engine.ask())
            for epoch_no, root in ask.roots:
                shipped.secrets[epoch_no] = EpochSecret(root)
            if number is None:  # all that came before is taken
                parts.clear()
                number = _ticket(hello.tickets)
            parts.update(enumerate(ask.parts, ask.first_part))
        arrivals = door.open_all(parts[number])
        opened = [arrival for arrival in arrivals if not isinstance(arrival, Refused)]
        turned = [(place, refused(arrival)) for place, arrival in enumerate(arrivals) if isinstance(arrival, Refused)]
        engine.say(encode((number, opened, turned)))
        for gone in [other for other in parts if other <= number]:
            del parts[gone]


def _ticket(tickets: int) -> int | None:
    """The number of the first part that nobody has begun, which is now the caller's; None if there is none."""
    try:
        return int.from_bytes(os.read(tickets, _TICKET_BYTES), "little")
    except BlockingIOError:
        return None


def _answer_decoder(opened_type: Any) -> Decoder:
    """Of an answer: the number of the part, what was opened, what was refused."""
    return decoder(tuple[int, list[opened_type], list[_Turned]])


def _framed(data: bytes) -> bytes:
    return len(data).to_bytes(_LENGTH_BYTES, "little") + data


def _write_all(pipe: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(pipe, left) :]


def _fileno(pipe: IO[bytes] | None) -> int:
    return -1 if pipe is None else pipe.fileno()


def _widen(pipe: int) -> None:
    with suppress(OSError):  # the system allows less: it works with less
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


if __name__ == "__main__":
    with suppress(EOFError, BrokenPipeError):
        main()
