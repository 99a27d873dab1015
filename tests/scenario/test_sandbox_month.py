"""The sandbox month as its user runs it: the same state on any machine, after a kill, and on replay; nothing is left open."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from shudian.cli.common import secrets_of
from shudian.contracts.settlement.messages_facts import BillLine
from shudian.kernel.codec import decode, encode
from shudian.kernel.crypto import SigningKey
from shudian.kernel.tables import number_in
from shudian.node.embedded import EmbeddedNode
from shudian.node.verify import verify_folder
from shudian.proofs.check import NotProvenError
from shudian.proofs.files import ShownRow, StateProof, to_bytes
from shudian.sandbox.world import build_world
from shudian.tools.demo.sandbox import open_sandbox
from shudian.tools.demo.stage import seed_of
from shudian.tools.disclosure import Disclosure, disclose_statement, open_content

SEED = 20260701
DAYS = 2
ROOT = Path(__file__).parents[2]


def command(folder: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "shudian", "demo", "--days", str(DAYS), "--data", str(folder), "--headless", *more]


def environment(hash_seed: str) -> dict[str, str]:
    return {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT / "src")}


def run(folder: Path, hash_seed: str, *more: str) -> dict[str, Any]:
    file = folder.parent / f"{folder.name}.json"
    subprocess.run([*command(folder, *more), "--json", str(file)], env=environment(hash_seed), check=True, timeout=280)
    result: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("month") / "first"


@pytest.fixture(scope="module")
def summary(folder: Path) -> dict[str, Any]:
    return run(folder, "1")


def open_node(folder: Path) -> EmbeddedNode:
    return open_sandbox(folder, build_world(SEED, DAYS))


def count(node: EmbeddedNode, sql: str) -> int:
    return int(node.projector.connection.execute(sql).fetchone()[0] or 0)


def test_the_month_has_happened(summary: dict[str, Any]) -> None:
    wanted = ("members", "orders", "trades", "energy_kwh", "settled_fen", "statements", "refusals", "height", "seconds")
    assert all(isinstance(summary[name], int) for name in wanted)
    assert summary["invariants"] == "ok"
    assert summary["members"] == 77
    assert summary["statements"] == 72
    assert min(summary["orders"], summary["trades"], summary["energy_kwh"], summary["settled_fen"]) > 0


def test_it_shows_what_goes_wrong(folder: Path, summary: dict[str, Any]) -> None:
    assert summary["refusals"] >= 5
    node = open_node(folder)
    try:
        kinds = count(node, "SELECT COUNT(DISTINCT number) FROM messages WHERE number > 0")
        rejected = count(node, "SELECT COUNT(*) FROM identity_members WHERE standing = 'rejected'")
        estimated = count(node, "SELECT COUNT(*) FROM metering_days WHERE estimated_count > 0")
        late = count(node, "SELECT COUNT(*) FROM settlement_lines WHERE state = 'paid_late'")
    finally:
        node.close()
    assert kinds >= 5
    assert (rejected, estimated > 0, late > 0) == (1, True, True)


def test_everything_is_paid_and_the_sides_sum_to_zero(folder: Path, summary: dict[str, Any]) -> None:
    node = open_node(folder)
    try:
        open_lines = count(
            node,
            "SELECT COUNT(*) FROM settlement_lines WHERE state NOT IN ('paid', 'paid_late', 'corrected', 'redeemed', 'converted')",
        )
        balance = count(node, "SELECT SUM(payable_fen) - SUM(receivable_fen) FROM settlement_statements")
        day_balance = node.projector.connection.execute(
            "SELECT SUM(total_fen) FROM settlement_day_bills GROUP BY day"
        ).fetchall()
        paid = count(node, "SELECT SUM(paid_fen) FROM settlement_statements")
        unsettled = count(node, "SELECT COUNT(*) FROM agreements WHERE state <> 'settled'")
    finally:
        node.close()
    assert (open_lines, balance, unsettled) == (0, 0, 0)
    assert all(row == (0,) for row in day_balance)
    assert paid == summary["settled_fen"]


def test_verify_replays_every_block(folder: Path, summary: dict[str, Any]) -> None:
    verified = verify_folder(folder, secrets_of(folder))
    assert (verified.height, verified.app_hash.hex()) == (summary["height"], summary["app_hash"])


def _amount_fen(shown: ShownRow | None) -> int:
    return 0 if shown is None else decode(shown.row, BillLine).amount_fen


def test_every_statement_can_be_disclosed_alone_and_whole(
    tmp_path: Path, folder: Path, summary: dict[str, Any]
) -> None:
    """Each with all its lines and their inputs; short of a line or of itself it proves nothing."""
    shutil.copytree(folder, tmp_path / "copy")
    with closing(open_node(tmp_path / "copy")) as node:
        held = dict(node.machine.store.rows["settlement.statements"].data)
        assert len(held) == summary["statements"]
        for key, row in held.items():
            statement_id = number_in(key)
            content = disclose_statement(node, row.member_id, statement_id)
            found = open_content(content, [node.public_key])
            assert [one.key for one in found.proven.rows if one.table == "settlement.statements"] == [(statement_id,)]
        proof = decode(decode(content, Disclosure).proof, StateProof)
        line = next(one for one in proof.rows if one.table == "settlement.lines" and _amount_fen(one.row) > 0)
        for rows in (proof.rows[1:], tuple(one for one in proof.rows if one is not line)):
            short = Disclosure(statement_id, to_bytes(replace(proof, rows=rows)))
            with pytest.raises(NotProvenError):
                open_content(encode(short), [node.public_key])


def test_another_hash_seed_gives_the_same_state(tmp_path: Path, summary: dict[str, Any]) -> None:
    other = run(tmp_path / "other", "2")
    assert {name: value for name, value in other.items() if name != "seconds"} == {
        name: value for name, value in summary.items() if name != "seconds"
    }


def test_a_killed_month_goes_on_and_ends_the_same(tmp_path: Path, summary: dict[str, Any]) -> None:
    folder = tmp_path / "killed"
    for height in (12, 25):
        process = subprocess.Popen(command(folder), env=environment("3"))
        wait_for_height(folder, height, process)
        process.kill()
        process.wait()
    ended = run(folder, "3")
    assert (ended["height"], ended["app_hash"]) == (summary["height"], summary["app_hash"])


def wait_for_height(folder: Path, height: int, process: "subprocess.Popen[bytes]") -> None:
    """Watch the log from outside until a block is durable; the process is then somewhere in the middle of its work."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with closing(sqlite3.connect(f"file:{folder / 'ledger.db'}?mode=ro", uri=True)) as db:
                found = db.execute("SELECT max(height) FROM blocks").fetchone()[0]
        except sqlite3.Error:
            found = None
        if found is not None and found >= height:
            return
    pytest.fail("the sandbox ended before it could be killed")


def test_another_seed_gives_another_state(tmp_path: Path, summary: dict[str, Any]) -> None:
    other = run(tmp_path / "seed", "1", "--seed", "7", "--days", "1")
    assert other["app_hash"] != summary["app_hash"]


def test_a_folder_with_another_chain_is_left_alone(folder: Path, summary: dict[str, Any]) -> None:
    result = subprocess.run(
        [*command(folder), "--seed", "8"],
        env=environment("1"),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert result.returncode == 2
    assert "另一条链" in result.stderr or "另一条链" in result.stderr.replace("\n", "")
    assert summary["height"] == verify_folder(folder, secrets_of(folder)).height


def test_the_node_key_belongs_to_the_seed() -> None:
    assert SigningKey(seed_of(1, "node")).public_key != SigningKey(seed_of(2, "node")).public_key


def test_deals_certificates_and_finance_are_there(summary: dict[str, Any]) -> None:
    methods = summary["agreements_by_method"]
    assert sorted(methods) == ["auction", "bilateral", "listing", "rolling", "transfer"]
    assert min(methods.values()) > 0
    assert summary["certificates_issued"] > summary["certificates_retired"] > 0
    assert summary["objections_corrected"] == 1
    assert summary["receivables_financed"] >= 5
    assert summary["receivables_redeemed"] >= 2
    assert summary["receivables_issued"] >= summary["receivables_redeemed"]
    assert summary["financed_fen"] > 0


def test_certificates_are_held_retired_or_expired(folder: Path, summary: dict[str, Any]) -> None:
    node = open_node(folder)
    try:
        lots = count(node, "SELECT SUM(count_certs) FROM certificates_lots")
        parts = count(node, "SELECT COUNT(*) FROM receivables_parts WHERE paid_fen > amount_fen")
        guarantees = count(node, "SELECT COUNT(*) FROM guarantees_guarantees WHERE state = 'active'")
    finally:
        node.close()
    assert (lots, parts, guarantees) == (summary["certificates_issued"], 0, 8)
