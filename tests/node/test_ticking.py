"""Stored rows against a replay: whatever is missing, stands too much or is another row is named, and nothing else is."""

import random

import pytest

from shudian.kernel.tables import Change
from shudian.node.ticking import StoredRows

Rows = dict[tuple[str, bytes], tuple[bytes, int]]


def log(seed: int, blocks_count: int = 12) -> tuple[list[list[Change]], Rows]:
    """What blocks wrote and removed, some rows many times, and the state that this leads to."""
    chance = random.Random(seed)
    blocks: list[list[Change]] = []
    state: Rows = {}
    for height in range(blocks_count):
        changes: dict[tuple[str, bytes], Change] = {}
        for _ in range(chance.randrange(6)):
            place = (chance.choice("ab"), bytes([chance.randrange(5)]))
            row = None if chance.randrange(3) == 0 else bytes([chance.randrange(2)])
            changes[place] = (*place, row, height)
            if row is None:
                state.pop(place, None)
            else:
                state[place] = (row, height)
        blocks.append(list(changes.values()))
    return blocks, state


def first_wrong(blocks: list[list[Change]], stored: Rows) -> tuple[str, object] | None:
    rows = StoredRows((table, key, row, height) for (table, key), (row, height) in stored.items())
    for height, changes in enumerate(blocks):
        rows.tick_off(height, changes)
    return rows.first_wrong()


@pytest.mark.parametrize("seed", range(60))
def test_only_what_the_log_leads_to_passes(seed: int) -> None:
    blocks, state = log(seed)
    assert first_wrong(blocks, state) is None
    for place in (("a", b"\0"), ("a", b"\3"), ("b", b"\1"), ("c", b"\0")):
        row = state.get(place)
        for other in [(row_bytes, height) for row_bytes in (b"\0", b"\1") for height in range(-1, len(blocks) + 1)]:
            if other != row:
                assert first_wrong(blocks, {**state, place: other}) == place
        if row is not None:
            assert first_wrong(blocks, {at: found for at, found in state.items() if at != place}) == place


def test_the_first_of_several_is_named() -> None:
    blocks: list[list[Change]] = [[("t", b"1", b"x", 0), ("t", b"2", b"x", 0)], [("t", b"3", b"x", 1)]]
    assert first_wrong(blocks, {("t", b"2"): (b"y", 0)}) == ("t", b"1")
    assert first_wrong(blocks, {("s", b"9"): (b"y", 0), ("t", b"1"): (b"x", 0)}) == ("s", b"9")
