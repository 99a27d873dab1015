"""Backups are whole, tested, free of secrets, and never overwrite; restored they are the same chain."""

import json
import shutil
import threading
from contextlib import closing
from pathlib import Path

import pytest

from shudian.contracts.governance.messages import AdvanceClock
from shudian.node.backup import LABEL_FILE, back_up, restore
from shudian.node.errors import NodeError
from shudian.node.store import LEDGER_FILE
from shudian.node.verify import verify_folder
from tests.support.chain import create, founder, key_of, reopen
from tests.support.ledger import SECRETS


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A backup of a chain with two blocks."""
    with closing(create(tmp_path / "chain")) as node:
        founder(node, "exchange-operator").submit(AdvanceClock(node.market_ms + 1_000))
        back_up(tmp_path / "chain", tmp_path / "backup", SECRETS)
    return tmp_path / "backup"


def test_a_backup_of_a_writing_node_is_one_of_its_states(tmp_path: Path) -> None:
    app_hashes: dict[int, str] = {}
    stop = threading.Event()
    with closing(create(tmp_path / "chain")) as node:

        def write() -> None:
            exchange = founder(node, "exchange-operator")
            while not stop.is_set():
                app_hashes[node.height] = node.app_hash.hex()
                exchange.submit(AdvanceClock(node.market_ms + 1_000))

        writer = threading.Thread(target=write)
        writer.start()
        labels = [back_up(tmp_path / "chain", tmp_path / f"backup-{place}") for place in range(4)]
        stop.set()
        writer.join()
        app_hashes[node.height] = node.app_hash.hex()
    for place, label in enumerate(labels):
        assert app_hashes[label.height] == label.app_hash
        assert verify_folder(tmp_path / f"backup-{place}", SECRETS).height == label.height


def test_a_restored_chain_goes_on(tmp_path: Path, backup: Path) -> None:
    label = restore(backup, tmp_path / "restored")
    assert label.node_public_key == key_of("node").public_key.hex()
    with closing(reopen(tmp_path / "restored")) as node:
        assert (node.height, node.app_hash.hex()) == (label.height, label.app_hash)
        founder(node, "exchange-operator").submit(AdvanceClock(node.market_ms + 1_000))
    assert verify_folder(tmp_path / "restored", SECRETS).height == label.height + 1


def test_a_backup_is_two_files_and_holds_no_secret(tmp_path: Path, backup: Path) -> None:
    assert sorted(path.name for path in backup.iterdir()) == [LABEL_FILE, LEDGER_FILE]
    held = b"".join(path.read_bytes() for path in backup.iterdir())
    assert key_of("node").public_key in held
    for name in ("node", "exchange-operator", "bank-teller"):
        assert key_of(name)._secret[:32] not in held
    assert [path.name for path in tmp_path.iterdir() if "unfinished" in path.name] == []


def test_nothing_is_overwritten(tmp_path: Path, backup: Path) -> None:
    with pytest.raises(NodeError, match="exists and is never overwritten"):
        back_up(tmp_path / "chain", backup)
    with pytest.raises(NodeError, match="is not empty and is never overwritten"):
        restore(backup, tmp_path / "chain")
    (tmp_path / "empty").mkdir()
    restore(backup, tmp_path / "empty")


def test_a_backup_goes_nowhere_it_cannot(tmp_path: Path, backup: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NodeError, match="cannot be written: "):
        back_up(tmp_path / "chain", tmp_path / "file" / "backup")
    with pytest.raises(NodeError, match="holds no ledger"):
        back_up(tmp_path, tmp_path / "other")
    assert not (tmp_path / "other").exists()
    with pytest.raises(NodeError, match="is no backup"):
        restore(tmp_path / "chain", tmp_path / "other")
    assert backup.exists()


def _edit_label(backup: Path, name: str, value: object) -> None:
    path = backup / LABEL_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))


@pytest.mark.parametrize("name", ["chain_id", "height", "app_hash", "genesis_hash", "node_public_key"])
def test_a_label_that_does_not_fit_is_refused(tmp_path: Path, backup: Path, name: str) -> None:
    _edit_label(backup, name, "other")
    with pytest.raises(NodeError, match=f"not what its label says: {name} differs"):
        restore(backup, tmp_path / "restored")
    assert not (tmp_path / "restored").exists()
    assert not list(tmp_path.glob("*unfinished*"))


def test_a_damaged_backup_is_refused(tmp_path: Path, backup: Path) -> None:
    whole = (backup / LEDGER_FILE).read_bytes()
    for offset in range(0, len(whole), len(whole) // 60):
        damaged = bytearray(whole)
        damaged[offset] ^= 0x10
        (backup / LEDGER_FILE).write_bytes(damaged)
        try:
            restore(backup, tmp_path / "restored")
        except NodeError:
            assert not (tmp_path / "restored").exists()
        else:
            with closing(reopen(tmp_path / "restored")) as node:
                assert node.height == 1
            shutil.rmtree(tmp_path / "restored")
    (backup / LABEL_FILE).write_text("{")
    with pytest.raises(NodeError, match=r"label .* cannot be read"):
        restore(backup, tmp_path / "restored")


def test_a_damaged_cold_blob_is_not_backed_up(tmp_path: Path) -> None:
    with closing(create(tmp_path / "chain")) as node:
        node._store._db.execute("INSERT INTO cold VALUES (?, ?)", (bytes(32), b"not what its digest says"))
    with pytest.raises(NodeError, match="the cold blob 0000000000000000 is damaged"):
        back_up(tmp_path / "chain", tmp_path / "backup", SECRETS)
    assert not (tmp_path / "backup").exists()
