"""Snapshots: the last state of a ledger without its history, and a data folder that starts from one.

A snapshot at block h holds the rows after it, the cold blobs they name, the read models, block h, and block h + 1, whose header carries the
app hash of those rows under the node's signature. Starting executes block h + 1 on them, so the new folder goes on where that block ends.
"""

import hashlib
import json
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from shudian.kernel.check import CheckFailed
from shudian.kernel.codec import Malformed, decode, encode
from shudian.kernel.epochs import EPOCHS, Secrets
from shudian.kernel.machine import Machine
from shudian.node.backup import label_in, made_whole, write_durably
from shudian.node.blocks import Block, decode_outcomes, decode_told, digests_of, results, results_hash
from shudian.node.errors import NodeError
from shudian.node.folder import READING_FILE
from shudian.node.loading import load
from shudian.node.sqlite_faults import sqlite_fault
from shudian.node.store import LEDGER_FILE, LedgerStore
from shudian.node.verify import check_links, check_results, check_vote

SNAPSHOT_FILE = "snapshot.db"
LABEL_FILE = "snapshot.json"
CARRIER = "carrier"
"""Meta of a snapshot: the block after its last, whose header carries the app hash of its rows."""
CARRIER_WAIT_S = 60
_PAUSE_S = 0.2

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SnapshotLabel:
    """What a snapshot holds. height: of the block that its rows stand after. Hashes and keys in hex; the last two are of whole files."""

    chain_id: str
    height: int
    first_height: int
    app_hash: str
    node_public_key: str
    snapshot_hash: str
    reading_hash: str


def next_block(folder: Path, height: int, pause: Callable[[float], None] = time.sleep) -> Block:
    """The block after a height, made by a node that runs in another process; waits for it.

    Raises:
        NodeError: none came in a minute.
    """
    end = time.monotonic() + CARRIER_WAIT_S
    with closing(LedgerStore(folder, read_only=True)) as store:
        while store.height() <= height:
            if time.monotonic() > end:
                raise NodeError(
                    f"{CARRIER_WAIT_S} 秒内没有区块跟上区块 {height}：快照需要下一区块的签名，请稍后再试",
                    f"no block followed block {height} in {CARRIER_WAIT_S} s: a snapshot needs the signature of the next, try again later",
                )
            pause(_PAUSE_S)
        return store.block(height + 1)


def take_snapshot(
    folder: Path, destination: Path, carrier_of: Callable[[int], Block], progress: Progress = lambda _done, _total: None
) -> SnapshotLabel:
    """Make a snapshot of the last state in a new folder; a node may be running and writing.

    carrier_of: gives the block after a height, see :meth:`EmbeddedNode.block_after` and :func:`next_block`.

    Raises:
        NodeError: the destination exists or cannot be written, the ledger is damaged or has no read models; nothing is left behind.
    """
    if destination.exists():
        raise NodeError(f"{destination} 已存在，不会覆盖", f"{destination} exists and is never overwritten")
    with made_whole(destination) as made:
        read_height = _copy_reading(folder / READING_FILE, made / READING_FILE)
        with closing(LedgerStore(folder, read_only=True)) as store:
            first_height = max(read_height, store.first_height())
            store.copy_state_to(
                made / SNAPSHOT_FILE,
                first_height,
                lambda height: {CARRIER: encode(carrier_of(height))},
                progress,
            )
        label = _label_of(made)
        write_durably(made / LABEL_FILE, json.dumps(asdict(label), ensure_ascii=False, indent=1) + "\n")
    return label


def start_from(
    source: Path,
    folder: Path,
    node_public_key: bytes,
    secrets: Secrets,
    progress: Progress = lambda _done, _total: None,
) -> SnapshotLabel:
    """Make a data folder that starts from a snapshot and stands at the block after it.

    Tested: both files against the label, the file's structure, each block's digest, link and signature by ``node_public_key``, the rows
    against the app hash that the next header carries, the results of the last block against that header, and every invariant. The read
    models are taken on the word of whoever made the snapshot; their file must be the label's. progress: called with steps done and in all.

    Raises:
        NodeError: the folder is not empty, the snapshot is damaged or another node's, or the ``secrets`` do not open its epochs; nothing is
            left behind.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NodeError(f"文件夹 {folder} 不是空的，不会覆盖", f"folder {folder} is not empty and is never overwritten")
    label = read_label(source)
    steps = 4
    with made_whole(folder) as made:
        for done, (name, to, digest) in enumerate(
            ((SNAPSHOT_FILE, LEDGER_FILE, label.snapshot_hash), (READING_FILE, READING_FILE, label.reading_hash))
        ):
            progress(done, steps)
            shutil.copyfile(source / name, made / to)
            if _file_hash(made / to) != digest:
                raise NodeError(f"快照文件 {source / name} 已损坏", f"file {source / name} of the snapshot is damaged")
        with closing(LedgerStore(made)) as store:
            store.check_structure()
            store.check_digests()
            progress(2, steps)
            if store.meta("node_public_key") != node_public_key:
                raise NodeError("节点密钥与快照不符", "the node key does not belong to this snapshot")
            _go_on(store, node_public_key, secrets, lambda: progress(3, steps))
        progress(steps, steps)
    return label


def _go_on(store: LedgerStore, node_public_key: bytes, secrets: Secrets, on_loaded: Callable[[], None]) -> None:
    """Test the rows of a snapshot and its blocks, then execute the block that carries them."""
    carrier = _carrier(store)
    loaded = load(store, secrets)
    machine, genesis, last = loaded.machine, loaded.genesis, loaded.last
    for (epoch_no,), _ in EPOCHS.range(machine):
        if not isinstance(epoch_no, int) or secrets.of(epoch_no) is None:
            raise NodeError(
                f"核对快照需要密钥期 {epoch_no!r} 的密钥",
                f"testing the snapshot needs the secret of epoch {epoch_no!r}",
            )
    on_loaded()
    before = store.block(store.first_height())
    check_vote(before, node_public_key)
    for block in store.blocks(store.first_height() + 1):
        check_links(block, before, genesis, node_public_key, digests_of(block.envelopes))
        before = block
    digests = digests_of(carrier.envelopes)
    check_links(carrier, last, genesis, node_public_key, digests)
    for block in store.blocks(store.first_height()):
        _check_told(block, machine)
    if (machine.market_ms, machine.roots.clock_path()) != (last.market_ms, last.clock_path):
        raise _damaged(last.header.height, "市场时间", "market time")
    try:
        machine.check_all()
        applied = machine.apply(carrier.header.time_ms, machine.door.open_all(carrier.envelopes))
    except CheckFailed as error:
        raise NodeError(f"快照不合规：{error}", f"the snapshot breaks a promise: {error}") from None
    check_results(carrier, applied, digests)
    store.commit(carrier, applied)


def _carrier(store: LedgerStore) -> Block:
    try:
        return decode(store.meta(CARRIER), Block)
    except Malformed as error:
        raise NodeError(
            f"快照的后续区块无法解读：{error}", f"the block after the snapshot cannot be decoded: {error}"
        ) from None


def _check_told(block: Block, machine: Machine) -> None:
    """Whether the outcomes and events stored with a block are those of its results root."""
    height = block.header.height
    try:
        outcomes, told = decode_outcomes(block.outcomes), decode_told(block.events)
        found = results(height, machine.state_key_at(height), digests_of(block.envelopes), outcomes, told)
    except ValueError:
        raise _damaged(height, "结果", "results") from None
    if results_hash(found) != block.results_hash:
        raise _damaged(height, "结果", "results")


def _damaged(height: int, zh: str, en: str) -> NodeError:
    return NodeError(f"快照区块 {height} 的{zh}已损坏", f"the {en} of block {height} of the snapshot are damaged")


def read_label(source: Path) -> SnapshotLabel:
    """The label of a snapshot.

    Raises:
        NodeError: if the folder holds no snapshot or its label is damaged.
    """
    return label_in(source / LABEL_FILE, SnapshotLabel, ("快照", "snapshot"))


def _label_of(made: Path) -> SnapshotLabel:
    with closing(LedgerStore(made, read_only=True, file=SNAPSHOT_FILE)) as store:
        store.check_digests()
        last = store.block(store.height())
        public_key = store.meta("node_public_key").hex()
        first_height = store.first_height()
    return SnapshotLabel(
        last.header.chain_id,
        last.header.height,
        first_height,
        last.app_hash.hex(),
        public_key,
        _file_hash(made / SNAPSHOT_FILE),
        _file_hash(made / READING_FILE),
    )


def _copy_reading(path: Path, to: Path) -> int:
    """Copy the read models as they stand now; returns the height that they have seen.

    A block is durable before its read models are written, so whoever copies the ledger afterwards finds it no lower.
    """
    zh, en = "查询库无法复制", "the read models cannot be copied"
    if not path.exists():
        raise NodeError(
            f"{zh}：没有 {READING_FILE}，请先启动节点", f"{en}: there is no {READING_FILE}, start the node first"
        )
    try:
        with (
            closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as reading,
            closing(sqlite3.connect(to)) as copy,
        ):
            reading.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            height: int = copy.execute("SELECT height FROM position").fetchone()[0]
    except sqlite3.Error as error:
        raise sqlite_fault(zh, en, error) from None
    return height


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
