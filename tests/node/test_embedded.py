"""The embedded node: what it acknowledged stays, what is damaged is named, threads share a block."""

import gc
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from shudian.client.client import Client, RefusedByLedgerError
from shudian.contracts.governance.messages import AdvanceClock, SetSetting
from shudian.kernel.check import CheckFailed
from shudian.kernel.machine import WALL, Applied
from shudian.kernel.opened import Arrival
from shudian.node.embedded import EmbeddedNode
from shudian.node.errors import NodeError, NodeStoppedError
from shudian.node.folder import READING_FILE
from shudian.node.store import LEDGER_FILE
from shudian.node.verify import verify_folder
from tests.support.chain import create, founder, genesis, key_of, reopen
from tests.support.forms import REPLACES
from tests.support.ledger import SECRETS

HOLIDAYS = "governance.holidays_day"


def set_holiday(day: int) -> SetSetting:
    return SetSetting(HOLIDAYS, "", day, (day,), "test")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[EmbeddedNode]:
    made = create(tmp_path)
    yield made
    made.close()


def test_a_chain_opens_where_it_was_closed(tmp_path: Path) -> None:
    node = create(tmp_path)
    exchange = founder(node, "exchange-operator")
    exchange.submit(set_holiday(20260701))
    exchange.submit(AdvanceClock(node.market_ms + 1_000))
    before = (node.height, node.app_hash, node.market_ms)
    node.close()
    again = reopen(tmp_path)
    assert (again.height, again.app_hash, again.market_ms) == before
    founder(again, "exchange-operator").submit(set_holiday(20260702))
    again.close()
    assert verify_folder(tmp_path, SECRETS).height == before[0] + 1


def test_the_door_refuses_without_a_block(node: EmbeddedNode) -> None:
    for data in (b"", b"\x00" * 40):
        assert node.submit([data])[0][0].number == 1001
    with pytest.raises(RefusedByLedgerError, match="2004"):
        founder(node, "exchange-operator").submit(set_holiday(20200101))
    assert node.height == 1


def test_a_repeat_is_answered_without_a_block(node: EmbeddedNode) -> None:
    data = founder(node, "exchange-operator").seal([set_holiday(20260701)])
    assert node.submit([data]) == node.submit([data])
    assert node.height == 1


def test_outcomes_are_told_for_good(node: EmbeddedNode) -> None:
    exchange = founder(node, "exchange-operator")
    exchange.submit(set_holiday(20260701), message_id=b"0123456789abcdef")
    exchange.submit(AdvanceClock(node.market_ms + 2 * 86_400_000))
    rows = exchange.outcomes(b"0123456789abcdef")
    assert [(row["kind"], row["number"], row["height"]) for row in rows] == [("SetSetting", 0, 1)]
    assert founder(node, "bank-teller").outcomes(b"0123456789abcdef") == []


def test_a_stranger_cannot_use_up_a_members_id(tmp_path: Path) -> None:
    node = create(tmp_path)
    message_id, exchange = b"0123456789abcdef", founder(node, "exchange-operator")
    stranger = Client(exchange.transport, exchange.member_id, [key_of("stranger")])
    with pytest.raises(RefusedByLedgerError, match="3006"):
        stranger.submit(set_holiday(20260701), message_id=message_id)
    exchange.submit(set_holiday(20260701), message_id=message_id)
    assert [row["number"] for row in exchange.outcomes(message_id)] == [0]
    node.close()
    (tmp_path / READING_FILE).unlink()
    again = reopen(tmp_path)  # read models made again from the blocks say the same
    assert [row["number"] for row in founder(again, "exchange-operator").outcomes(message_id)] == [0]
    again.close()


def test_threads_share_a_block(node: EmbeddedNode) -> None:
    exchange = founder(node, "exchange-operator")
    envelopes = [exchange.seal([set_holiday(20260701 + place)]) for place in range(24)]
    numbers: list[int] = []
    gate = threading.Barrier(len(envelopes))

    def submit(data: bytes) -> None:
        gate.wait()
        numbers.append(node.submit([data])[0][0].number)

    threads = [threading.Thread(target=submit, args=(data,)) for data in envelopes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers == [0] * 24
    assert 1 <= node.height <= 24


def test_one_folder_serves_one_process(tmp_path: Path, node: EmbeddedNode) -> None:
    assert node.height == 0
    with pytest.raises(NodeError, match="in use"):
        reopen(tmp_path)


def test_a_new_chain_never_overwrites_an_old_one(tmp_path: Path) -> None:
    create(tmp_path).close()
    with pytest.raises(NodeError, match="already holds"):
        create(tmp_path)


def test_what_is_not_a_chain_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="no folder"):
        reopen(tmp_path / "nowhere")
    with pytest.raises(NodeError, match="holds no ledger"):
        reopen(tmp_path)
    create(tmp_path / "chain").close()
    with pytest.raises(NodeError, match="does not belong"):
        EmbeddedNode.open(tmp_path / "chain", key_of("another node"))
    (tmp_path / "chain" / LEDGER_FILE).write_bytes(b"not a database, but long enough to be read as one" * 100)
    with pytest.raises(NodeError):
        reopen(tmp_path / "chain")


def test_read_models_are_rebuilt_from_the_log(tmp_path: Path) -> None:
    node = create(tmp_path)
    exchange = founder(node, "exchange-operator")
    exchange.submit(set_holiday(20260701))
    before = (exchange.query("governance.settings"), exchange.timeline(f"setting:{HOLIDAYS}"))
    node.close()
    for file in tmp_path.glob(f"{READING_FILE}*"):
        file.unlink()
    again = reopen(tmp_path)
    exchange = founder(again, "exchange-operator")
    assert (exchange.query("governance.settings"), exchange.timeline(f"setting:{HOLIDAYS}")) == before
    again.close()


@REPLACES
def test_a_broken_promise_stops_the_node(tmp_path: Path, node: EmbeddedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object) -> None:
        raise CheckFailed("planted")

    monkeypatch.setattr(node.machine, "_changes", broken)
    exchange = founder(node, "exchange-operator")
    with pytest.raises(CheckFailed):
        exchange.submit(set_holiday(20260701))
    monkeypatch.undo()
    with pytest.raises(NodeStoppedError):
        exchange.submit(set_holiday(20260701))
    node.close()
    assert reopen_height(tmp_path) == 0


def reopen_height(folder: Path) -> int:
    node = reopen(folder)
    height = node.height
    node.close()
    return height


def test_a_wall_clock_takes_the_time_of_blocks(tmp_path: Path) -> None:
    now_ms = [1_800_000_000_000]
    node = EmbeddedNode.create(tmp_path, genesis(WALL), key_of("node"), now_ms=lambda: now_ms[0])
    exchange = founder(node, "exchange-operator")
    exchange.submit(set_holiday(20270701))
    assert node.machine.market_ms == now_ms[0]
    with pytest.raises(RefusedByLedgerError, match="2005"):
        exchange.submit(AdvanceClock(now_ms[0] + 5))
    now_ms[0] -= 3_600_000
    node.tick()
    assert node.machine.market_ms == 1_800_000_000_000
    node.close()


TABLE_IS = "table_id = (SELECT id FROM state_tables WHERE name = '{}')"


def _damage(table: str, column: str, condition: str) -> Callable[[sqlite3.Connection], None]:
    def run(db: sqlite3.Connection) -> None:
        value = bytearray(db.execute(f"SELECT {column} FROM {table} WHERE {condition} LIMIT 1").fetchone()[0])
        value[-1] ^= 1
        db.execute(f"UPDATE {table} SET {column} = ? WHERE {condition}", (bytes(value),))

    return run


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (_damage("blocks", "block", "height = 1"), "block 1"),
        (_damage("state", "row", TABLE_IS.format("governance.setting_rows")), "governance.setting_rows"),
        (lambda db: db.execute("DELETE FROM state WHERE " + TABLE_IS.format("kernel.clock")), "kernel.clock"),
        (lambda db: db.execute("DELETE FROM blocks WHERE height = 1"), "block 1"),
    ],
    ids=["flipped block", "flipped row", "lost row", "lost block"],
)
def test_damage_is_named_by_verify(tmp_path: Path, damage: Callable[[sqlite3.Connection], None], named: str) -> None:
    node = create(tmp_path)
    exchange = founder(node, "exchange-operator")
    exchange.submit(set_holiday(20260701))
    exchange.submit(set_holiday(20260702))
    node.close()
    assert verify_folder(tmp_path, SECRETS).message_count == 2
    db = sqlite3.connect(tmp_path / LEDGER_FILE)
    damage(db)
    db.commit()
    db.close()
    with pytest.raises(NodeError, match=named):
        verify_folder(tmp_path, SECRETS)


WORKLOAD = """
import sys
from pathlib import Path
from shudian.contracts.governance.messages import SetSetting
from tests.support.chain import create, founder
node = create(Path(sys.argv[1]))
exchange = founder(node, "exchange-operator")
for count in range(100_000):
    message = SetSetting("governance.holidays_day", f"{count}", 20260701, (20260701,), "test")
    outcome = node.submit([exchange.seal([message], message_id=count.to_bytes(16, "big"))])[0][0]
    print(count, outcome.number, flush=True)
"""


def test_what_was_acknowledged_survives_kill(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WORKLOAD, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    acknowledged = [process.stdout.readline() for _ in range(40)]
    process.kill()
    rest = process.stdout.read().splitlines()
    process.wait()
    process.stdout.close()
    counts = [int(line.split()[0]) for line in [*acknowledged, *rest] if line.endswith("\n") or " " in line]
    node = reopen(tmp_path)
    exchange = founder(node, "exchange-operator")
    for count in counts:
        assert exchange.outcomes(count.to_bytes(16, "big")), count
    assert node.height in (len(counts), len(counts) + 1)
    node.close()
    assert verify_folder(tmp_path, SECRETS).height == node.height


def test_read_models_follow_the_answer_and_show_all_that_was_acknowledged(tmp_path: Path) -> None:
    node = create(tmp_path)
    exchange = founder(node, "exchange-operator")
    node.submit([exchange.seal([set_holiday(20260701)], message_id=b"0123456789abcdef")])
    behind = sqlite3.connect(tmp_path / READING_FILE)
    assert behind.execute("SELECT COUNT(*) FROM messages").fetchone() == (0,)
    assert len(exchange.outcomes(b"0123456789abcdef")) == 1
    assert behind.execute("SELECT COUNT(*) FROM messages").fetchone() == (1,)
    node.submit([exchange.seal([set_holiday(20260702)])])
    node.close()
    assert behind.execute("SELECT COUNT(*) FROM messages").fetchone() == (2,)
    behind.close()


def test_read_models_of_another_ledger_are_not_shown(tmp_path: Path) -> None:
    """Same chain, same height, another last block: put there by hand, or of a ledger that was set back. They are built anew."""
    shown = []
    for name, day in (("one", 20260701), ("other", 20260702)):
        with closing(create(tmp_path / name)) as node:
            founder(node, "exchange-operator").submit(set_holiday(day))
            shown.append(founder(node, "exchange-operator").query("governance.settings"))
    assert shown[0] != shown[1]
    shutil.copyfile(tmp_path / "other" / READING_FILE, tmp_path / "one" / READING_FILE)
    with closing(reopen(tmp_path / "one")) as again:
        assert founder(again, "exchange-operator").query("governance.settings") == shown[0]


def test_read_models_that_cannot_follow_show_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they show would be older than what was answered, without a word."""
    node = create(tmp_path)
    exchange = founder(node, "exchange-operator")
    exchange.submit(set_holiday(20260701))
    told = exchange.query("governance.settings")

    def full(*_args: object, **_how: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(node._projector, "project", full)
    node.submit([exchange.seal([set_holiday(20260702)])])
    for _ in range(2):
        with pytest.raises(NodeStoppedError, match="cannot follow the blocks"):
            exchange.query("governance.settings")
    node.close()
    with closing(reopen(tmp_path)) as again:
        assert len(founder(again, "exchange-operator").query("governance.settings")) == len(told) + 1


def test_read_models_do_not_fall_too_far_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shudian.node.embedded.UNFOLLOWED_MAX_COUNT", 3)
    node = create(tmp_path)
    exchange = founder(node, "exchange-operator")
    behind = sqlite3.connect(tmp_path / READING_FILE)
    for count in range(3):  # an envelope and an event each: one message may wait, the second makes the first one follow
        node.submit([exchange.seal([set_holiday(20260701 + count)])])
        assert behind.execute("SELECT COUNT(*) FROM messages").fetchone() == (count,)
    assert [node.follow_next(), node.follow_next()] == [True, False]
    assert behind.execute("SELECT COUNT(*) FROM messages").fetchone() == (3,)
    behind.close()
    node.close()


def test_what_was_set_aside_stays_so_until_the_node_closes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shudian.node.embedded.SET_ASIDE_MIN_COUNT", 1)
    gc.unfreeze()
    node = create(tmp_path)
    founder(node, "exchange-operator").submit(set_holiday(20260701))
    node.follow()
    assert gc.get_freeze_count() > 0
    node.close()
    assert gc.get_freeze_count() == 0


@REPLACES
def test_no_search_for_garbage_while_a_block_is_made(node: EmbeddedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    apply = node.machine.apply

    def watched(block_ms: int, arrivals: Sequence[Arrival]) -> Applied:
        seen.append(gc.isenabled())
        return apply(block_ms, arrivals)

    monkeypatch.setattr(node.machine, "apply", watched)
    founder(node, "exchange-operator").submit(set_holiday(20260701))
    assert seen == [False]
    assert gc.isenabled()
