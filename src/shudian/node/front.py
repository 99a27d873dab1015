"""The front: a process beside the engine that opens envelopes ahead of it, on another core.

It holds no state: envelopes go in, bodies and digests (or refusals) come back, and the engine takes them as if its own door had opened
them. The engine shares the work: what the front has not begun when the engine comes to it, the engine opens itself, so a front that is
slow, late or dead costs time and nothing else. What the front is not sure of (an epoch whose root it was not given) it leaves to the
engine. The roots of the epochs travel over the pipe, never by arguments, environment or file.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import IO

from shudian.kernel.codec import Record, decode, encode
from shudian.kernel.door import Arrival, Opened
from shudian.kernel.epochs import EPOCHS, EpochSecret
from shudian.kernel.machine import Machine
from shudian.kernel.outcomes import EPOCH_NOT_IN_FORCE, Outcome, Refused, refused
from shudian.market import MARKET
from shudian.node.verifiers import choose

PART_COUNT = 128
"""Envelopes that travel together: small enough that neither process waits long for the other's last part."""
_SENT_MAX_COUNT = 3
_LENGTH_BYTES = 4
_AHEAD_COUNT = 2_048
_CORES_MIN_COUNT = 2

_log = logging.getLogger("shudian.node")


class _Hello(Record):
    """The first frame to the front."""

    chain_id: str
    verifier: str


class _Ask(Record):
    """Envelopes to open, and the roots of epochs that were not sent before."""

    roots: tuple[tuple[int, bytes], ...]
    envelopes: tuple[bytes, ...]


class _Passed(Record, tag=True):
    """An envelope that was opened."""

    body: bytes
    digest: bytes
    message_key: bytes


class _Turned(Record, tag=True):
    """An envelope that was refused."""

    outcome: Outcome


_Answer = _Passed | _Turned | None
_READY = b"ready"


def pays() -> bool:
    """Whether there is a second core for it."""
    return len(os.sched_getaffinity(0)) >= _CORES_MIN_COUNT


class _Part:
    """Some envelopes of one opening. answers: None until the front answered, and for good if it never will."""

    def __init__(self, envelopes: Sequence[bytes]) -> None:
        self.envelopes = tuple(envelopes)
        self.arrivals: list[Arrival] | None = None
        self.answers: list[_Answer] | None = None
        self.done = threading.Event()


class Opening:
    """Envelopes on their way through the door; :meth:`result` waits for them, and helps."""

    def __init__(self, front: "Front", envelopes: Sequence[bytes]) -> None:
        """Cut them into parts; the front is told by :meth:`Front.begin`."""
        self._front = front
        self.parts = [_Part(envelopes[at : at + PART_COUNT]) for at in range(0, len(envelopes), PART_COUNT)]

    def result(self) -> list[Arrival]:
        """What the door makes of each, in order; for one thread, once."""
        for part in reversed(self.parts):  # the front goes from the first to the last
            if self._front.take_back(part):
                part.arrivals = self._front.door.open_all(part.envelopes)
        arrivals: list[Arrival] = []
        for part in self.parts:
            if part.arrivals is None:
                part.done.wait()
                part.arrivals = self._front.taken(part)
            arrivals.extend(part.arrivals)
        return arrivals


class Front:
    """The engine's end. Close it to end the process."""

    def __init__(self, machine: Machine, verifier: str) -> None:
        """Start the process; it takes its share as soon as it is up. verifier: the back end that it shall use."""
        self.door = machine.door
        self._machine = machine
        self._changed = threading.Condition()
        self._waiting: deque[_Part] = deque()
        self._sent: deque[list[_Part]] = deque()
        self._roots_sent = 0
        self._up = False
        self._ended = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "shudian.node.front"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._threads = [
            threading.Thread(target=self._guarded, args=(run,), name=f"front {name}", daemon=True)
            for name, run in (("feeder", lambda: self._feed(verifier)), ("reader", self._read))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def begin(self, envelopes: Sequence[bytes]) -> Opening:
        """Have envelopes opened; they wait until the front, or the caller of the opening's result, comes to them."""
        opening = Opening(self, envelopes)
        with self._changed:
            if not self._ended:
                self._waiting.extend(opening.parts)
                self._changed.notify_all()
        return opening

    def wait_up(self, seconds: float) -> bool:
        """Wait until the process takes its share; False if it is not up by then."""
        with self._changed:
            return self._changed.wait_for(lambda: self._up or self._ended, seconds) and self._up

    def take_back(self, part: _Part) -> bool:
        """Whether the front has not begun a part, and now will not."""
        with self._changed:
            try:
                self._waiting.remove(part)
            except ValueError:
                return self._ended and not part.done.is_set()
            return True

    def taken(self, part: _Part) -> list[Arrival]:
        """What the front answered; what it did not, the engine's own door opens."""
        if part.answers is None:
            return self.door.open_all(part.envelopes)
        return [self._arrival(data, answer) for data, answer in zip(part.envelopes, part.answers, strict=True)]

    def close(self) -> None:
        """End the process; openings under way are left to the engine's door."""
        self._end()
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what stands in the buffer of a pipe nobody reads
                    pipe.close()

    def _arrival(self, data: bytes, answer: _Answer) -> Arrival:
        if isinstance(answer, _Passed):
            return self.door.opened_elsewhere(data, answer.body, answer.digest, answer.message_key)
        if isinstance(answer, _Turned):
            outcome = answer.outcome
            return Refused(self._machine.refusals[outcome.number], outcome.field, outcome.value, outcome.allowed)
        (arrival,) = self.door.open_all([data])
        return arrival

    def _guarded(self, run: Callable[[], None]) -> None:
        with suppress(
            OSError, ValueError
        ):  # the pipe is gone, or what came is no answer: the engine opens alone from here on
            run()
        if self._end():
            _log.warning("front process %s has gone; the engine opens envelopes alone from here on", self.pid)

    def _end(self) -> bool:
        """Give up on the front; True the first time."""
        with self._changed:
            if self._ended:
                return False
            self._ended = True
            for part in (*self._waiting, *(part for parts in self._sent for part in parts)):
                part.done.set()
            self._waiting.clear()
            self._sent.clear()
            self._changed.notify_all()
        return True

    def _feed(self, verifier: str) -> None:
        _send(self._process.stdin, encode(_Hello(self._machine.chain_id, verifier)))
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._ended or (self._up and self._waiting and len(self._sent) < _SENT_MAX_COUNT)
                )
                if self._ended:
                    return
                parts = [self._waiting.popleft()]
                count = len(parts[0].envelopes)
                while self._waiting and count + len(self._waiting[0].envelopes) <= PART_COUNT:
                    parts.append(self._waiting.popleft())
                    count += len(parts[-1].envelopes)
                self._sent.append(parts)
            envelopes = tuple(data for part in parts for data in part.envelopes)
            _send(self._process.stdin, encode(_Ask(self._new_roots(), envelopes)))

    def _new_roots(self) -> tuple[tuple[int, bytes], ...]:
        first, self._roots_sent = self._roots_sent + 1, EPOCHS.count(self._machine.store)
        roots = ((number, self._machine.secrets.root(number)) for number in range(first, self._roots_sent + 1))
        return tuple((number, root) for number, root in roots if root is not None)

    def _read(self) -> None:
        for data in _frames(self._process.stdout):
            if data == _READY:
                with self._changed:
                    self._up = True
                    self._changed.notify_all()
                continue
            answers: list[_Answer] = decode(data, list[_Answer])
            with self._changed:
                if self._ended:
                    return
                parts = self._sent.popleft()
                self._changed.notify_all()
            at = 0
            for part in parts:
                part.answers = answers[at : at + len(part.envelopes)]
                at += len(part.envelopes)
                part.done.set()


def opened_ahead(blocks: Iterable[Sequence[bytes]], front: Front) -> Iterator[Opening]:
    """The openings of blocks in order, each begun while the blocks before it are still being applied."""
    ahead: deque[Opening] = deque()
    count = 0
    for envelopes in blocks:
        ahead.append(front.begin(envelopes))
        count += len(envelopes)
        while count > _AHEAD_COUNT and len(ahead) > 1:
            count -= sum(len(part.envelopes) for part in ahead[0].parts)
            yield ahead.popleft()
    yield from ahead


class _Shipped:
    """The secrets of the epochs whose roots came over the pipe."""

    def __init__(self) -> None:
        self.secrets: dict[int, EpochSecret] = {}

    def of(self, epoch_no: int) -> EpochSecret | None:
        return self.secrets.get(epoch_no)

    def root(self, _epoch_no: int) -> bytes | None:
        return None


def main() -> None:
    """The front process: open what comes until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the engine, which gets it as well, ends this process by the pipe
    frames = _frames(sys.stdin.buffer)
    hello = decode(next(frames), _Hello)
    shipped = _Shipped()
    door = Machine(MARKET, hello.chain_id, lambda _digest: None).door_with(shipped)
    door.back_end = choose(hello.verifier).back_end
    _send(sys.stdout.buffer, _READY)
    for data in frames:
        ask = decode(data, _Ask)
        for epoch_no, root in ask.roots:
            shipped.secrets[epoch_no] = EpochSecret(root)
        _send(sys.stdout.buffer, encode([_answer(arrival) for arrival in door.open_all(ask.envelopes)]))


def _answer(arrival: Arrival) -> _Answer:
    if isinstance(arrival, Opened):
        return _Passed(arrival.body, arrival.digest, arrival.message_key)
    return None if arrival.refusal is EPOCH_NOT_IN_FORCE else _Turned(refused(arrival))


def _send(pipe: IO[bytes] | None, data: bytes) -> None:
    if pipe is not None:
        pipe.write(len(data).to_bytes(_LENGTH_BYTES, "little") + data)
        pipe.flush()


def _frames(pipe: IO[bytes] | None) -> Iterator[bytes]:
    while pipe is not None:
        length = int.from_bytes(pipe.read(_LENGTH_BYTES), "little")
        data = pipe.read(length) if length else b""
        if not length or len(data) < length:
            return
        yield data


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        main()
