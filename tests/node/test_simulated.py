"""The simulated world: many seeds without a fault, planted faults that must be found, and a seed that is the same run each time."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
import pytest

from shudian.contracts.certificates.messages import BuyCertificates, RetireCertificates
from shudian.contracts.certificates.state import LOTS
from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import ConfirmDeposit, RequestPayout
from shudian.contracts.funds.messages_accounts import Code, Transfer, TransferCode
from shudian.contracts.funds.messages_numbers import account_id_of
from shudian.contracts.receivables.messages import SplitReceivable
from shudian.kernel.contract import Context, Handler
from shudian.kernel.ids import derived_id
from shudian.kernel.messages import Message
from shudian.market import MARKET
from shudian.node import embedded
from shudian.node.embedded import EmbeddedNode
from shudian.node.errors import NodeError
from shudian.node.folder import READING_FILE
from shudian.node.simulated import NODE, READERS, SET, Report, SimulationFailed
from shudian.node.simulated_disk import ReadersConnection
from shudian.node.store import LedgerStore
from shudian.tools.simulation import replay_command, run, run_many
from shudian.tools.simulation_books import BANK, CERTIFICATE, HOLD, VOUCHER
from shudian.tools.simulation_founding import BANK as BANK_ID
from shudian.tools.simulation_founding import WIND

SEEDS_COUNT = int(os.environ.get("SHUDIAN_SEEDS", "200"))
CHUNKS_COUNT = 8
CANARY_SEEDS_COUNT = 60
ALONE_SEEDS_COUNT = 15


@pytest.mark.parametrize("chunk", range(CHUNKS_COUNT))
def test_no_seed_finds_a_fault(chunk: int) -> None:
    crashes_count = 0
    for seed in range(chunk, SEEDS_COUNT, CHUNKS_COUNT):
        try:
            crashes_count += run(seed).crashes_count
        except Exception as error:  # noqa: BLE001 - whatever a run raises is a finding, to be named with its seed
            pytest.fail(f"seed {seed}: {error!r}\nrun it again: {replay_command(seed)}")
    assert crashes_count


def test_many_seeds_run_in_many_processes_in_their_order() -> None:
    one, two = list(run_many(range(6), 1)), list(run_many(range(6), 2))
    assert [ran.seed for ran in two] == list(range(6))
    assert [ran.report and ran.report.digest for ran in one] == [ran.report and ran.report.digest for ran in two]


def test_a_seed_that_finds_a_fault_is_told_with_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "CLOCK_BEHIND_MAX_MS", 1)  # the node refuses what it should take
    ran = [ran for ran in run_many(range(CANARY_SEEDS_COUNT), 1) if ran.fault]
    assert ran
    assert ran[0].report is None
    assert ran[0].fault.startswith(f"{NODE}: ")


def test_the_same_seed_is_the_same_run() -> None:
    for seed in (3, 4, 5):
        first, again = run(seed), run(seed)
        assert (first.digest, first.trace) == (again.digest, again.trace)
        assert first.digest != run(seed + 100).digest


def found_by(play: Callable[[int], Report] = run, seeds_count: int = CANARY_SEEDS_COUNT) -> SimulationFailed | None:
    """What one of the seeds says of a planted fault; None if none finds it."""
    for seed in range(seeds_count):
        try:
            play(seed)
        except SimulationFailed as error:
            return error
    return None


def found_only_by(checker: str) -> None:
    """A planted fault is found by one checker; when that one is taken away, by none in the seeds up to there and some more."""
    seeds_count = 0

    def counted(seed: int) -> Report:
        nonlocal seeds_count
        seeds_count += 1
        return run(seed)

    found = found_by(counted)
    assert found is not None, f"the checker {checker} finds nothing"
    assert found.checker == checker, str(found)
    assert found_by(lambda seed: run(seed, without=frozenset({checker})), seeds_count + ALONE_SEEDS_COUNT) is None


def plant(monkeypatch: pytest.MonkeyPatch, kind: type[Message], fault: Callable[[Handler, Context, Any], Any]) -> None:
    """Put a fault around the market's own rule for a kind of message; a replay of the log has it too."""
    real = MARKET.handlers[kind]
    monkeypatch.setitem(MARKET.handlers, kind, lambda ctx, message: fault(real, ctx, message))


# ------------------------------------------------------------------------------------------ each checker finds what no other does


def test_set_an_answer_before_its_commit_is_found_by_what_clients_were_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block is written with the next one, read from memory until then, and flushed by an orderly stop: only a crash shows it.

    The read models, which would know of a lost block as well, are made anew at each start.
    """
    commit, block_of, close = LedgerStore.commit, LedgerStore.block, LedgerStore.close
    kept: WeakKeyDictionary[LedgerStore, tuple[Any, Any]] = WeakKeyDictionary()

    def flush(store: LedgerStore) -> None:
        if store in kept:
            commit(store, *kept.pop(store))

    def late(store: LedgerStore, block: Any, applied: Any, meta: Any = None) -> None:
        flush(store)
        if meta is None:
            kept[store] = (block, applied)
        else:
            commit(store, block, applied, meta)

    def read(store: LedgerStore, height: int) -> Any:
        waiting = kept.get(store)
        return waiting[0] if waiting and waiting[0].header.height == height else block_of(store, height)

    def orderly(store: LedgerStore) -> None:
        with suppress(NodeError):  # of a broken disk
            flush(store)
        close(store)

    def forget_readers(folder: Path) -> None:
        for path in folder.glob(f"{READING_FILE}*"):
            path.unlink()

    monkeypatch.setattr(LedgerStore, "commit", late)
    monkeypatch.setattr(LedgerStore, "block", read)
    monkeypatch.setattr(LedgerStore, "close", orderly)
    monkeypatch.setattr(embedded, "refuse_lost_blocks", forget_readers)
    found_only_by(SET)


def test_bank_a_fen_too_much_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deposit is booked, told and mirrored with a fen more than the bank confirmed; debits still equal credits."""

    def generous(real: Handler, ctx: Context, message: ConfirmDeposit) -> Any:
        return real(ctx, msgspec.structs.replace(message, amount_fen=message.amount_fen + 1))

    plant(monkeypatch, ConfirmDeposit, generous)
    found_only_by(BANK)


def test_hold_a_fen_held_and_never_released_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside what a request holds, one fen more under another id: nothing ever posts it or gives it back."""

    def grasping(real: Handler, ctx: Context, message: RequestPayout) -> Any:
        reply: Any = real(ctx, message)
        payout_id, accounts = str(reply.payout_id), (reply.account_id, account_id_of(BANK_ID, Code.BANK))
        order = Transfer(derived_id("planted", payout_id), *accounts, 1, TransferCode.PAYOUT, f"payout:{payout_id}")
        funds.hold(ctx, order)
        return reply

    plant(monkeypatch, RequestPayout, grasping)
    found_only_by(HOLD)


def test_voucher_a_fen_moved_between_parts_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A split gives the first part a fen of the second; the parts add up all the same."""

    def crooked(real: Handler, ctx: Context, message: SplitReceivable) -> Any:
        first, second = message.amounts_fen
        moved = (first + 1, second - 1) if second > 1 else (first, second)
        return real(ctx, msgspec.structs.replace(message, amounts_fen=moved))

    plant(monkeypatch, SplitReceivable, crooked)
    found_only_by(VOUCHER)


def test_certificate_one_sold_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The buyer pays and is told so, yet the lot stays with its seller, free to be sold again; every lot is in its place."""

    def delivering_nothing(real: Handler, ctx: Context, message: BuyCertificates) -> Any:
        reply: Any = real(ctx, message)
        key = (reply.resource_id, reply.month, reply.first_serial_no)
        LOTS.put(ctx, key, msgspec.structs.replace(LOTS.need(ctx, *key), holder_id=WIND, transferred=False))
        return reply

    plant(monkeypatch, BuyCertificates, delivering_nothing)
    found_only_by(CERTIFICATE)


def test_certificate_volume_lost_in_a_split_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """One certificate fewer is retired than the holder was told."""

    def stingy(real: Handler, ctx: Context, message: RetireCertificates) -> Any:
        return real(ctx, msgspec.structs.replace(message, count_certs=max(1, message.count_certs - 1)))

    plant(monkeypatch, RetireCertificates, stingy)
    found_only_by(CERTIFICATE)


# ------------------------------------------------------------------------------------------ the disk, the store and the read models


def test_an_answer_while_the_disk_still_keeps_the_block_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the end of a commit is not waited for, the answers must be."""
    real = EmbeddedNode._bring

    def hasty(node: EmbeddedNode, *submitted: Any) -> Any:
        submission = real(node, *submitted)
        if node._written is not None:
            node._written.batch.answer(node._written.applied.outcomes)
        return submission

    monkeypatch.setattr(EmbeddedNode, "_bring", hasty)
    found = found_by()
    assert found
    assert found.checker == SET


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
    real = LedgerStore.write

    def forgetful(store: LedgerStore, block: Any, applied: Any, meta: Any = None) -> None:
        real(store, block, applied, meta)
        if block.header.height % 20 == 0:
            store._db.execute("DELETE FROM state WHERE id = (SELECT max(id) FROM state)")

    monkeypatch.setattr(LedgerStore, "write", forgetful)
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
    found = found_by()  # by the books, if the event told of money that is held; else by building them anew
    assert found
    assert found.checker in (HOLD, READERS)


def test_read_models_torn_in_the_middle_of_a_block_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without transactions a crash leaves a part of a block in them."""
    real = ReadersConnection.execute

    def careless(connection: ReadersConnection, sql: str, parameters: Any = ()) -> Any:
        return None if sql in ("BEGIN", "COMMIT", "ROLLBACK") else real(connection, sql, parameters)

    monkeypatch.setattr(ReadersConnection, "execute", careless)
    assert found_by()


def test_read_models_that_go_on_after_they_failed_to_follow_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reads would see figures older than what was answered, and no word of it."""

    def silent(node: EmbeddedNode) -> Any:
        node.follow()
        return node._projector

    monkeypatch.setattr(EmbeddedNode, "projector", property(silent))
    found = found_by()
    assert found
    assert found.checker == READERS
