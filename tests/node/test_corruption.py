"""Flip bytes of what is stored: each flip is refused in words at start or by verify, or fell on bytes that hold nothing."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shudian.contracts.governance.messages import AdvanceClock, SetSetting
from shudian.node.embedded import EmbeddedNode
from shudian.node.errors import NodeError
from shudian.node.folder import READING_FILE
from shudian.node.store import LEDGER_FILE, LedgerStore
from shudian.node.verify import verify_folder
from tests.support.chain import create, founder, reopen
from tests.support.ledger import SECRETS

FLIPS_COUNT = 600
WAL_FILE = f"{LEDGER_FILE}-wal"
CONTENT = (
    "SELECT * FROM meta ORDER BY 1",
    "SELECT * FROM blocks ORDER BY 1",
    "SELECT name, key, row, height FROM state JOIN state_tables ON table_id = state_tables.id ORDER BY 1, 2",
    "SELECT * FROM cold ORDER BY 1",
)
"""A row's number is no content: it is a place on the disk, and any other would do."""


def fill(folder: Path) -> EmbeddedNode:
    """A chain of some blocks, still open: its last blocks stand in the write-ahead log alone."""
    node = create(folder)
    exchange = founder(node, "exchange-operator")
    for day in range(20260701, 20260713):
        exchange.submit(SetSetting("governance.holidays_day", "", day, (day,), "test"))
    exchange.submit(AdvanceClock(node.market_ms + 1_000))
    node.follow()  # read models are the witness of blocks that a damaged log lost, of those that they have seen
    return node


CLOCK = "table_id = (SELECT id FROM state_tables WHERE name = 'kernel.clock')"
ANSWERS = CLOCK.replace("clock", "answers")


def content(folder: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(folder / LEDGER_FILE)) as ledger:
        return {sql: ledger.execute(sql).fetchall() for sql in CONTENT}


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1 << (offset % 8)
    path.write_bytes(data)


def sampled(size: int, count: int = FLIPS_COUNT) -> list[int]:
    """Offsets over the whole file, and every byte of the file header."""
    step = max(1, size // count)
    return sorted({*range(100), *(place * step + place % step for place in range(size // step))} & set(range(size)))


def finding(folder: Path) -> str:
    """What start and verify say, in English; empty if they find nothing. Anything but a NodeError escapes and fails the test."""
    try:
        reopen(folder).close()
        verify_folder(folder, SECRETS)
    except NodeError as error:
        return error.sentence("en")
    return ""


@pytest.mark.parametrize("has_readers", [True, False], ids=["with read models", "read models to be rebuilt"])
def test_a_flipped_byte_of_the_ledger_is_found_or_held_nothing(memory_folder: Path, has_readers: bool) -> None:
    whole = memory_folder / "whole"
    fill(whole).close()
    expected = content(whole)
    found_count = harmless_count = 0
    for offset in sampled((whole / LEDGER_FILE).stat().st_size):
        damaged = memory_folder / "damaged"
        shutil.rmtree(damaged, ignore_errors=True)
        shutil.copytree(whole, damaged)
        if not has_readers:
            (damaged / READING_FILE).unlink()
        flip(damaged / LEDGER_FILE, offset)
        if finding(damaged):
            found_count += 1
        else:
            harmless_count += 1
            assert content(damaged) == expected, offset
    assert found_count > harmless_count, (found_count, harmless_count)


def test_a_flipped_byte_of_the_write_ahead_log_never_loses_a_block_in_silence(memory_folder: Path) -> None:
    whole, live = memory_folder / "whole", memory_folder / "live"
    with closing(fill(live)):
        shutil.copytree(live, whole, ignore=shutil.ignore_patterns("*-shm", "lock"))
    whole_wal = (whole / WAL_FILE).read_bytes()
    shutil.copytree(whole, memory_folder / "checked")
    expected = content(memory_folder / "checked")
    found_count = 0
    for offset in sampled(len(whole_wal), FLIPS_COUNT // 2):
        damaged = memory_folder / "damaged"
        shutil.rmtree(damaged, ignore_errors=True)
        shutil.copytree(whole, damaged)
        flip(damaged / WAL_FILE, offset)
        left = (damaged / WAL_FILE).read_bytes()
        try:
            reopen(damaged).close()
        except NodeError:
            found_count += 1
            assert (damaged / WAL_FILE).read_bytes() == left, "what is refused is left as it was"
        else:
            assert content(damaged) == expected, offset
    assert found_count > FLIPS_COUNT // 4


def damage(folder: Path, sql: str) -> None:
    with closing(sqlite3.connect(folder / LEDGER_FILE)) as ledger:
        ledger.execute(sql)
        ledger.commit()


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("UPDATE meta SET value = value || x'20' WHERE name = 'genesis'", "genesis of the ledger is damaged"),
        ("DELETE FROM meta WHERE name = 'genesis'", "the ledger lacks genesis"),
        ("UPDATE blocks SET digest = x'00' WHERE height = (SELECT max(height) FROM blocks)", "block 13 is damaged"),
        ("UPDATE blocks SET block = 5 WHERE height = 13", "block 13 is damaged"),
        ("DELETE FROM blocks WHERE height = 13", "the ledger ends at block 12 but its read models have seen block 13"),
        ("DELETE FROM blocks", "the ledger holds no block"),
        ("UPDATE state SET row = x'00' WHERE " + CLOCK, "a row of the state cannot be decoded"),
        ("UPDATE state SET key = 7 WHERE " + CLOCK, "a row of the state cannot be decoded"),
        ("UPDATE state_tables SET name = 'kernel.cloak' WHERE name = 'kernel.clock'", "cannot be decoded"),
        ("UPDATE state SET table_id = 99 WHERE " + CLOCK, "cannot be decoded"),
        (
            "INSERT INTO state SELECT 100000, table_id, key, row, height FROM state WHERE " + CLOCK,
            "stands twice or out of order",
        ),
        ("UPDATE state SET height = height + 1 WHERE " + CLOCK, "does not lead to the app hash"),
        ("UPDATE state SET height = -1 WHERE " + CLOCK, "a row of the state cannot be decoded"),
        ("UPDATE state SET height = 'x' WHERE " + CLOCK, "a row of the state cannot be decoded"),
        ("DELETE FROM state WHERE " + ANSWERS, "does not lead to the app hash of block 13"),
        ("ALTER TABLE cold ADD COLUMN more BLOB", "table definitions"),
        ("PRAGMA user_version = 1", "format 1"),
    ],
)
def test_damage_is_named_at_start(tmp_path: Path, sql: str, named: str) -> None:
    fill(tmp_path).close()
    damage(tmp_path, sql)
    with pytest.raises(NodeError, match=named):
        reopen(tmp_path)


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        (f"UPDATE state SET row = x'00' WHERE {CLOCK}", r"kernel\.clock \(\)"),
        (f"UPDATE state SET height = height + 1 WHERE {CLOCK}", r"kernel\.clock \(\)"),
        (f"DELETE FROM state WHERE {CLOCK}", r"kernel\.clock \(\)"),
        (f"UPDATE state SET key = x'9101' WHERE {CLOCK}", r"kernel\.clock \(\)"),
        (f"UPDATE state SET height = 7 WHERE {CLOCK} OR {ANSWERS}", r"kernel\.answers .*"),
        (
            "INSERT INTO state SELECT (SELECT max(id) + 1 FROM state), table_id, x'9101', row, height FROM state WHERE "
            + CLOCK,
            r"kernel\.clock \(1\)",
        ),
        ("INSERT INTO state SELECT max(id) + 1, 99, x'9101', row, height FROM state", r"\? 99 \(1\)"),
    ],
)
def test_verify_names_the_first_row_that_differs(tmp_path: Path, sql: str, named: str) -> None:
    fill(tmp_path).close()
    damage(tmp_path, sql)
    with pytest.raises(NodeError, match=rf"the row of the state table {named} differs"):
        verify_folder(tmp_path, SECRETS)


def test_verify_tests_the_ledger_of_one_moment_while_a_node_goes_on_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block that is written while verify reads is no row that differs."""
    with closing(fill(tmp_path)) as node:
        exchange = founder(node, "exchange-operator")
        before = (node.height, node.app_hash)
        rows = LedgerStore.rows

        def rows_then_a_block(store: LedgerStore) -> list[tuple[str, bytes, bytes, int]]:
            found = rows(store)
            exchange.submit(AdvanceClock(node.market_ms + 1_000))
            return found

        monkeypatch.setattr(LedgerStore, "rows", rows_then_a_block)
        verified = verify_folder(tmp_path, SECRETS)
        assert (verified.height, verified.app_hash) == before
        assert node.height == before[0] + 1


def test_a_fault_that_ends_the_moment_is_told_itself(tmp_path: Path) -> None:
    fill(tmp_path).close()
    with closing(LedgerStore(tmp_path, read_only=True)) as store:
        reading = store.of_one_moment()
        reading.__enter__()
        store._db.execute("ROLLBACK")
        fault = NodeError("块", "block 99 is missing")
        assert not reading.__exit__(NodeError, fault, None)


def test_verify_finds_a_live_page_in_the_list_of_free_ones(tmp_path: Path) -> None:
    """All content is still there, but the next block would be written over some of it."""
    fill(tmp_path).close()
    path = tmp_path / LEDGER_FILE
    data = bytearray(path.read_bytes())
    data[32:40] = (2).to_bytes(4, "big") + (1).to_bytes(4, "big")  # first free page, count of free pages
    path.write_bytes(data)
    with pytest.raises(NodeError, match="the ledger file is damaged"):
        verify_folder(tmp_path, SECRETS)


def test_damaged_read_models_are_said_to_be_deletable(tmp_path: Path) -> None:
    fill(tmp_path).close()
    path = tmp_path / READING_FILE
    path.write_bytes(path.read_bytes()[:100] + bytes(path.stat().st_size - 100))
    with pytest.raises(NodeError, match=r"reading\.db cannot be used; delete"):
        reopen(tmp_path)
    path.unlink()
    reopen(tmp_path).close()
