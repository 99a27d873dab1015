"""A snapshot starts a folder that is the same chain from there on; what is damaged or forged in it is refused, what is not here is said."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from shudian.cli import app
from shudian.contracts.funds.messages import OpenAccount
from shudian.contracts.governance.messages import AdvanceClock
from shudian.kernel.codec import decode, encode
from shudian.kernel.crypto import sha256
from shudian.kernel.epochs import NO_SECRETS, NodeSecrets
from shudian.node import snapshot as snapshot_module
from shudian.node.blocks import Block
from shudian.node.diff import diff
from shudian.node.embedded import EmbeddedNode
from shudian.node.errors import NodeError
from shudian.node.folder import READING_FILE
from shudian.node.snapshot import LABEL_FILE, SNAPSHOT_FILE, next_block, start_from, take_snapshot
from shudian.node.store import LEDGER_FILE
from shudian.node.verify import verify_folder
from shudian.reading.reader import THE_PUBLIC
from tests.support.chain import BANK_ID, create, founder, key_of, reopen

SECRETS = NodeSecrets(key_of("node"), "test")
NODE_KEY = key_of("node").public_key


def step(node: EmbeddedNode) -> None:
    founder(node, "exchange-operator").submit(AdvanceClock(node.market_ms + 1_000))


def start(source: Path, folder: Path) -> Path:
    start_from(source, folder, NODE_KEY, SECRETS)
    return folder


@pytest.fixture
def chain(memory_folder: Path) -> Path:
    """A chain of four blocks; one row names a cold blob, another blob is named by none."""
    with closing(create(memory_folder / "chain")) as node:
        founder(node, "grid_company-finance").submit(OpenAccount(BANK_ID, sha256(b"account")))
        for blob in (b"account", b"of a former version"):
            node._store._db.execute("INSERT INTO cold VALUES (?, ?)", (sha256(blob), blob))
        step(node)
        step(node)
    return memory_folder / "chain"


@pytest.fixture
def taken(memory_folder: Path, chain: Path) -> Path:
    """A snapshot of it."""
    with closing(reopen(chain)) as node:
        take_snapshot(chain, memory_folder / "taken", node.block_after)
    return memory_folder / "taken"


def test_a_started_folder_is_the_same_chain_and_goes_on(memory_folder: Path, chain: Path, taken: Path) -> None:
    started = start(taken, memory_folder / "started")
    with closing(reopen(chain)) as node, closing(reopen(started)) as again:
        assert (again.height, again.app_hash, again._last) == (node.height, node.app_hash, node._last)
        assert again.query(THE_PUBLIC, "identity.register") == node.query(THE_PUBLIC, "identity.register")
        assert again.machine.cold.get(sha256(b"account")) == b"account"
        assert again._store.cold(sha256(b"of a former version")) is None
        step(again)
        assert again.height == node.height + 1
    verified = verify_folder(started, SECRETS)
    assert (verified.first_height, verified.height, verified.executed_height) == (3, 5, -1)
    assert verified.missing_epoch_no == 0
    assert verify_folder(started, NO_SECRETS).missing_epoch_no == 1


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("UPDATE blocks SET digest = x'00' WHERE height = 3", "block 3 is damaged"),
        ("DELETE FROM blocks WHERE height = 4", "block 4 is missing"),
        ("DELETE FROM state WHERE id = 5", "does not lead to the app hash"),
        ("UPDATE cold SET blob = x'00'", "the cold blob .* is damaged"),
    ],
)
def test_damage_of_a_started_folder_is_named(memory_folder: Path, taken: Path, sql: str, named: str) -> None:
    started = start(taken, memory_folder / "started")
    with closing(reopen(started)) as node:
        step(node)
    with closing(sqlite3.connect(started / LEDGER_FILE)) as ledger:
        ledger.execute(sql)
        ledger.commit()
    with pytest.raises(NodeError, match=named):
        verify_folder(started, SECRETS)


def test_what_is_not_here_is_said(memory_folder: Path, chain: Path, taken: Path) -> None:
    started = start(taken, memory_folder / "started")
    with (
        closing(reopen(started)) as node,
        pytest.raises(NodeError, match="starts from a snapshot at block 3: block 1 before it is not here"),
    ):
        node.block(1)
    found = diff(chain, started, SECRETS)
    assert (found.is_same, found.first_height) == (True, 3)
    (started / READING_FILE).unlink()
    with pytest.raises(NodeError, match="its read models cannot be built anew"):
        reopen(started)


def test_read_models_of_another_ledger_are_refused_where_they_cannot_be_built_anew(
    memory_folder: Path, taken: Path
) -> None:
    started = start(taken, memory_folder / "started")
    with closing(sqlite3.connect(started / READING_FILE)) as readers, readers:
        readers.execute("UPDATE position SET mark = x'00'")
    with pytest.raises(NodeError, match="are not of this ledger"):
        reopen(started)


def test_a_snapshot_of_a_started_folder_starts_again(memory_folder: Path, taken: Path) -> None:
    started = start(taken, memory_folder / "started")
    with closing(reopen(started)) as node:
        step(node)
        take_snapshot(started, memory_folder / "later", node.block_after)
        height = node.height
    with closing(reopen(start(memory_folder / "later", memory_folder / "again"))) as node:
        assert node.height == height


def test_it_waits_for_the_next_block_of_a_node_in_another_process(
    memory_folder: Path, chain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(reopen(chain)) as node:
        pauses: list[float] = []

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 2:
                step(node)

        take_snapshot(chain, memory_folder / "taken", lambda height: next_block(chain, height, pause))
        assert len(pauses) == 2
        monkeypatch.setattr(snapshot_module, "CARRIER_WAIT_S", -1)
        with pytest.raises(NodeError, match="no block followed block 4"):
            take_snapshot(chain, memory_folder / "other", lambda height: next_block(chain, height))
    assert not list(memory_folder.glob("other*"))
    start(memory_folder / "taken", memory_folder / "started")


def test_nothing_is_overwritten_and_nothing_left_behind(memory_folder: Path, chain: Path, taken: Path) -> None:
    with closing(reopen(chain)) as node, pytest.raises(NodeError, match="is never overwritten"):
        take_snapshot(chain, taken, node.block_after)
    with pytest.raises(NodeError, match="is not empty"):
        start(taken, chain)
    with pytest.raises(NodeError, match="is no snapshot"):
        start(chain, memory_folder / "started")
    with pytest.raises(NodeError, match="does not belong to this snapshot"):
        start_from(taken, memory_folder / "started", key_of("another").public_key, SECRETS)
    with pytest.raises(NodeError, match="needs the secret of epoch 1"):
        start_from(taken, memory_folder / "started", NODE_KEY, NO_SECRETS)
    (chain / READING_FILE).unlink()
    with pytest.raises(NodeError, match="start the node first"):
        take_snapshot(chain, memory_folder / "other", lambda height: next_block(chain, height))
    assert {path.name for path in memory_folder.iterdir()} == {"chain", "taken"}


@pytest.mark.parametrize("name", [SNAPSHOT_FILE, READING_FILE])
def test_each_flipped_byte_is_found(memory_folder: Path, taken: Path, name: str) -> None:
    whole = (taken / name).read_bytes()
    for offset in range(0, len(whole), len(whole) // 40):
        damaged = bytearray(whole)
        damaged[offset] ^= 1 << (offset & 7)
        (taken / name).write_bytes(damaged)
        with pytest.raises(NodeError, match="is damaged"):
            start(taken, memory_folder / "started")
        assert not list(memory_folder.glob("started*"))


def forge(taken: Path, change: Callable[[sqlite3.Connection], Any]) -> None:
    """Change the snapshot and its label, as somebody would who wants to be believed."""
    with closing(sqlite3.connect(taken / SNAPSHOT_FILE)) as ledger:
        change(ledger)
        ledger.commit()
    label = json.loads((taken / LABEL_FILE).read_text())
    label["snapshot_hash"] = sha256((taken / SNAPSHOT_FILE).read_bytes()).hex()
    (taken / LABEL_FILE).write_text(json.dumps(label))


def _block(ledger: sqlite3.Connection, name: str, value: Callable[[Any], Any]) -> None:
    (data,) = ledger.execute("SELECT block FROM blocks ORDER BY height DESC").fetchone()
    data = _changed(data, name, value)
    ledger.execute("UPDATE blocks SET block = ?, digest = ? WHERE height = 3", (data, sha256(data)))


def _carrier(ledger: sqlite3.Connection, name: str, value: Callable[[Any], Any]) -> None:
    (data,) = ledger.execute("SELECT value FROM meta WHERE name = 'carrier'").fetchone()
    data = _changed(data, name, value)
    ledger.execute("UPDATE meta SET value = ?, digest = ? WHERE name = 'carrier'", (data, sha256(data)))


def _changed(data: bytes, name: str, value: Callable[[Any], Any]) -> bytes:
    block = decode(data, Block)
    return encode(msgspec.structs.replace(block, **{name: value(getattr(block, name))}))


def _later(header: Any) -> Any:
    return msgspec.structs.replace(header, time_ns=header.time_ns + 1_000_000)


def _flip(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


FORGERIES: dict[str, Callable[[Any], Any]] = {
    "header": _later,
    "signature": _flip,
    "envelopes": lambda envelopes: (*envelopes, b"more"),
    "outcomes": lambda _outcomes: encode([()]),
    "market_ms": lambda market_ms: market_ms + 1,
    "app_hash": _flip,
    "results_hash": _flip,
    "clock_path": lambda path: path[1:],
}


@pytest.mark.parametrize("name", FORGERIES)
@pytest.mark.parametrize("which", [_block, _carrier])
def test_a_forged_block_is_refused(memory_folder: Path, taken: Path, which: Callable[..., None], name: str) -> None:
    forge(taken, lambda ledger: which(ledger, name, FORGERIES[name]))
    with pytest.raises(NodeError):
        start(taken, memory_folder / "started")
    assert not list(memory_folder.glob("started*"))


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("UPDATE state SET height = height + 1 WHERE id = 5", "does not lead to the app hash"),
        ("UPDATE state SET row = x'00' WHERE id = 5", "cannot be decoded"),
        ("DELETE FROM state WHERE id = 5", "does not lead to the app hash"),
        ("DELETE FROM blocks", "holds no block"),
        ("UPDATE meta SET value = x'30' WHERE name = 'first_height'", "first_height of the ledger is damaged"),
        ("DELETE FROM meta WHERE name = 'carrier'", "lacks carrier"),
        ("DELETE FROM meta WHERE name = 'genesis'", "lacks genesis"),
        ("UPDATE cold SET blob = x'00'", "the cold blob .* is damaged"),
    ],
)
def test_forged_rows_are_refused(memory_folder: Path, taken: Path, sql: str, named: str) -> None:
    forge(taken, lambda ledger: ledger.execute(sql))
    with pytest.raises(NodeError, match=named):
        start(taken, memory_folder / "started")


def test_the_commands(memory_folder: Path) -> None:
    chain, taken, started = (str(memory_folder / name) for name in ("chain", "taken", "started"))

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, [*arguments, "--lang", "en"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    run("node", "init", "--data", chain, "--clock", "stepped", "--no-passphrase")
    assert "the snapshot is in" in run("node", "snapshot", taken, "--data", chain)
    said = run("node", "start-from", taken, "--data", started, "--node-key", f"{chain}/node.key")
    assert "starts from the snapshot" in said
    shutil.copyfile(f"{chain}/node.key", f"{started}/node.key")
    Path(f"{started}/node.key").chmod(0o600)
    run("node", "status", "--data", started)
    assert (Path(started) / LEDGER_FILE).exists()
