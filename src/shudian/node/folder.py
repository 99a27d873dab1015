"""A node's data folder: who may use it, and whether the ledger in it has lost blocks that were acknowledged."""

import fcntl
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import IO

from shudian.faults import system_words
from shudian.node.errors import NodeError
from shudian.node.store import LedgerStore

LOCK_FILE = "lock"
READING_FILE = "reading.db"


class FolderInUseError(NodeError):
    """Another process has the folder."""


def take_folder(folder: Path) -> IO[str]:
    """Lock a folder for this process; closing the file gives it back.

    Raises:
        NodeError: if the folder cannot be written, or another process has it.
    """
    try:
        handle = (folder / LOCK_FILE).open("w")
    except OSError as error:
        raise NodeError(
            f"文件夹 {folder} 不可写：{system_words(error)[0]}",
            f"folder {folder} cannot be written: {system_words(error)[1]}",
        ) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise FolderInUseError(
            f"文件夹 {folder} 正被另一个进程使用", f"folder {folder} is in use by another process"
        ) from None
    return handle


def refuse_lost_blocks(folder: Path) -> None:
    """Compare the ledger's height with what its read models have seen; call it before the ledger is opened for writing.

    Read models follow a block only when it is durable, so they can be behind but never ahead. They are ahead when the write-ahead log
    was damaged: SQLite then ends at the last whole transaction and says nothing.

    Raises:
        NodeError: naming the two heights; nothing has been written.
    """
    seen = _height_of_readers(folder / READING_FILE)
    if seen < 0:
        return
    with closing(LedgerStore(folder, read_only=True, may_be_older=True)) as store:
        height = store.height()
    if seen > height:
        raise NodeError(
            f"账本止于区块 {height}，而查询库已见区块 {seen}：账本丢失了已确认的区块，请从备份恢复"
            f"（若是有意放回旧账本，请先删除 {READING_FILE}）",
            f"the ledger ends at block {height} but its read models have seen block {seen}: acknowledged blocks are lost, "
            f"restore a backup (if you put an older ledger here on purpose, delete {READING_FILE} first)",
        )


def migrate(folder: Path) -> Path | None:
    """Bring the ledger file of a folder to this program's layout; any opening to write does the same.

    Returns the copy that was kept of the file as it was, None if it was up to date.

    Raises:
        NodeError: the folder is in use, or the file is damaged or of a layout or chain format that is not taken in; it is left as it was.
    """
    if not folder.is_dir():
        raise NodeError(f"没有文件夹 {folder}", f"there is no folder {folder}")
    with closing(take_folder(folder)):
        refuse_lost_blocks(folder)
        with closing(LedgerStore(folder)) as store:
            return store.migrated_from


def _height_of_readers(path: Path) -> int:
    if not path.exists():
        return -1
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as readers:
            height: object = readers.execute("SELECT height FROM position").fetchone()[0]
    except (sqlite3.Error, TypeError):  # damaged or half made read models know nothing; the projector deals with them
        return -1
    return height if isinstance(height, int) else -1
