"""A ledger file of an older layout is brought up to date in one piece, with a copy kept; others are refused in words."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shudian.contracts.governance.messages import AdvanceClock
from shudian.node.errors import NodeError
from shudian.node.folder import migrate
from shudian.node.layouts import STORE_VERSION
from shudian.node.store import LEDGER_FILE, LedgerStore, kept_name
from shudian.node.verify import verify_folder
from tests.node.disk import Fate, all_arrives, left_by_crash, nothing_arrives, torn
from tests.node.test_crash import recording
from tests.support.chain import create, founder, reopen
from tests.support.ledger import SECRETS

LAYOUT_3 = """
CREATE TABLE state_3 (table_name TEXT, key BLOB, row BLOB NOT NULL, height INTEGER NOT NULL, PRIMARY KEY (table_name, key)) WITHOUT ROWID;
INSERT INTO state_3 SELECT name, key, row, height FROM state JOIN state_tables ON table_id = state_tables.id;
DROP TABLE state;
DROP TABLE state_tables;
ALTER TABLE state_3 RENAME TO state;
DELETE FROM meta WHERE name = 'chain_format';
PRAGMA user_version = 3;
"""
KEPT = kept_name(3)


def _run(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as ledger:
        ledger.executescript(sql)
        ledger.execute("PRAGMA journal_mode = DELETE")


@pytest.fixture
def old(memory_folder: Path) -> Path:
    """A chain of two blocks in a file of layout 3, without read models."""
    with closing(create(memory_folder / "old")) as node:
        founder(node, "exchange-operator").submit(AdvanceClock(node.market_ms + 1_000))
    for path in (memory_folder / "old").iterdir():
        if path.name != LEDGER_FILE:
            path.unlink()
    _run(memory_folder / "old" / LEDGER_FILE, LAYOUT_3)
    return memory_folder / "old"


def _rows_of_3(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as ledger:
        return ledger.execute("SELECT table_name, key, row, height FROM state ORDER BY 1, 2").fetchall()


def test_an_older_file_goes_on_and_its_copy_is_kept(old: Path) -> None:
    rows = _rows_of_3(old / LEDGER_FILE)
    assert len(rows) > 100
    assert migrate(old) == old / KEPT
    assert _rows_of_3(old / KEPT) == rows
    with closing(LedgerStore(old, read_only=True)) as store:
        assert sorted(store.rows()) == rows
    assert verify_folder(old, SECRETS).height == 1
    with closing(reopen(old)) as node:
        founder(node, "exchange-operator").submit(AdvanceClock(node.market_ms + 1_000))
    assert verify_folder(old, SECRETS).height == 2
    assert migrate(old) is None


def test_a_node_brings_it_up_to_date_by_itself(old: Path) -> None:
    reopen(old).close()
    assert (old / KEPT).exists()
    assert verify_folder(old, SECRETS).height == 1


def test_a_reader_leaves_it_alone_and_names_the_command(old: Path) -> None:
    before = (old / LEDGER_FILE).read_bytes()
    with pytest.raises(
        NodeError, match=f"has format 3, this program uses format {STORE_VERSION}; run shudian node migrate"
    ):
        verify_folder(old, SECRETS)
    assert (old / LEDGER_FILE).read_bytes() == before


@pytest.mark.parametrize("version", [2, STORE_VERSION + 1])
def test_other_layouts_are_refused(old: Path, version: int) -> None:
    _run(old / LEDGER_FILE, f"PRAGMA user_version = {version}")
    before = (old / LEDGER_FILE).read_bytes()
    for refused in (migrate, lambda folder: verify_folder(folder, SECRETS)):
        with pytest.raises(NodeError, match=f"format {version}, this program reads and writes format {STORE_VERSION}"):
            refused(old)
    assert (old / LEDGER_FILE).read_bytes() == before
    assert not (old / KEPT).exists()


def test_other_chain_formats_are_refused(old: Path) -> None:
    _run(old / LEDGER_FILE, "UPDATE blocks SET block = x'9192cc63a161' WHERE height = 0")  # [[99, "a"]]
    rows = _rows_of_3(old / LEDGER_FILE)
    with pytest.raises(NodeError, match="this chain has format 99, this program takes format"):
        migrate(old)
    assert _rows_of_3(old / LEDGER_FILE) == rows
    assert not (old / KEPT).exists()


def test_a_damaged_older_file_is_left_as_it_was(old: Path) -> None:
    _run(old / LEDGER_FILE, "DROP TABLE state")
    with pytest.raises(NodeError, match="cannot be opened"):
        migrate(old)
    with closing(sqlite3.connect(old / LEDGER_FILE)) as ledger:
        assert ledger.execute("PRAGMA user_version").fetchone() == (3,)


@pytest.mark.parametrize(
    "fate_of",
    [lambda _no: nothing_arrives, lambda _no: all_arrives, torn],
    ids=["unsynced lost", "unsynced kept", "unsynced torn"],
)
def test_a_crash_in_the_middle_leaves_the_old_or_the_new(
    memory_folder: Path, old: Path, fate_of: Callable[[int], Fate]
) -> None:
    """Whatever a crash leaves, the next opening ends with all rows in the new layout and the old file whole in its copy."""
    held = {LEDGER_FILE: (old / LEDGER_FILE).read_bytes()}
    rows = _rows_of_3(old / LEDGER_FILE)
    working = memory_folder / "working"
    shutil.copytree(old, working)
    with recording() as disk, closing(LedgerStore(working)):
        pass
    every = max(1, len(disk.steps) // 60)
    for step_no in range(0, len(disk.steps) + 1, every):
        left = memory_folder / "left"
        shutil.rmtree(left, ignore_errors=True)
        left.mkdir()
        for name, data in left_by_crash(disk.steps[:step_no], fate_of(step_no), held).items():
            (left / name).write_bytes(data)
        with closing(LedgerStore(left)) as store:
            assert sorted(store.rows()) == rows
        assert _rows_of_3(left / KEPT) == rows
    assert len(disk.steps) > 60


def test_a_folder_that_cannot_be_written_is_refused(old: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    old.chmod(0o500)
    with pytest.raises(NodeError, match="cannot be written"):
        migrate(old)
