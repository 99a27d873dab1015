"""Pull the plug at every step of the disk: what was acknowledged is there, what was not has left no trace, and a second crash changes nothing."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shudian.contracts.funds.messages import ConfirmDeposit, OpenAccount
from shudian.contracts.governance.messages import AdvanceClock, SetSetting
from shudian.kernel.codec import encode
from shudian.kernel.crypto import sha256
from shudian.kernel.messages import Message
from shudian.node import folder as folder_module
from shudian.node import store as store_module
from shudian.node.embedded import EmbeddedNode
from shudian.node.errors import NodeError
from shudian.node.verify import verify_folder
from shudian.reading import projector as projector_module
from tests.node.disk import Fate, RecordingDisk, Step, Told, all_arrives, left_by_crash, nothing_arrives, torn
from tests.support.chain import BANK_ID, GRID_ID, create, founder, reopen
from tests.support.ledger import SECRETS

DAY_MS = 86_400_000
FATES: dict[str, Callable[[int], Fate]] = {
    "unsynced lost": lambda _step_no: nothing_arrives,
    "unsynced kept": lambda _step_no: all_arrives,
    "unsynced torn": torn,
}
RECOVERIES_COUNT = 12
STEPS_OF_A_RECOVERY_COUNT = 40
BROKEN_DISKS_COUNT = 60
Said = tuple[int, bytes, int, int, int]


@dataclass
class History:
    """What the workload did: stored blocks and app hashes by height, what the read models say, the steps of the disk."""

    blocks: list[bytes] = field(default_factory=list)
    app_hashes: list[bytes] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def take(self, node: EmbeddedNode, disk: RecordingDisk) -> None:
        """The caller has an outcome in hand: remember the block behind it."""
        if node.height == len(self.blocks):
            self.blocks.append(encode(node._last))
            self.app_hashes.append(node.app_hash)
        disk.steps.append(Told(node.height))

    def told_before(self, step_no: int) -> int:
        """The greatest height acknowledged before a step; -1 if none."""
        return max((step.height for step in self.steps[:step_no] if isinstance(step, Told)), default=-1)


def acts(node: EmbeddedNode, turn: int) -> Iterator[tuple[str, Message]]:
    """The script: a setting, an account, deposits, and days that pass, so that rows are added, replaced and deleted."""
    day = 20260701 + turn
    yield "exchange-operator", SetSetting("governance.holidays_day", "", day, (day,), "test")
    if turn == 0:
        yield "grid_company-finance", OpenAccount(BANK_ID, sha256(b"account"))
    for number in range(3):
        yield "bank-teller", ConfirmDeposit(GRID_ID, 100_000 + number, sha256(b"deposit %d %d" % (turn, number)))
    yield "exchange-operator", AdvanceClock(node.market_ms + 2 * DAY_MS)
    yield "bank-teller", ConfirmDeposit(GRID_ID, 7, sha256(b"later deposit %d" % turn))


def said_by(node: EmbeddedNode) -> list[Said]:
    """Every outcome that the read models hold."""
    rows = node.projector.connection.execute("SELECT sender_id, id, item_no, number, height FROM messages")
    return sorted(rows.fetchall())


def play(folder: Path, disk: RecordingDisk) -> History:
    """Found a chain, play the script, close (a checkpoint), open again, play it once more."""
    history = History(steps=disk.steps)
    node = create(folder)
    for turn in range(2):
        try:
            history.take(node, disk)
            for name, message in acts(node, turn):
                founder(node, name).submit(message)
                history.take(node, disk)
            history.said = said_by(node)
        finally:
            node.close()
        node = reopen(folder)
    node.close()
    return history


@contextmanager
def recording(fails_at: int | None = None, *, syncs: bool = True) -> Iterator[RecordingDisk]:
    """The product opens its files on a recording disk; without ``syncs`` it never waits for the disk, a planted fault."""
    disk = RecordingDisk("recording", fails_at, syncs=syncs)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store_module, "connect", disk.connect)
            for module in (projector_module, folder_module):
                patch.setattr(module, "sqlite3", disk.module())
            yield disk
    finally:
        disk.unregister()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> History:
    with recording() as disk:
        return play(tmp_path_factory.mktemp("played") / "chain", disk)


def put_files(folder: Path, files: dict[str, bytes]) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def is_founded(folder: Path) -> bool:
    """Whether there is a chain; anything but a clear word that there is none is a failure."""
    try:
        reopen(folder).close()
    except NodeError as error:
        if "holds no ledger" not in str(error):
            raise
        return False
    return True


def check_recovered(folder: Path, history: History, told: int) -> None:
    """Open what is left with the product as it is: nothing acknowledged is lost, nothing else is there, and the ledger goes on."""
    if told < 0 and not is_founded(folder):
        create(folder).close()  # a founding that did not finish is done again
        return
    node = reopen(folder)
    try:
        height = node.height
        assert told <= height < len(history.blocks), (told, height)
        assert [encode(block) for block in node._store.blocks(0)] == history.blocks[: height + 1]
        assert node.app_hash == history.app_hashes[height]
        assert said_by(node) == [said for said in history.said if said[-1] <= height]
        founder(node, "exchange-operator").submit(AdvanceClock(node.market_ms + 1_000))
    finally:
        node.close()


@pytest.mark.parametrize("fate_of", FATES.values(), ids=FATES)
def test_a_crash_at_any_step_loses_nothing_that_was_told(
    memory_folder: Path, played: History, fate_of: Callable[[int], Fate]
) -> None:
    seen = set()
    for step_no in range(len(played.steps) + 1):
        told = played.told_before(step_no)
        left = left_by_crash(played.steps[:step_no], fate_of(step_no))
        case = (told, tuple(sorted(left.items())))
        if case not in seen:  # a step that left no mark gives the same files again
            seen.add(case)
            check_recovered(put_files(memory_folder / "left", left), played, told)
    assert len(seen) > len(played.blocks)


@pytest.mark.parametrize("fate_of", FATES.values(), ids=FATES)
def test_a_crash_during_recovery_loses_nothing_either(
    memory_folder: Path, played: History, fate_of: Callable[[int], Fate]
) -> None:
    cases_count = 0
    for step_no in evenly(len(played.steps), RECOVERIES_COUNT):
        told = played.told_before(step_no)
        if told < 0:
            continue
        left = left_by_crash(played.steps[:step_no], fate_of(step_no))
        with recording() as disk:
            reopen(put_files(memory_folder / "recovering", left)).close()
        for again_no in evenly(len(disk.steps), STEPS_OF_A_RECOVERY_COUNT):
            cases_count += 1
            left_again = left_by_crash(disk.steps[:again_no], fate_of(again_no), left)
            check_recovered(put_files(memory_folder / "left", left_again), played, told)
    assert cases_count > RECOVERIES_COUNT


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # apsw's close meets the broken disk too
def test_a_disk_that_breaks_stops_the_node_and_keeps_what_was_told(memory_folder: Path, played: History) -> None:
    """From some step on every write fails while the process lives on: no answer without its block, and a clear word."""
    refused_count = 0
    for step_no in evenly(len(played.steps), BROKEN_DISKS_COUNT):
        chain = memory_folder / str(step_no)
        told = -1
        with recording(fails_at=step_no) as disk:
            try:
                play(chain, disk)
            except (NodeError, sqlite3.Error) as error:
                refused_count += "disk I/O error" in str(error)
            told = max((step.height for step in disk.steps if isinstance(step, Told)), default=-1)
        if told >= 0:
            node = reopen(chain)
            assert told <= node.height <= told + 1
            node.close()
            assert verify_folder(chain, SECRETS).height == node.height
    assert refused_count > BROKEN_DISKS_COUNT // 2


def test_the_crash_loop_finds_a_store_that_does_not_wait_for_the_disk(memory_folder: Path) -> None:
    with recording(syncs=False) as disk:
        careless = play(memory_folder / "chain", disk)
    end = len(careless.steps)
    left = put_files(memory_folder / "left", left_by_crash(careless.steps, nothing_arrives))
    with pytest.raises(NodeError, match="holds no ledger"):
        check_recovered(left, careless, careless.told_before(end))


def evenly(total_count: int, at_most_count: int) -> list[int]:
    """Numbers 0..total, evenly thinned out."""
    return sorted({total_count * place // at_most_count for place in range(at_most_count + 1)})
