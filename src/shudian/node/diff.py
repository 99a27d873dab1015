"""Where two data folders part: the first block that differs, and the first row of the state after it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from shudian.kernel.check import CheckFailed
from shudian.kernel.epochs import SecretMissing, Secrets
from shudian.kernel.machine import Machine
from shudian.kernel.tables import Store, encode_key
from shudian.market import MARKET
from shudian.node.blocks import Block
from shudian.node.errors import NodeError
from shudian.node.genesis import Genesis
from shudian.node.rows import shown_key, shown_row
from shudian.node.store import LedgerStore

HEADER_PARTS = ("time_ns", "last_block_id", "last_commit_hash", "data_hash", "app_hash", "last_results_hash")
BLOCK_PARTS = ("envelopes", "outcomes", "events", "market_ms", "app_hash", "results_hash", "clock_path", "signature")


@dataclass(frozen=True)
class RowDifference:
    """The first row that differs, in contract, table and key order, after block ``height``; a, b: the row in each folder as text."""

    height: int
    contract: str
    table: str
    key: str
    a: str
    b: str


@dataclass(frozen=True)
class Difference:
    """How two folders compare. heights: of the last blocks.

    height: first common block that differs, None if none does. part: its first part that differs. row: the first row that differs
    when both are replayed to the first block whose state differs; or, if no block differs and both end at the same height, the first
    row of the stored states that does; None if there is none. first_height: where the comparison begins; above 0 if a folder starts from
    a snapshot, and then nothing can be replayed.
    """

    heights: tuple[int, int]
    height: int | None
    part: str
    row: RowDifference | None
    first_height: int = 0

    @property
    def is_same(self) -> bool:
        """Whether nothing differs, up to the lower of the two heights."""
        return self.height is None and self.row is None


def diff(folder_a: Path, folder_b: Path, secrets: Secrets) -> Difference:
    """Compare two data folders block by block, then the state; replays both if a block differs, which needs the secrets of the epochs.

    Nodes may go on writing meanwhile: each folder is read as it was when this began.

    Raises:
        NodeError: if the folders hold different chains, or one is too damaged to be replayed.
    """
    with (
        closing(LedgerStore(folder_a, read_only=True)) as a,
        closing(LedgerStore(folder_b, read_only=True)) as b,
        a.of_one_moment(),
        b.of_one_moment(),
    ):
        names = tuple(Genesis.from_bytes(store.meta("genesis")).chain_id for store in (a, b))
        if names[0] != names[1]:
            raise NodeError(
                f"两条不同的链：{names[0]} 与 {names[1]}", f"two different chains: {names[0]} and {names[1]}"
            )
        heights = (a.height(), b.height())
        first = max(a.first_height(), b.first_height())
        for height in range(first, min(heights) + 1):
            part = _part(a.block(height), b.block(height))
            if part:
                row = None if first else _first_replayed_row(a, b, min(heights), secrets)
                return Difference(heights, height, part, row, first)
        row = _first_row(heights[0], _stored(a), _stored(b)) if heights[0] == heights[1] else None
        return Difference(heights, None, "", row, first)


def _part(a: Block, b: Block) -> str:
    """The first part in which two blocks differ, or empty. Causes stand before consequences."""
    for name in HEADER_PARTS:
        if getattr(a.header, name) != getattr(b.header, name):
            return f"header.{name}"
    return next((name for name in BLOCK_PARTS if getattr(a, name) != getattr(b, name)), "" if a == b else "header")


def _first_replayed_row(a: LedgerStore, b: LedgerStore, last_height: int, secrets: Secrets) -> RowDifference | None:
    """The first row that differs after the first block, up to ``last_height``, that leads to different app hashes."""
    for height, (state_a, state_b) in enumerate(
        zip(_replay(a, last_height, secrets), _replay(b, last_height, secrets), strict=True)
    ):
        if state_a.roots.app_hash() != state_b.roots.app_hash():
            return _first_row(height, state_a.store, state_b.store)
    return None


def _replay(store: LedgerStore, last_height: int, secrets: Secrets) -> Iterator[Machine]:
    """The machine after each block, from genesis on; signatures are left to verify."""
    genesis = Genesis.from_bytes(store.meta("genesis"))
    machine = Machine(MARKET, genesis.chain_id, store.cold, secrets)
    try:
        machine.genesis(genesis.clock, genesis.start_ms, genesis.sections, bytes.fromhex(genesis.epoch_public_key))
        machine.settle()
        yield machine
        for height in range(1, last_height + 1):
            block = store.block(height)
            machine.apply(block.header.time_ms, machine.door.open_all(block.envelopes, verify_signatures=False))
            machine.settle()
            yield machine
    except SecretMissing as error:
        raise NodeError(
            f"逐行比较需要密钥期 {error.epoch_no} 的密钥：请放回节点密钥",
            f"comparing rows needs the secret of epoch {error.epoch_no}: put the node's key back",
        ) from None
    except CheckFailed as error:
        raise NodeError(
            f"文件夹 {store.folder} 重放失败：{error}", f"folder {store.folder} cannot be replayed: {error}"
        ) from None


def _stored(store: LedgerStore) -> Store:
    loaded = Machine(MARKET, "", store.cold).store
    for table, key, row, version in store.rows():
        try:
            loaded.load(table, key, row, version)
        except (KeyError, TypeError, ValueError, CheckFailed):
            raise NodeError(
                f"文件夹 {store.folder} 的状态表 {table} {shown_key(key)} 这一行已损坏",
                f"in folder {store.folder} the row of the state table {table} {shown_key(key)} is damaged",
            ) from None
    return loaded


def _first_row(height: int, a: Store, b: Store) -> RowDifference | None:
    for name, rows in a.rows.items():
        beside = b.rows[name]
        for key in sorted(rows.data.keys() | beside.data.keys()):
            row_a, row_b = rows.data.get(key), beside.data.get(key)
            if row_a != row_b or rows.versions.get(key) != beside.versions.get(key):
                shown = (shown_row(rows, key, row_b), shown_row(beside, key, row_a))
                return RowDifference(height, rows.table.contract, name, shown_key(encode_key(key)), *shown)
    return None
