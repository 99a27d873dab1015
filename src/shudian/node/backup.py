"""Backup and restore: a ledger in one file with a label beside it. No secret key is ever copied.

A backup is tested against its app hash when it is made, which takes the secrets of the epochs, and against its label when it is restored,
which takes none.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from shudian.faults import file_words, system_words
from shudian.kernel.codec import encode
from shudian.kernel.crypto import sha256
from shudian.kernel.epochs import NO_SECRETS, Secrets
from shudian.node.errors import NodeError
from shudian.node.loading import load
from shudian.node.store import LEDGER_FILE, LedgerStore

LABEL_FILE = "backup.json"

L = TypeVar("L")


@dataclass(frozen=True)
class Label:
    """What a backup holds, hashes and keys in hex.

    height: of its last block. genesis_hash: SHA-256 of the genesis. rows_hash: SHA-256 over all rows of the state.
    """

    chain_id: str
    height: int
    app_hash: str
    genesis_hash: str
    rows_hash: str
    node_public_key: str


def back_up(folder: Path, destination: Path, secrets: Secrets = NO_SECRETS) -> Label:
    """Copy the ledger of a folder to a new folder; a node may be running and writing.

    The copy is one consistent state, tested whole: SQLite's structure, the digest of every block and cold blob, the last block's
    signature, and, with the ``secrets`` of the epochs, the app hash of all rows.

    Raises:
        NodeError: the destination exists, cannot be written, or the ledger is damaged; no destination is left behind.
    """
    if destination.exists():
        raise NodeError(f"{destination} 已存在，不会覆盖", f"{destination} exists and is never overwritten")
    with made_whole(destination) as made:
        with closing(LedgerStore(folder, read_only=True)) as store:
            store.copy_to(made / LEDGER_FILE)
        label = _tested(made, secrets)
        write_durably(made / LABEL_FILE, json.dumps(asdict(label), ensure_ascii=False, indent=1) + "\n")
    return label


def restore(source: Path, folder: Path) -> Label:
    """Make a data folder of a backup. The read models are built at its first start; the node's key is the operator's to put back.

    Raises:
        NodeError: the folder is not empty, or the backup is damaged or not what its label says; nothing is left behind.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NodeError(f"文件夹 {folder} 不是空的，不会覆盖", f"folder {folder} is not empty and is never overwritten")
    label = read_label(source)
    with made_whole(folder) as made:
        with closing(LedgerStore(source, read_only=True)) as store:
            store.copy_to(made / LEDGER_FILE)
        found = _tested(made, NO_SECRETS)
        if found != label:
            name = next(name for name, value in asdict(label).items() if asdict(found)[name] != value)
            raise NodeError(
                f"备份 {source} 与其标签不符：{name} 不同",
                f"backup {source} is not what its label says: {name} differs",
            )
    return label


def read_label(source: Path) -> Label:
    """The label of a backup.

    Raises:
        NodeError: if the folder holds no backup or its label is damaged.
    """
    return label_in(source / LABEL_FILE, Label, ("备份", "backup"))


def label_in(path: Path, kind: type[L], copy: tuple[str, str]) -> L:
    """What a label says. copy: what the folder of the label should be, in Chinese and English.

    Raises:
        NodeError: if there is no label or it is damaged.
    """
    zh, en = copy
    if not path.is_file():
        raise NodeError(f"{path.parent} 不是{zh}：没有 {path.name}", f"{path.parent} is no {en}: it has no {path.name}")
    try:
        return kind(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise NodeError(
            f"{zh}标签 {path} 无法读取：{file_words(error)[0]}",
            f"{en} label {path} cannot be read: {file_words(error)[1]}",
        ) from None


def _tested(folder: Path, secrets: Secrets) -> Label:
    with closing(LedgerStore(folder, read_only=True)) as store:
        store.check_structure()
        store.check_digests()
        loaded = load(store, secrets)
        genesis_hash = sha256(store.meta("genesis")).hex()
        rows_hash = sha256(encode(sorted(store.rows()))).hex()
    last = loaded.last
    return Label(
        last.header.chain_id,
        last.header.height,
        last.app_hash.hex(),
        genesis_hash,
        rows_hash,
        loaded.node_public_key.hex(),
    )


@contextmanager
def made_whole(folder: Path) -> Iterator[Path]:
    """A scratch folder that takes the name of ``folder`` when all has gone well, and is removed otherwise."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f"{folder.name}.unfinished-", dir=folder.parent))
        try:
            yield made
            _sync(made)
            made.rename(folder)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        _sync(folder.parent)
    except OSError as error:
        raise NodeError(
            f"{folder} 无法写入：{system_words(error)[0]}", f"{folder} cannot be written: {system_words(error)[1]}"
        ) from None


def write_durably(path: Path, text: str) -> None:
    """Write a new text file and sync it."""
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
