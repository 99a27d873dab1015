"""A recording disk: what SQLite did to its files, step by step, and what a crash may leave of it.

:class:`RecordingDisk` is a SQLite VFS that passes every write, truncation, sync and deletion on and remembers it. A process killed at its
k-th step has done exactly the first k-1 steps, so :func:`left_by_crash` computes what any such crash leaves without running again: what
was synced stands, and of the rest a :data:`Fate` decides: nothing arrived, all arrived, or each write arrived, was lost, or was torn at a
sector.
"""

import random
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import apsw

SECTOR_BYTES = 512


class LateEnd(Future[Any]):
    """A piece of work that is done when somebody waits for it."""

    def __init__(self, work: Callable[[], Any]) -> None:
        """Nothing happens yet."""
        super().__init__()
        self._work = work

    def result(self, timeout: float | None = None) -> Any:
        """Do it now."""
        if not self.done():
            try:
                self.set_result(self._work())
            except Exception as error:  # noqa: BLE001 - kept, and raised to whoever waits
                self.set_exception(error)
        return super().result(timeout)


class LateDisk(Executor):
    """Stands in for the thread that ends a commit while the next block is applied: without a thread, at once or as late as can be.

    comes_late: asked for each commit.
    """

    def __init__(self, comes_late: Callable[[], bool]) -> None:
        """A disk with nothing to do."""
        self._comes_late = comes_late

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Take a piece of work on."""
        end = LateEnd(partial(fn, *args, **kwargs))
        if not self._comes_late():
            with suppress(Exception):  # kept for whoever waits
                end.result()
        return end


@dataclass(frozen=True)
class Write:
    """Bytes written at an offset."""

    name: str
    offset: int
    data: bytes


@dataclass(frozen=True)
class Truncate:
    """A file cut to a size."""

    name: str
    size: int


@dataclass(frozen=True)
class Sync:
    """All that was done to a file reached the disk."""

    name: str


@dataclass(frozen=True)
class Delete:
    """A file removed; folder_synced: whether the folder was told to the disk at once."""

    name: str
    folder_synced: bool


@dataclass(frozen=True)
class Told:
    """No step of the disk: from here on the workload has this outcome in hand."""

    height: int


Step = Write | Truncate | Sync | Delete | Told
Fate = Callable[[Write | Truncate], Sequence[Write | Truncate]]
"""What arrives of one step that was not synced."""


def nothing_arrives(_step: Write | Truncate) -> Sequence[Write | Truncate]:
    """What was not synced is lost."""
    return ()


def all_arrives(step: Write | Truncate) -> Sequence[Write | Truncate]:
    """What was not synced is there all the same: the process died, the system lived."""
    return (step,)


def torn(seed: int) -> Fate:
    """Each step is kept, lost, or torn: a random choice of its sectors."""
    dice = random.Random(seed)  # noqa: S311 - a simulated crash, repeatable by its seed

    def fate(step: Write | Truncate) -> Sequence[Write | Truncate]:
        choice = dice.choice(("lost", "kept", "torn"))
        if choice == "lost" or (choice == "torn" and isinstance(step, Truncate)):
            return ()
        if choice == "kept" or isinstance(step, Truncate):
            return (step,)
        sectors = range(0, len(step.data), SECTOR_BYTES)
        kept = [first for first in sectors if dice.randrange(2)]
        return [Write(step.name, step.offset + first, step.data[first : first + SECTOR_BYTES]) for first in kept]

    return fate


@dataclass
class _File:
    """durable: content that was synced. waiting: steps since. before: the file of this name whose deletion the folder may not know yet."""

    durable: bytearray = field(default_factory=bytearray)
    waiting: list[Write | Truncate] = field(default_factory=list)
    before: "_File | None" = None
    is_gone: bool = False
    is_new: bool = False


def left_by_crash(steps: Iterable[Step], fate: Fate, held: dict[str, bytes] | None = None) -> dict[str, bytes]:
    """File contents by name after a crash that comes after ``steps``; ``held``: contents at the start."""
    files = {name: _File(bytearray(content)) for name, content in (held or {}).items()}
    for step in steps:
        match step:
            case Told():
                continue
            case Delete(name, folder_synced):
                files[name] = _File(before=None if folder_synced else files.get(name), is_gone=True)
            case Sync(name):
                file = files.setdefault(name, _File(is_new=True))
                for waiting in file.waiting:
                    _apply(file.durable, waiting)
                file.waiting = []
                if file.is_new and name.endswith(("-journal", "-wal")):
                    for other in files.values():  # SQLite syncs the folder with the first sync of such a file
                        other.before = None
                file.is_new = False
            case Write(name) | Truncate(name):
                if name not in files or files[name].is_gone:
                    files[name] = _File(before=files[name].before if name in files else None, is_new=True)
                files[name].waiting.append(step)
    return {name: content for name, file in files.items() if (content := _left(file, fate)) is not None}


def _left(file: _File, fate: Fate) -> bytes | None:
    if file.before is not None and not fate(Truncate("", 0)):
        return _left(file.before, fate)  # the deletion never reached the folder
    if file.is_gone:
        return None
    content = bytearray(file.durable)
    for step in file.waiting:
        for arrived in fate(step):
            _apply(content, arrived)
    return bytes(content)


def _apply(content: bytearray, step: Write | Truncate) -> None:
    if isinstance(step, Truncate):
        del content[step.size :]
        return
    content.extend(bytes(max(0, step.offset - len(content))))
    content[step.offset : step.offset + len(step.data)] = step.data


class RecordingDisk(apsw.VFS):
    """Passes through to the real file system; ``steps`` grows.

    fails_at: this step and all later ones fail as a broken disk does. fault: how. syncs: whether a sync is more than a word; what a crash
    leaves is computed, so the real disk is never waited for.
    """

    def __init__(self, name: str, fails_at: int | None = None, *, syncs: bool = True, is_default: bool = False) -> None:
        """Register with SQLite under a name; ``is_default``: every file that apsw opens and that names no other layer is on this one."""
        self.name = name
        self.fails_at = fails_at
        self.fault: type[apsw.Error] = apsw.IOError
        self.syncs = syncs
        self.steps: list[Step] = []
        self.below = apsw.vfs_names()[0]  # SQLite lists the default first
        super().__init__(name, self.below, makedefault=is_default)

    def take(self, step: Step) -> None:
        """Remember a step, unless the disk is broken by then."""
        if self.fails_at is not None and len(self.steps) >= self.fails_at:
            raise self.fault("disk I/O error")
        self.steps.append(step)

    def excepthook(self, *_error: object) -> bool:
        """A planted failure is SQLite's to deal with; nothing is printed."""
        return True

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> "_RecordingFile":  # noqa: N802 - SQLite's name
        """Open a file under watch."""
        return _RecordingFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - SQLite's name
        """Delete it and remember."""
        self.take(Delete(Path(filename).name, bool(syncdir)))
        super().xDelete(filename, syncdir)

    def connect(self, path: str, flags: int) -> apsw.Connection:
        """What stands in for the store's way to open a file."""
        return apsw.Connection(path, flags=flags, vfs=self.name)

    def connect_readers(self, path: str) -> "ReadersConnection":
        """What stands in for Python's own module, with which the read models' file is opened."""
        return ReadersConnection(path, self.name)


class ReadersConnection:
    """As much of ``sqlite3.Connection`` over apsw as the product uses; errors come as ``sqlite3.Error``."""

    def __init__(self, path: str, vfs: str) -> None:
        """Open a file on the layer of a name, by its path or its URI."""
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
        with _as_sqlite3():
            self._db = apsw.Connection(path, flags=flags, vfs=vfs)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """One statement; the cursor."""
        with _as_sqlite3():
            return self._db.execute(sql, tuple(parameters))

    def executemany(self, sql: str, rows: Iterable[Any]) -> Any:
        """One statement for each row."""
        with _as_sqlite3():
            return self._db.executemany(sql, rows)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._db.in_transaction

    def close(self) -> None:
        """Close the file."""
        with _as_sqlite3(), suppress(apsw.IOError, apsw.FullError):
            self._db.close()  # where a last checkpoint cannot be made, Python's module keeps quiet about that


class _as_sqlite3:  # noqa: N801 - reads as a verb at its place
    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, apsw.Error):
            raise sqlite3.OperationalError(str(error)) from None


class _RecordingFile(apsw.VFSFile):
    def __init__(self, disk: RecordingDisk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk = disk
        self._name = Path((name.filename() if isinstance(name, apsw.URIFilename) else name) or "").name
        super().__init__(disk.below, name, flags)

    def excepthook(self, *_error: object) -> bool:
        """As above."""
        return True

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        """Write and remember."""
        self._disk.take(Write(self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's name
        """Cut and remember."""
        self._disk.take(Truncate(self._name, newsize))
        super().xTruncate(newsize)

    def xSync(self, _flags: int) -> None:  # noqa: N802 - SQLite's name
        """Remember; see the class."""
        if self._disk.syncs:
            self._disk.take(Sync(self._name))
