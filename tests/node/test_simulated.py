"""The simulated world: many seeds without a fault, planted faults that must be found, and a seed that is the same run each time."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shudian.contracts.funds.messages import ConfirmDeposit
from shudian.kernel.messages import Message
from shudian.node.embedded import EmbeddedNode
from shudian.node.simulated import Report, SimulationFailed
from shudian.node.store import LedgerStore
from shudian.tools.simulation import Books, replay_command, run

SEEDS_COUNT = int(os.environ.get("SHUDIAN_SEEDS", "200"))
CHUNKS_COUNT = 8
CANARY_SEEDS_COUNT = 60


@pytest.mark.parametrize("chunk", range(CHUNKS_COUNT))
def test_no_seed_finds_a_fault(chunk: int) -> None:
    crashes_count = 0
    for seed in range(chunk, SEEDS_COUNT, CHUNKS_COUNT):
        try:
            crashes_count += run(seed).crashes_count
        except Exception as error:  # noqa: BLE001 - whatever a run raises is a finding, to be named with its seed
            pytest.fail(f"seed {seed}: {error!r}\nrun it again: {replay_command(seed)}")
    assert crashes_count


def test_the_same_seed_is_the_same_run() -> None:
    for seed in (3, 4, 5):
        first, again = run(seed), run(seed)
        assert (first.digest, first.trace) == (again.digest, again.trace)
        assert first.digest != run(seed + 100).digest


def found_by(play: Callable[[int], Report] = run) -> str:
    """The words with which one of the seeds finds a planted fault; empty if none does."""
    for seed in range(CANARY_SEEDS_COUNT):
        try:
            play(seed)
        except SimulationFailed as error:
            return str(error)
    return ""


def test_a_disk_that_does_not_sync_is_found() -> None:
    assert found_by(lambda seed: run(seed, syncs=False))


def test_a_store_that_does_not_wait_for_the_disk_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = LedgerStore._set_up

    def careless(store: LedgerStore, **how: bool) -> None:
        real(store, **how)
        store._db.pragma("synchronous", "OFF")

    monkeypatch.setattr(LedgerStore, "_set_up", careless)
    assert found_by()


def test_a_store_that_forgets_a_row_of_a_block_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = LedgerStore._write

    def forgetful(store: LedgerStore, block: Any, applied: Any) -> Any:
        given = real(store, block, applied)
        if block.header.height % 20 == 0:
            store._db.execute("DELETE FROM state WHERE id = (SELECT max(id) FROM state)")
        return given

    monkeypatch.setattr(LedgerStore, "_write", forgetful)
    assert found_by()


def test_a_node_that_answers_before_the_commit_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = LedgerStore.commit
    kept: dict[int, tuple[Any, Any]] = {}

    def late(store: LedgerStore, block: Any, applied: Any, meta: Any = None) -> None:
        if meta is None and block.header.height % 10 == 0:
            kept[id(store)] = (block, applied)  # written with the next block only
            return
        if id(store) in kept:
            real(store, *kept.pop(id(store)))
        real(store, block, applied, meta)

    monkeypatch.setattr(LedgerStore, "commit", late)
    assert found_by()


def test_read_models_that_miss_an_event_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = EmbeddedNode._follow

    def skipping(node: EmbeddedNode, made: Any) -> None:
        told = made.applied.told
        if made.height % 7 == 0:
            first = next((place for place, events in enumerate(told) if events), 0)
            told = [events[1:] if place == first else events for place, events in enumerate(told)]
        real(node, replace(made, applied=replace(made.applied, told=told)))

    monkeypatch.setattr(EmbeddedNode, "_follow", skipping)
    words = found_by()  # by the books, if the event told of money that is held; else by building them anew
    assert "the books say" in words or words == "the read models differ from those built anew from the log"


def test_money_that_is_not_in_the_books_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The books are kept by other code than the market's: a fen of difference is named."""
    real = Books.take

    def other(books: Books, sender_id: int, message: Message, reply: Any) -> None:
        real(books, sender_id, message, reply)
        if isinstance(message, ConfirmDeposit):
            books.owned[message.owner_id] -= 1

    monkeypatch.setattr(Books, "take", other)
    assert "the books say" in found_by()
