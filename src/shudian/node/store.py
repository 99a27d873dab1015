"""The durable store: one SQLite file with the block log, the state's rows and the cold blobs; one transaction per block.

WAL with synchronous FULL: a block that was acknowledged survives ``kill -9`` and loss of power. What is kept once and for all (blocks, facts of
the founding) stands beside its SHA-256, so that damage is named wherever it is read; the state's rows are proved by the app hash, cold blobs by
their key.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shudian.kernel.codec import decode, encode
from shudian.kernel.crypto import sha256
from shudian.kernel.machine import Applied
from shudian.kernel.tables import encode_key
from shudian.node.blocks import Block
from shudian.node.errors import NodeError, sqlite_fault

LEDGER_FILE = "ledger.db"
STORE_VERSION = 3
"""Layout of the file. Version 1 kept no digests, version 2 no heights of rows. Raised by every change of the tables below; a program reads its own version only."""

_SCHEMA = {
    "meta": "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL, digest BLOB NOT NULL) WITHOUT ROWID",
    "blocks": "CREATE TABLE blocks (height INTEGER PRIMARY KEY, block BLOB NOT NULL, digest BLOB NOT NULL)",
    "state": "CREATE TABLE state (table_name TEXT, key BLOB, row BLOB NOT NULL, height INTEGER NOT NULL, PRIMARY KEY (table_name, key)) WITHOUT ROWID",
    "cold": "CREATE TABLE cold (digest BLOB PRIMARY KEY, blob BLOB NOT NULL) WITHOUT ROWID",
}


@contextmanager
def _spoken(zh: str, en: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise sqlite_fault(zh, en, error) from None


class LedgerStore:
    """Reads and writes ``ledger.db``; written by one node at a time, read by any number of processes beside it."""

    def __init__(self, folder: Path, *, create: bool = False, read_only: bool = False) -> None:
        """Open an existing ledger, to write or only to read, or make a new one in a folder without.

        A new ledger exists once :meth:`commit` has written its block 0; until then the file holds nothing and can be made again.

        Raises:
            NodeError: no ledger there, one already there, one of another layout, or a file that SQLite cannot read.
        """
        self.folder = folder
        path = folder / LEDGER_FILE
        if not create and not path.exists():
            raise _holds(folder, "没有账本", "holds no ledger")
        with _spoken("账本文件无法打开", "the ledger file cannot be opened"):
            self._db = sqlite3.connect(
                f"{path.absolute().as_uri()}?{_mode(path, read_only=read_only)}",
                uri=True,
                check_same_thread=False,
                isolation_level=None,
            )
        try:
            with _spoken("账本文件无法打开", "the ledger file cannot be opened"):
                self._set_up(create=create, read_only=read_only)
        except BaseException:
            self._db.close()
            raise

    def _set_up(self, *, create: bool, read_only: bool) -> None:
        self._db.execute("PRAGMA cell_size_check = ON")
        if not read_only:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA wal_autocheckpoint = 16000")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        schema = dict(self._db.execute("SELECT name, sql FROM sqlite_master").fetchall())
        is_empty = version == 0 and not schema
        if create and not is_empty:
            raise _holds(self.folder, "已有账本", "already holds a ledger")
        if create:
            return
        if is_empty:
            raise _holds(
                self.folder, "没有账本：建链没有完成", "holds no ledger: the founding of its chain did not finish"
            )
        if version != STORE_VERSION:
            raise NodeError(
                f"账本文件格式为 {version}，本程序读写格式 {STORE_VERSION}",
                f"the ledger file has format {version}, this program reads and writes format {STORE_VERSION}",
            )
        if schema != _SCHEMA:
            raise NodeError("账本文件的表定义已损坏", "the table definitions of the ledger file are damaged")

    def meta(self, name: str) -> bytes:
        """A value kept at genesis.

        Raises:
            NodeError: if it is missing or damaged.
        """
        with _spoken(f"无法读取账本的 {name}", f"{name} of the ledger cannot be read"):
            row = self._db.execute("SELECT value, digest FROM meta WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise NodeError(f"账本缺少 {name}", f"the ledger lacks {name}")
        if not _is_intact(*row):
            raise NodeError(f"账本的 {name} 已损坏", f"{name} of the ledger is damaged")
        value: bytes = row[0]
        return value

    def commit(self, block: Block, applied: Applied, meta: dict[str, bytes] | None = None) -> None:
        """Make a block, the rows it changed and its cold blobs durable together; with ``meta``, found the ledger.

        Raises:
            NodeError: the disk is full, unwritable or broken. Opened again, the ledger holds the whole block or nothing of it.
        """
        try:
            with _spoken("区块未能写入", "the block could not be written"):
                self._db.execute("BEGIN IMMEDIATE")
                if meta is not None:
                    self._found(meta)
                self._write(block, applied)
                self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _found(self, meta: dict[str, bytes]) -> None:
        for statement in _SCHEMA.values():
            self._db.execute(statement)
        self._db.execute(f"PRAGMA user_version = {STORE_VERSION}")
        rows = [(name, value, sha256(value)) for name, value in meta.items()]
        self._db.executemany("INSERT INTO meta VALUES (?, ?, ?)", rows)

    def _write(self, block: Block, applied: Applied) -> None:
        data = encode(block)
        self._db.execute("INSERT INTO blocks VALUES (?, ?, ?)", (block.header.height, data, sha256(data)))
        self._db.executemany("INSERT OR IGNORE INTO cold VALUES (?, ?)", applied.cold)
        self._db.executemany(
            "INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?)",
            [(table, encode_key(key), row, height) for table, key, row, height in applied.changes if row is not None],
        )
        self._db.executemany(
            "DELETE FROM state WHERE table_name = ? AND key = ?",
            [(table, encode_key(key)) for table, key, row, _ in applied.changes if row is None],
        )

    def cold(self, digest: bytes) -> bytes | None:
        """A cold blob by its digest, None if there is none; the machine tests it against the digest.

        Raises:
            OSError: if the file cannot be read; an error of the store, which no message is to blame for.
        """
        try:
            row = self._db.execute("SELECT blob FROM cold WHERE digest = ?", (digest,)).fetchone()
        except sqlite3.Error as error:
            message = f"cold blob {digest.hex()[:16]}: {error}"
            raise OSError(message) from None
        return row[0] if row is not None and isinstance(row[0], bytes) else None

    def height(self) -> int:
        """Height of the last block.

        Raises:
            NodeError: if there is no block.
        """
        with _spoken("区块无法读取", "the blocks cannot be read"):
            height: int | None = self._db.execute("SELECT max(height) FROM blocks").fetchone()[0]
        if height is None:
            raise NodeError("账本没有区块", "the ledger holds no block")
        return height

    def block(self, height: int) -> Block:
        """A block of the log.

        Raises:
            NodeError: if it is missing or its bytes are damaged.
        """
        with _spoken(f"区块 {height} 无法读取", f"block {height} cannot be read"):
            row = self._db.execute("SELECT block, digest FROM blocks WHERE height = ?", (height,)).fetchone()
        if row is None:
            raise NodeError(f"缺少区块 {height}", f"block {height} is missing")
        if not _is_intact(*row):
            raise NodeError(f"区块 {height} 已损坏", f"block {height} is damaged")
        try:
            return decode(row[0], Block)
        except ValueError as error:
            raise NodeError(f"区块 {height} 无法解读：{error}", f"block {height} cannot be decoded: {error}") from None

    def blocks(self, first_height: int) -> Iterator[Block]:
        """All blocks from a height on, in order."""
        for height in range(first_height, self.height() + 1):
            yield self.block(height)

    def rows(self) -> list[tuple[str, bytes, bytes, int]]:
        """All rows of the stored state: (table, key bytes, row bytes, height of the block that wrote it last).

        Raises:
            NodeError: if they cannot be read.
        """
        with _spoken("状态表无法读取", "the state's rows cannot be read"):
            return self._db.execute("SELECT table_name, key, row, height FROM state").fetchall()

    def check_structure(self) -> None:
        """Let SQLite test every page and index of the file; takes time in proportion to the file.

        Raises:
            NodeError: with SQLite's first finding.
        """
        with _spoken("账本文件已损坏", "the ledger file is damaged"):
            found: str = self._db.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            found = " ".join(found.split())
            raise NodeError(f"账本文件已损坏：{found}", f"the ledger file is damaged: {found}")

    def check_digests(self) -> None:
        """Test every block and cold blob against its digest; takes time in proportion to the file.

        Raises:
            NodeError: naming the first that is damaged.
        """
        with _spoken("账本无法读取", "the ledger cannot be read"):
            for height, block, digest in self._db.execute("SELECT height, block, digest FROM blocks ORDER BY height"):
                if not _is_intact(block, digest):
                    raise NodeError(f"区块 {height} 已损坏", f"block {height} is damaged")
            for digest, blob in self._db.execute("SELECT digest, blob FROM cold"):
                if not _is_intact(blob, digest):
                    raise NodeError(f"冷数据 {_short(digest)} 已损坏", f"the cold blob {_short(digest)} is damaged")

    def copy_to(self, path: Path) -> None:
        """Copy the ledger as it stands now to a new file of one piece, while a node may go on writing.

        Raises:
            NodeError: if it cannot be read or the copy cannot be written.
        """
        with _spoken("账本无法复制", "the ledger cannot be copied"):
            copy = sqlite3.connect(path, isolation_level=None)
            try:
                self._db.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
            finally:
                copy.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def _mode(path: Path, *, read_only: bool) -> str:
    """How to open. A ledger at rest on a read-only medium takes no lock and no file beside it."""
    if not read_only:
        return "mode=rwc"
    at_rest = not path.with_name(f"{path.name}-wal").exists() and not os.access(path.parent, os.W_OK)
    return "mode=ro&immutable=1" if at_rest else "mode=ro"


def _is_intact(value: object, digest: object) -> bool:
    return isinstance(value, bytes) and sha256(value) == digest


def _short(digest: object) -> str:
    return digest.hex()[:16] if isinstance(digest, bytes) else repr(digest)


def _holds(folder: Path, zh: str, en: str) -> NodeError:
    return NodeError(f"文件夹 {folder} {zh}", f"folder {folder} {en}")
