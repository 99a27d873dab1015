"""What waits in the embedded engine: submissions for their block, a block for the disk, blocks for the read models."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

from shudian.kernel.machine import Applied, Machine
from shudian.kernel.messages import Message
from shudian.kernel.opened import Arrival, Opened
from shudian.kernel.outcomes import Outcome, Refused, refused
from shudian.node.blocks import BLOCK_MAX_BYTES, Block

BLOCK_MAX_COUNT: Final = 4_096


@dataclass(frozen=True)
class Begun:
    """Envelopes that were brought to the door. opened: waits for what the door makes of them."""

    envelopes: list[bytes]
    opened: Callable[[], list[Arrival]]


class Submission:
    """Envelopes that were submitted together, and what the door made of each. seen: how many have been looked at, answered or in a block."""

    def __init__(self, envelopes: Sequence[bytes], arrivals: Sequence[Arrival]) -> None:
        self.envelopes = envelopes
        self.arrivals = arrivals
        self.answers: list[tuple[Outcome, ...]] = [()] * len(arrivals)
        self.seen = 0
        self.is_answered = not arrivals


class Batch:
    """What goes into the next block. places: of each submission, which of it. complete: submissions that end with this block."""

    def __init__(self) -> None:
        self.envelopes: list[bytes] = []
        self.acts: list[Opened[Message]] = []
        self.places: list[tuple[Submission, list[int]]] = []
        self.complete: list[Submission] = []
        self.size = 0

    def fill(self, submission: Submission, machine: Machine, now_ms: int) -> bool:
        """Take of a submission what the block has room for, answering what needs none; whether that was all of it."""
        answers, acts, envelopes = submission.answers, self.acts, self.envelopes
        places: list[int] = []
        self.places.append((submission, places))
        for place in range(submission.seen, len(submission.arrivals)):
            arrival = submission.arrivals[place]
            if isinstance(arrival, Refused):
                answers[place] = (refused(arrival),)
                continue
            try:
                answered = machine.first_answer(arrival, now_ms)
            except Refused as error:
                answers[place] = (refused(error),)
                continue
            if answered is not None:
                answers[place] = answered.outcomes
                continue
            data = submission.envelopes[place]
            self.size += len(data)
            if len(acts) >= BLOCK_MAX_COUNT or self.size > BLOCK_MAX_BYTES:
                submission.seen = place
                return False
            envelopes.append(data)
            acts.append(arrival)
            places.append(place)
        return True

    def answer(self, outcomes: Sequence[tuple[Outcome, ...]]) -> None:
        """The block is durable: give out what it led to."""
        found = iter(outcomes)
        for submission, places in self.places:
            for place in places:
                submission.answers[place] = next(found)
        for submission in self.complete:
            submission.is_answered = True


@dataclass(frozen=True)
class Written:
    """A block that is written but may not be durable yet. done: when it is, if the disk is waited for in another thread."""

    batch: Batch
    applied: Applied
    block: Block
    before: Block
    done: Future[None] | None


@dataclass(frozen=True)
class Made:
    """A block that the read models have not followed yet. count: of its envelopes and events."""

    height: int
    mark: bytes
    messages_ms: int
    acts: list[Opened[Message]]
    applied: Applied
    count: int
