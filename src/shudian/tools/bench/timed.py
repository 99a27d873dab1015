"""A node with a stopwatch at each stage of a block, for benches."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from shudian.kernel.machine import Applied
from shudian.kernel.messages import Message
from shudian.kernel.opened import Arrival, Opened
from shudian.node.batches import Begun, Made
from shudian.node.blocks import Block
from shudian.node.embedded import EmbeddedNode

STAGES = ("door", "execute", "seal", "commit", "rest", "project")
"""door: opening, or waiting for the front and taking over. seal: results and header. rest: queue, answers, what is kept for readers.
project: read models, after the answers."""


class TimedNode(EmbeddedNode):
    """An embedded node; ``spent`` holds the wall seconds of each stage but ``rest`` since the last :meth:`reset`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As an embedded node."""
        self.spent: dict[str, float] = {}
        self.reset()
        super().__init__(*args, **kwargs)

    def reset(self) -> None:
        """Set the stopwatches to zero."""
        self.spent = {stage: 0.0 for stage in STAGES if stage != "rest"}

    @contextmanager
    def _watch(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.spent[stage] += time.perf_counter() - started

    def _through_door(self, parts: Iterable[list[bytes]]) -> Iterator[tuple[list[bytes], list[Arrival]]]:
        passing = super()._through_door(parts)
        while True:
            with self._watch("door"):
                part = next(passing, None)
            if part is None:
                return
            yield part

    def _opened(self, begun: Begun) -> list[Arrival]:
        with self._watch("door"):
            return super()._opened(begun)

    def _apply(self, time_ms: int, acts: list[Opened[Message]]) -> Applied:
        with self._watch("execute"):
            return super()._apply(time_ms, acts)

    def _seal(
        self, envelopes: list[bytes], digests: list[bytes], applied: Applied, before: Block | None, time_ms: int
    ) -> Block:
        with self._watch("seal"):
            return super()._seal(envelopes, digests, applied, before, time_ms)

    def _commit(self, block: Block, applied: Applied) -> Future[None] | None:
        with self._watch("commit"):
            return super()._commit(block, applied)

    def _wait_durable(self) -> None:
        with self._watch("commit"):
            super()._wait_durable()

    def _follow(self, made: Made) -> None:
        with self._watch("project"):
            super()._follow(made)
