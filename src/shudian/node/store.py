"""The durable store: one SQLite file with the block log, the state's rows and the cold blobs; one transaction per block.

WAL with synchronous FULL: a block that was acknowledged survives ``kill -9`` and loss of power. What is kept once and for all (blocks, facts of
the founding) stands beside its SHA-256, so that damage is named wherever it is read; the state's rows are proved by the app hash, cold blobs by
their key.

A row of the state has a number for life, given when its key is first written: a block writes its rows in the order of their numbers,
new ones at the end, and no index is kept on disk. Which number belongs to which key is held in memory by the one who writes.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import apsw
import msgspec

from shudian.kernel import check
from shudian.kernel.codec import decode, encode
from shudian.kernel.crypto import sha256
from shudian.kernel.machine import Applied
from shudian.node.blocks import Block
from shudian.node.errors import NodeError
from shudian.node.layouts import STEPS, STORE_VERSION
from shudian.node.numbering import Numbered, RowIds, named_rows
from shudian.node.sqlite_faults import sqlite_fault
from shudian.proofs.files import FORMAT_VERSION

LEDGER_FILE = "ledger.db"
FIRST_HEIGHT = "first_height"
"""Meta of a ledger that starts from a snapshot: its first block, in decimal."""
_PROGRESS_MASK = (1 << 14) - 1

_SCHEMA = {
    "meta": "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL, digest BLOB NOT NULL) WITHOUT ROWID",
    "blocks": "CREATE TABLE blocks (height INTEGER PRIMARY KEY, block BLOB NOT NULL, digest BLOB NOT NULL)",
    "state_tables": "CREATE TABLE state_tables (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
    "state": "CREATE TABLE state (id INTEGER PRIMARY KEY, table_id INTEGER NOT NULL, "
    "key BLOB NOT NULL, row BLOB NOT NULL, height INTEGER NOT NULL)",
    "cold": "CREATE TABLE cold (digest BLOB PRIMARY KEY, blob BLOB NOT NULL) WITHOUT ROWID",
}
_BUSY_MS = 5_000
_NOT_WRITTEN = ("区块未能写入", "the block could not be written")
_READER_MMAP_BYTES = 1 << 30


def connect(path: str, flags: int) -> apsw.Connection:
    """Open a database file; every file of a ledger is opened here."""
    return apsw.Connection(path, flags=flags)


class LedgerStore:
    """Reads and writes ``ledger.db``; written by one node at a time, read by any number of processes beside it."""

    def __init__(
        self,
        folder: Path,
        *,
        create: bool = False,
        read_only: bool = False,
        may_be_older: bool = False,
        file: str = LEDGER_FILE,
    ) -> None:
        """Open an existing ledger, to write or only to read, or make a new one in a folder without.

        A new ledger exists once :meth:`commit` has written its block 0; until then the file holds nothing and can be made again. A file of
        an older layout is brought up to date when it is opened to write, see :mod:`shudian.node.layouts`; ``may_be_older`` lets a reader
        in who looks at nothing but the blocks' heights, which every layout of the list has. ``migrated_from``: the copy that was kept if
        this opening brought the file up to date, else None.

        Raises:
            NodeError: no ledger there, one already there, one of another layout, or a file that SQLite cannot read.
        """
        self.folder = folder
        self._read_only = read_only
        self._turn = threading.RLock()
        self._ids: RowIds | None = None
        self._table_ids: dict[str, int] = {}
        self._last_id = 0
        self._written: tuple[Block, Numbered] | None = None
        self.migrated_from: Path | None = None
        path = folder / file
        if not create and not path.exists():
            raise _holds(folder, "没有账本", "holds no ledger")
        with self._asked("账本文件无法打开", "the ledger file cannot be opened"):
            self._db = connect(*_how_to_open(path, read_only=read_only))
        try:
            with self._asked("账本文件无法打开", "the ledger file cannot be opened"):
                self._set_up(create=create, may_be_older=may_be_older)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def _asked(self, zh: str, en: str) -> Iterator[None]:
        """One thread at a time speaks to SQLite; its errors are said in words."""
        with self._turn:
            try:
                yield
            except apsw.Error as error:
                raise sqlite_fault(zh, en, error) from None
            except UnicodeDecodeError as error:  # SQLite takes any bytes for a text
                raise NodeError(f"{zh}：文件已损坏（{error}）", f"{en}: the file is damaged ({error})") from None

    def _one(self, sql: str, parameters: tuple[int | bytes | str, ...] = ()) -> Any:
        return self._db.execute(sql, parameters).fetchone()

    def _all(self, sql: str) -> list[Any]:
        return self._db.execute(sql).fetchall()

    def _set_up(self, *, create: bool, may_be_older: bool) -> None:
        self._db.set_busy_timeout(_BUSY_MS)
        self._db.pragma("cell_size_check", 1)
        if self._read_only:
            self._db.pragma("mmap_size", _READER_MMAP_BYTES)
        version = self._db.pragma("user_version")
        schema = dict(self._all("SELECT name, sql FROM sqlite_master"))
        is_empty = version == 0 and not schema
        if create and not is_empty:
            raise _holds(self.folder, "已有账本", "already holds a ledger")
        if is_empty and not create:
            raise _holds(
                self.folder, "没有账本：建链没有完成", "holds no ledger: the founding of its chain did not finish"
            )
        if not create and version != STORE_VERSION:
            self._refuse_layout(version, may_be_older=may_be_older)
        if not self._read_only:
            self._db.pragma("journal_mode", "WAL")
            self._db.pragma("synchronous", "FULL")
            self._db.pragma("wal_autocheckpoint", 16000)
        if create or (self._read_only and version != STORE_VERSION):
            return
        if version != STORE_VERSION:
            self._bring_up_to_date(version)
            schema = dict(self._all("SELECT name, sql FROM sqlite_master"))
        if schema != _SCHEMA:
            raise NodeError("账本文件的表定义已损坏", "the table definitions of the ledger file are damaged")
        self._refuse_other_chains()

    def _refuse_layout(self, version: int, *, may_be_older: bool) -> None:
        """Refuse a layout that is not this program's, unless it is one that may be read or can be brought up to date."""
        if version not in STEPS:
            raise NodeError(
                f"账本文件格式为 {version}，本程序读写格式 {STORE_VERSION}",
                f"the ledger file has format {version}, this program reads and writes format {STORE_VERSION}",
            )
        if self._read_only and not may_be_older:
            raise NodeError(
                f"账本文件格式为 {version}，本程序用格式 {STORE_VERSION}；请运行 shudian node migrate --data {self.folder}",
                f"the ledger file has format {version}, this program uses format {STORE_VERSION}; "
                f"run shudian node migrate --data {self.folder}",
            )

    def _refuse_other_chains(self) -> None:
        """A chain of another format may be laid out well, yet its blocks and rows mean something else."""
        chain_format = self.meta("chain_format").decode(errors="replace")
        if chain_format != str(FORMAT_VERSION):
            raise NodeError(
                f"这条链的格式为 {chain_format}，本程序只用格式 {FORMAT_VERSION}；请用建链时的版本",
                f"this chain has format {chain_format}, this program takes format {FORMAT_VERSION} only; use the version that made it",
            )

    def _bring_up_to_date(self, version: int) -> None:
        """Keep a copy of the file as it is, then take all steps to this program's layout in one transaction."""
        kept = self.folder / kept_name(version)
        _remove(kept)  # of an attempt that did not come to its end
        self.copy_to(kept)
        try:
            with self._transaction():
                while version != STORE_VERSION:
                    version = STEPS[version](self._db)
                self._refuse_other_chains()
                self._db.pragma("user_version", version)
        except NodeError:
            _remove(kept)  # the file is as it was
            raise
        self.migrated_from = kept

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def of_one_moment(self) -> Iterator[None]:
        """Whatever is read within is of one moment, even if a node goes on writing.

        Raises:
            NodeError: if the ledger cannot be read.
        """
        with self._asked("账本无法读取", "the ledger cannot be read"):
            self._db.execute("BEGIN")
        try:
            yield
        finally:
            with self._turn:
                if self._db.in_transaction:  # some faults end it, and are told themselves
                    self._db.execute("ROLLBACK")

    def meta(self, name: str) -> bytes:
        """A value kept at genesis.

        Raises:
            NodeError: if it is missing or damaged.
        """
        with self._asked(f"无法读取账本的 {name}", f"{name} of the ledger cannot be read"):
            row = self._one("SELECT value, digest FROM meta WHERE name = ?", (name,))
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
        self.write(block, applied, meta)
        self.finish()

    def write(self, block: Block, applied: Applied, meta: dict[str, bytes] | None = None) -> None:
        """The first part of :meth:`commit`: nothing of it is durable, nor seen by other connections, before :meth:`finish`.

        Raises:
            NodeError: as for :meth:`commit`.
        """
        with self._asked(*_NOT_WRITTEN):
            if meta is None and self._ids is None:
                self.rows()
            try:
                self._db.execute("BEGIN IMMEDIATE")
                if meta is not None:
                    self._found(meta)
                self._written = (block, self._write_rows(applied))
            except BaseException:
                self._undo()
                raise

    def finish(self) -> None:
        """The second part of :meth:`commit`, in which the disk has most to do; another thread may call it.

        Raises:
            NodeError: as for :meth:`commit`.
        """
        with self._asked(*_NOT_WRITTEN):
            if self._written is None:
                message = "a block was written"
                raise check.CheckFailed(message)
            block, numbered = self._written
            try:
                data = encode(block)
                self._db.execute("INSERT INTO blocks VALUES (?, ?, ?)", (block.header.height, data, sha256(data)))
                self._db.execute("COMMIT")
            except BaseException:
                self._undo()
                raise
            if self._ids is None:
                self._ids = {}
            numbered.keep(self._ids)
            self._last_id = numbered.last_id
            self._written = None

    def _undo(self) -> None:
        """What was given is taken back: learn the numbers anew."""
        self._ids, self._written = None, None
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _found(self, meta: dict[str, bytes]) -> None:
        for statement in _SCHEMA.values():
            self._db.execute(statement)
        self._db.pragma("user_version", STORE_VERSION)
        facts = {**meta, "chain_format": str(FORMAT_VERSION).encode()}
        rows = [(name, value, sha256(value)) for name, value in facts.items()]
        self._db.executemany("INSERT INTO meta VALUES (?, ?, ?)", rows)
        self._ids = {}

    def _write_rows(self, applied: Applied) -> Numbered:
        """Write rows and cold blobs of a block; returns the numbers of its rows."""
        self._db.executemany("INSERT OR IGNORE INTO cold VALUES (?, ?)", applied.cold)
        numbered = Numbered(applied.changes, self._ids or {}, self._table_ids, self._last_id)
        self._db.executemany("INSERT INTO state_tables VALUES (?, ?)", numbered.tables)
        self._db.executemany("INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?, ?)", numbered.rows)
        self._db.executemany("DELETE FROM state WHERE id = ?", numbered.removed)
        return numbered

    def cold(self, digest: bytes) -> bytes | None:
        """A cold blob by its digest, None if there is none; the machine tests it against the digest.

        Raises:
            OSError: if the file cannot be read; an error of the store, which no message is to blame for.
        """
        try:
            with self._turn:
                row = self._one("SELECT blob FROM cold WHERE digest = ?", (digest,))
        except (apsw.Error, UnicodeDecodeError) as error:
            message = f"cold blob {digest.hex()[:16]}: {error}"
            raise OSError(message) from None
        return row[0] if row is not None and isinstance(row[0], bytes) else None

    def height(self) -> int:
        """Height of the last block.

        Raises:
            NodeError: if there is no block.
        """
        with self._asked("区块无法读取", "the blocks cannot be read"):
            height: int | None = self._one("SELECT max(height) FROM blocks")[0]
        if height is None:
            raise NodeError("账本没有区块", "the ledger holds no block")
        return height

    def size_bytes(self) -> int:
        """How large the ledger is, what stands in the write-ahead log included.

        Raises:
            NodeError: if that cannot be read.
        """
        with self._asked("账本无法读取", "the ledger cannot be read"):
            pages: int = self._one("PRAGMA page_count")[0]
            page_bytes: int = self._one("PRAGMA page_size")[0]
        return pages * page_bytes

    def first_height(self) -> int:
        """Height of the first block that is here: 0, unless the ledger starts from a snapshot.

        Raises:
            NodeError: if that cannot be read.
        """
        with self._asked("区块无法读取", "the blocks cannot be read"):
            starts = self._one("SELECT 1 FROM meta WHERE name = ?", (FIRST_HEIGHT,))
        if starts is None:
            return 0
        return int(self.meta(FIRST_HEIGHT))

    def block(self, height: int) -> Block:
        """A block of the log.

        Raises:
            NodeError: if it is missing or its bytes are damaged.
        """
        with self._asked(f"区块 {height} 无法读取", f"block {height} cannot be read"):
            row = self._one("SELECT block, digest FROM blocks WHERE height = ?", (height,))
        if row is None:
            first = self.first_height()
            if height < first:
                raise NodeError(
                    f"账本始于区块 {first} 的快照，此前的区块 {height} 不在这里",
                    f"this ledger starts from a snapshot at block {first}: block {height} before it is not here",
                )
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
        """All rows of the stored state: (table, key bytes, row bytes, height of the block that wrote it last), in no order that means anything.

        Raises:
            NodeError: if they cannot be read, stand out of order or a key stands twice.
        """
        with self._asked("状态表无法读取", "the state's rows cannot be read"):
            names = dict(self._all("SELECT id, name FROM state_tables"))
            found = self._all("SELECT id, table_id, key, row, height FROM state")
            rows, ids, last_id = named_rows(names, found)
            if not self._read_only:
                self._ids, self._last_id = ids, last_id
                self._table_ids = {name: table_id for table_id, name in names.items()}
        return rows

    def check_structure(self) -> None:
        """Let SQLite test every page and index of the file; takes time in proportion to the file.

        Raises:
            NodeError: with SQLite's first finding.
        """
        with self._asked("账本文件已损坏", "the ledger file is damaged"):
            found: str = self._one("PRAGMA integrity_check(1)")[0]
        if found != "ok":
            found = " ".join(found.split())
            raise NodeError(f"账本文件已损坏：{found}", f"the ledger file is damaged: {found}")

    def check_digests(self) -> None:
        """Test every block and cold blob against its digest; takes time in proportion to the file.

        Raises:
            NodeError: naming the first that is damaged.
        """
        with self._asked("账本无法读取", "the ledger cannot be read"):
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
        with self._asked("账本无法复制", "the ledger cannot be copied"):
            flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
            with closing(connect(str(path), flags)) as copy:
                copy.pragma("synchronous", "FULL")
                with copy.backup("main", self._db, "main") as backup:
                    backup.step()
                copy.pragma("journal_mode", "DELETE")

    def copy_state_to(
        self,
        path: Path,
        first_height: int,
        facts_at: Callable[[int], dict[str, bytes]],
        progress: Callable[[int, int], None],
    ) -> None:
        """Copy the last state to a new file: its rows, the cold blobs they name, and the blocks from ``first_height`` on.

        All is of one moment, whatever a node goes on writing. facts_at: gives more facts for meta, once the height of the copy is known.
        progress: called with rows done and rows in all.

        Raises:
            NodeError: if it cannot be read or the copy cannot be written.
        """
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        with (
            self._asked("状态无法复制", "the state cannot be copied"),
            closing(connect(str(path), flags)) as copy,
        ):
            copy.pragma("synchronous", "FULL")
            copy.execute("BEGIN")
            with self.of_one_moment():
                for statement in _SCHEMA.values():
                    copy.execute(statement)
                self._pour(copy, first_height, progress)
                height = self.height()
                named = ("genesis", "node_public_key", "chain_format")
                facts = {name: self.meta(name) for name in named} | {FIRST_HEIGHT: b"%d" % first_height}
                facts |= facts_at(height)
                rows = [(name, value, sha256(value)) for name, value in facts.items()]
                copy.executemany("INSERT INTO meta VALUES (?, ?, ?)", rows)
            copy.pragma("user_version", STORE_VERSION)
            copy.execute("COMMIT")

    def _pour(self, copy: apsw.Connection, first_height: int, progress: Callable[[int, int], None]) -> None:
        """Rows, blocks and blobs, one at a time, so that memory stays small."""
        total = self._one("SELECT count(*) FROM state")[0]
        digests = {digest for (digest,) in self._all("SELECT digest FROM cold")}
        wanted: set[bytes] = set()

        def rows() -> Iterator[tuple[Any, ...]]:
            for done, row in enumerate(self._db.execute("SELECT * FROM state")):
                if digests:
                    wanted.update(digests.intersection(_bytes_in(row[3])))
                if not done & _PROGRESS_MASK:
                    progress(done, total)
                yield row

        copy.executemany("INSERT INTO state_tables VALUES (?, ?)", self._db.execute("SELECT * FROM state_tables"))
        copy.executemany("INSERT INTO state VALUES (?, ?, ?, ?, ?)", rows())
        blocks = self._db.execute("SELECT * FROM blocks WHERE height >= ? ORDER BY height", (first_height,))
        copy.executemany("INSERT INTO blocks VALUES (?, ?, ?)", blocks)
        blobs = ((digest, self.cold(digest)) for digest in sorted(wanted))
        copy.executemany("INSERT INTO cold VALUES (?, ?)", blobs)
        progress(total, total)

    def close(self) -> None:
        """Close the file. A last checkpoint that fails loses nothing: the write-ahead log stays and is read at the next start."""
        with self._turn, suppress(apsw.Error):
            self._db.close(force=True)


def kept_name(version: int) -> str:
    """Name of the copy that is kept of a file of an older layout."""
    return f"{LEDGER_FILE}.format-{version}"


def _remove(path: Path) -> None:
    for suffix in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _how_to_open(path: Path, *, read_only: bool) -> tuple[str, int]:
    """Path and flags. A ledger at rest on a read-only medium takes no lock and no file beside it."""
    if not read_only:
        return str(path), apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    at_rest = not path.with_name(f"{path.name}-wal").exists() and not os.access(path.parent, os.W_OK)
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    return f"{path.absolute().as_uri()}{'?immutable=1' if at_rest else ''}", flags


def _bytes_in(row: object) -> Iterator[bytes]:
    """All byte strings of an encoded row, the digests of its cold blobs among them."""
    try:
        waiting = [msgspec.msgpack.decode(row)] if isinstance(row, bytes) else []
    except msgspec.DecodeError:  # a damaged row is named by the test of the copy
        return
    while waiting:
        found = waiting.pop()
        if isinstance(found, bytes):
            yield found
        elif isinstance(found, list):
            waiting += found


def _is_intact(value: object, digest: object) -> bool:
    return isinstance(value, bytes) and sha256(value) == digest


def _short(digest: object) -> str:
    return digest.hex()[:16] if isinstance(digest, bytes) else repr(digest)


def _holds(folder: Path, zh: str, en: str) -> NodeError:
    return NodeError(f"文件夹 {folder} {zh}", f"folder {folder} {en}")
