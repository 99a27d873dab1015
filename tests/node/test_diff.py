"""Two folders: the first block, contract, table and row that differ."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from shudian.contracts.funds.messages import ConfirmDeposit, OpenAccount
from shudian.kernel.answers import ANSWERS, Answer, Answers
from shudian.kernel.codec import encode
from shudian.kernel.crypto import sha256
from shudian.kernel.machine import STEPPED
from shudian.kernel.tables import Store
from shudian.node.diff import diff
from shudian.node.embedded import EmbeddedNode
from shudian.node.errors import NodeError
from shudian.node.founding import SICHUAN_FOUNDERS, found
from shudian.node.rows import shown_row
from shudian.node.store import LEDGER_FILE, LedgerStore
from tests.support.chain import BANK_ID, GRID_ID, create, founder, key_of, reopen
from tests.support.ledger import SECRETS, START_MS

TABLE_IS = "table_id = (SELECT id FROM state_tables WHERE name = '{}')"


def play(folder: Path, *deposits_fen: int) -> None:
    """One deposit a block on a chain that is there already."""
    with closing(reopen(folder)) as node:
        for place, amount_fen in enumerate(deposits_fen):
            deposit = ConfirmDeposit(GRID_ID, amount_fen, sha256(b"%d" % place))
            founder(node, "bank-teller").submit(deposit, message_id=place.to_bytes(16, "big"))


@pytest.fixture
def a(tmp_path: Path) -> Path:
    """A chain with an account, at height 1."""
    with closing(create(tmp_path / "a")) as node:
        founder(node, "grid_company-finance").submit(OpenAccount(BANK_ID, sha256(b"account")))
    return tmp_path / "a"


@pytest.fixture
def b(tmp_path: Path, a: Path) -> Path:
    """Its twin."""
    return shutil.copytree(a, tmp_path / "b")


def test_twins_are_the_same(a: Path, b: Path) -> None:
    difference = diff(a, b, SECRETS)
    assert (difference.is_same, difference.heights, difference.row) == (True, (1, 1), None)


def test_twins_are_the_same_while_one_goes_on(a: Path, b: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = LedgerStore.rows

    with closing(reopen(b)) as node:

        def a_block_then_rows(store: LedgerStore) -> list[tuple[str, bytes, bytes, int]]:
            monkeypatch.undo()
            founder(node, "bank-teller").submit(ConfirmDeposit(GRID_ID, 100, sha256(b"meanwhile")))
            return rows(store)

        monkeypatch.setattr(LedgerStore, "rows", a_block_then_rows)
        difference = diff(a, b, SECRETS)
        assert (difference.is_same, difference.heights, node.height) == (True, (1, 1), 2)


def test_one_that_is_ahead_is_the_same_so_far(a: Path, b: Path) -> None:
    play(b, 100)
    assert (diff(a, b, SECRETS).is_same, diff(a, b, SECRETS).heights) == (True, (1, 2))


def test_the_first_difference_is_named(a: Path, b: Path) -> None:
    play(a, 100, 200, 300, 400)
    play(b, 100, 200, 350, 400)
    difference = diff(a, b, SECRETS)
    assert difference.height == 2, "the twins made their blocks at different times"
    assert difference.row is not None
    assert (difference.row.height, difference.row.contract, difference.row.table) == (4, "kernel", "kernel.answers")
    assert difference.row.key == "(4)"
    assert difference.row.a != difference.row.b


def test_of_long_lists_the_first_entry_that_differs_is_shown() -> None:
    stores = [Store((ANSWERS,)), Store((ANSWERS,))]
    for last, store in enumerate(stores):
        answers = [Answer(7, bytes([place]), 9, b"", ()) for place in range(100)]
        answers[50] = Answer(7, bytes([200 + last]), 9, b"", ())
        ANSWERS.put(store, (1,), Answers(9, tuple(answers)))
    a, b = (store.rows[ANSWERS.name] for store in stores)
    shown = [shown_row(a, (1,), b.data[(1,)]), shown_row(b, (1,), a.data[(1,)])]
    assert shown[0] != shown[1]
    assert "(100)[50] Answer(sender_id=7, id=b'\\xc8'" in shown[0]
    assert all(len(text) < 200 for text in shown)


def test_blocks_that_differ_in_time_alone_lead_to_the_same_state(a: Path, b: Path) -> None:
    with closing(LedgerStore(b)) as store:
        block = store.block(1)
        header = msgspec.structs.replace(block.header, time_ns=block.header.time_ns + 1)
        data = encode(msgspec.structs.replace(block, header=header))
        store._db.execute("UPDATE blocks SET block = ?, digest = ? WHERE height = 1", (data, sha256(data)))
    difference = diff(a, b, SECRETS)
    assert (difference.height, difference.part, difference.row) == (1, "header.time_ns", None)


def test_a_damaged_row_is_named_when_the_blocks_agree(a: Path, b: Path) -> None:
    with closing(sqlite3.connect(b / LEDGER_FILE)) as ledger:
        ledger.execute("DELETE FROM state WHERE " + TABLE_IS.format("kernel.clock"))
        ledger.commit()
    difference = diff(a, b, SECRETS)
    assert difference.height is None
    assert difference.row is not None
    assert (difference.row.contract, difference.row.table, difference.row.b) == ("kernel", "kernel.clock", "absent")
    with closing(sqlite3.connect(b / LEDGER_FILE)) as ledger:
        ledger.execute("UPDATE state SET row = x'00' WHERE " + TABLE_IS.format("funds.accounts"))
        ledger.commit()
    with pytest.raises(NodeError, match=r"the row of the state table funds\.accounts .* is damaged"):
        diff(a, b, SECRETS)


def test_other_chains_and_no_chains_are_refused(tmp_path: Path, a: Path) -> None:
    with pytest.raises(NodeError, match="holds no ledger"):
        diff(a, tmp_path, SECRETS)
    other = found("other", STEPPED, START_MS, lambda name: key_of(name).public_key, SICHUAN_FOUNDERS)
    EmbeddedNode.create(tmp_path / "other", other, key_of("node")).close()
    with pytest.raises(NodeError, match="two different chains: test and other"):
        diff(a, tmp_path / "other", SECRETS)


@pytest.mark.parametrize("exit_code", [0, 1])
def test_the_command_says_it_and_exits(a: Path, b: Path, exit_code: int) -> None:
    if exit_code:
        with closing(sqlite3.connect(b / LEDGER_FILE)) as ledger:
            ledger.execute("DELETE FROM state WHERE " + TABLE_IS.format("kernel.clock"))
            ledger.commit()
    command = [sys.executable, "-m", "shudian", "state", "diff", str(a), str(b), "--lang", "en"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (exit_code, "")
    assert ("the same up to block 1" if exit_code == 0 else "first row that differs, after block 1") in done.stdout
