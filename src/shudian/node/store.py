"""The durable store: one SQLite file with the block log, the state's rows and the cold blobs; one transaction per block.

WAL with synchronous FULL: a block that was acknowledged survives ``kill -9`` and loss of power.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from shudian.kernel.codec import decode, encode
from shudian.kernel.machine import Applied
from shudian.kernel.tables import encode_key
from shudian.node.blocks import FORMAT_VERSION, Block
from shudian.node.errors import NodeError

LEDGER_FILE = "ledger.db"

_SCHEMA = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE blocks (height INTEGER PRIMARY KEY, block BLOB NOT NULL)",
    "CREATE TABLE state (table_name TEXT, key BLOB, row BLOB NOT NULL, PRIMARY KEY (table_name, key)) WITHOUT ROWID",
    "CREATE TABLE cold (digest BLOB PRIMARY KEY, blob BLOB NOT NULL) WITHOUT ROWID",
)


def _unreadable(error: sqlite3.Error) -> NodeError:
    return NodeError(f"账本文件无法打开：{error}", f"the ledger file cannot be opened: {error}")


class LedgerStore:
    """Reads and writes ``ledger.db``; used by one node at a time."""

    def __init__(self, folder: Path, *, create: bool = False, read_only: bool = False) -> None:
        """Open an existing ledger, to write or only to read, or make a new one in an empty folder.

        Raises:
            NodeError: no ledger there, one already there, or one of another format.
        """
        path = folder / LEDGER_FILE
        if create == path.exists():
            zh, en = ("已有账本", "already holds a ledger") if create else ("没有账本", "holds no ledger")
            raise NodeError(f"文件夹 {folder} {zh}", f"folder {folder} {en}")
        mode = "ro" if read_only else "rwc"
        uri = f"{path.absolute().as_uri()}?mode={mode}"
        try:
            self._db = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
        except sqlite3.Error as error:
            raise _unreadable(error) from None
        try:
            version = self._set_up(create=create, read_only=read_only)
        except sqlite3.Error as error:
            self._db.close()
            raise _unreadable(error) from None
        if version != FORMAT_VERSION:
            self._db.close()
            raise NodeError(
                f"账本格式为 {version}，本程序读写格式 {FORMAT_VERSION}",
                f"the ledger has format {version}, this program reads and writes format {FORMAT_VERSION}",
            )

    def _set_up(self, *, create: bool, read_only: bool) -> int:
        if not read_only:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA wal_autocheckpoint = 16000")
        if create:
            self._db.execute("BEGIN")
            for statement in _SCHEMA:
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
            self._db.execute("COMMIT")
        version: int = self._db.execute("PRAGMA user_version").fetchone()[0]
        return version

    def meta(self, name: str) -> bytes:
        """A value kept at genesis."""
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise NodeError(f"账本缺少 {name}", f"the ledger lacks {name}")
        value: bytes = row[0]
        return value

    def commit(self, block: Block, applied: Applied, meta: dict[str, bytes] | None = None) -> None:
        """Make a block, the rows it changed and its cold blobs durable together."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for name, value in (meta or {}).items():
                self._db.execute("INSERT INTO meta VALUES (?, ?)", (name, value))
            self._db.execute("INSERT INTO blocks VALUES (?, ?)", (block.header.height, encode(block)))
            self._db.executemany("INSERT OR IGNORE INTO cold VALUES (?, ?)", applied.cold)
            self._db.executemany(
                "INSERT OR REPLACE INTO state VALUES (?, ?, ?)",
                [(table, encode_key(key), row) for table, key, row in applied.changes if row is not None],
            )
            self._db.executemany(
                "DELETE FROM state WHERE table_name = ? AND key = ?",
                [(table, encode_key(key)) for table, key, row in applied.changes if row is None],
            )
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def cold(self, digest: bytes) -> bytes | None:
        """A cold blob by its digest."""
        row = self._db.execute("SELECT blob FROM cold WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else row[0]

    def height(self) -> int:
        """Height of the last block."""
        height: int = self._db.execute("SELECT max(height) FROM blocks").fetchone()[0]
        return height

    def block(self, height: int) -> Block:
        """A block of the log.

        Raises:
            NodeError: if it is missing or its bytes are damaged.
        """
        row = self._db.execute("SELECT block FROM blocks WHERE height = ?", (height,)).fetchone()
        if row is None:
            raise NodeError(f"缺少区块 {height}", f"block {height} is missing")
        try:
            return decode(row[0], Block)
        except ValueError as error:
            raise NodeError(f"区块 {height} 已损坏：{error}", f"block {height} is damaged: {error}") from None

    def blocks(self, first_height: int) -> Iterator[Block]:
        """All blocks from a height on, in order."""
        for height in range(first_height, self.height() + 1):
            yield self.block(height)

    def rows(self) -> list[tuple[str, bytes, bytes]]:
        """All rows of the stored state: (table, key bytes, row bytes)."""
        return self._db.execute("SELECT table_name, key, row FROM state").fetchall()

    def close(self) -> None:
        """Close the file."""
        self._db.close()
