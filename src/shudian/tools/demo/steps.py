"""A step of the sandbox month: acts that stand in one block at one market time."""

from collections.abc import Callable
from dataclasses import dataclass

from shudian.tools.demo.stage import Act, Stage


@dataclass(frozen=True)
class Step:
    """Acts that happen at ``at_ms``; at the end of their block the clock moves on to the next step, and what falls due happens.

    key: unique in the story. build: makes the acts from the world and from what is read on the ledger.
    """

    key: str
    at_ms: int
    build: Callable[[Stage], list[Act]]
    zh: str
    en: str


def nobody(_stage: Stage) -> list[Act]:
    """No acts: time passes and what is due happens."""
    return []
