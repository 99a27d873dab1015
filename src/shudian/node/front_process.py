"""The front's process: opens envelopes for the engine (see :mod:`shudian.node.front`), and imports no more than that takes."""

import gc
import os
import select
import signal
import sys
from collections import deque
from contextlib import suppress

from shudian.kernel.codec import decode, decode_own, decoder, encode
from shudian.kernel.door import Door
from shudian.kernel.epochs import EpochSecret
from shudian.kernel.outcomes import Refused, refused
from shudian.messages import MESSAGES
from shudian.node.front_wire import READY, Ask, Frames, Hello, framed, next_ticket
from shudian.node.garbage import set_aside
from shudian.node.verifiers import choose


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
        self._asks = Frames(asking)
        self._frames: deque[bytes] = deque()
        self._answering = answering
        self._waiting: deque[memoryview] = deque()
        self._poll = select.poll()
        self._poll.register(asking, select.POLLIN)
        os.set_blocking(answering, False)

    def say(self, frame: bytes) -> None:
        """Answer, as far as there is room."""
        self._waiting.append(memoryview(framed(frame)))
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
    """Open what it has tickets for until the engine is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the engine, which gets it as well, ends this process by the pipe
    engine = _Engine(sys.stdin.fileno(), sys.stdout.fileno())
    hello = decode(engine.ask(), Hello)
    shipped = _Shipped()
    door = Door(hello.chain_id, MESSAGES, shipped)
    door.back_end = choose(hello.verifier).back_end
    engine.say(READY)
    asks = decoder(Ask)
    parts: dict[int, tuple[bytes, ...]] = {}
    while True:
        number = next_ticket(hello.tickets)
        while number is None or number not in parts:
            ask: Ask = decode_own(asks, engine.ask())
            for epoch_no, root in ask.roots:
                shipped.secrets[epoch_no] = EpochSecret(root)
            if number is None:  # all that came before is taken
                parts.clear()
                number = next_ticket(hello.tickets)
            parts.update(enumerate(ask.parts, ask.first_part))
        arrivals = door.open_all(parts[number])
        opened = [arrival for arrival in arrivals if not isinstance(arrival, Refused)]
        turned = [(place, refused(arrival)) for place, arrival in enumerate(arrivals) if isinstance(arrival, Refused)]
        engine.say(encode((number, opened, turned)))
        for gone in [other for other in parts if other <= number]:
            del parts[gone]


def run() -> None:
    """The whole life of the process. What was imported is set aside from the search for garbage, which was off meanwhile."""
    set_aside()
    gc.enable()
    with suppress(EOFError, BrokenPipeError):
        main()
