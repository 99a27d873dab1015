"""What passes between the engine and its front: frames on two pipes, and the pipe of tickets that both read."""

import os
from typing import Any

from shudian.kernel.codec import Decoder, Record, decoder
from shudian.kernel.outcomes import Outcome

_LENGTH_BYTES = 4
TICKET_BYTES = 4
PIPE_BYTES = 1 << 20
"""Asked of the system for a pipe; and read from it at most at once."""


class Hello(Record):
    """The first frame to the front. tickets: its end of the pipe of tickets."""

    chain_id: str
    verifier: str
    tickets: int


class Ask(Record):
    """Parts to open, numbered from ``first_part`` on, and the roots of epochs that were not sent before."""

    roots: tuple[tuple[int, bytes], ...]
    first_part: int
    parts: tuple[tuple[bytes, ...], ...]


READY = b"ready"
Turned = tuple[int, Outcome]
"""Place in its part of an envelope that was refused, with the outcome."""


class Frames:
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
            data = os.read(self._pipe, PIPE_BYTES)
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


def next_ticket(tickets: int) -> int | None:
    """The number of the first part that nobody has begun, which is now the caller's; None if there is none."""
    try:
        return int.from_bytes(os.read(tickets, TICKET_BYTES), "little")
    except BlockingIOError:
        return None


def answer_decoder(opened_type: Any) -> Decoder:
    """Of an answer: the number of the part, what was opened, what was refused."""
    return decoder(tuple[int, list[opened_type], list[Turned]])


def framed(data: bytes) -> bytes:
    """A frame as it goes over a pipe: after its length."""
    return len(data).to_bytes(_LENGTH_BYTES, "little") + data
