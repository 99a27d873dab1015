"""Verification: execute the whole log again, signatures included, and compare every block with what was stored.

Executing needs the secrets of the epochs. Where one is not held, execution ends; structure, links, roots of the messages and all signatures
are tested to the last block all the same.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from shudian.kernel import crypto
from shudian.kernel.check import CheckFailed
from shudian.kernel.codec import Malformed, decode, encode
from shudian.kernel.crypto import sha256
from shudian.kernel.envelope import Envelope
from shudian.kernel.epochs import EPOCHS, FIRST_EPOCH, SecretMissing, Secrets, need_secret
from shudian.kernel.machine import Applied, Machine
from shudian.kernel.opened import Arrival
from shudian.kernel.outcomes import EPOCH_NOT_IN_FORCE, Refused, refused
from shudian.market import MARKET
from shudian.node.blocks import (
    Block,
    decode_outcomes,
    digests_of,
    encode_outcomes,
    encode_told,
    header_after,
    precommit_bytes,
    results,
    results_hash,
)
from shudian.node.errors import NodeError
from shudian.node.front import Front, opened_ahead, pays
from shudian.node.garbage import SET_ASIDE_MIN_COUNT, no_collection, set_aside, take_back
from shudian.node.genesis import Genesis
from shudian.node.loading import load
from shudian.node.rows import shown_key
from shudian.node.store import LedgerStore
from shudian.node.ticking import StoredRows
from shudian.node.verifiers import choose

FRONT_MIN_BYTES = 4 << 20
"""Size of a ledger from which a front is up soon enough to be worth it."""


@dataclass(frozen=True)
class Verified:
    """What was found in order: last height, messages executed, and the app hash that the log leads to.

    first_height: first block that is here; above 0 for a ledger that starts from a snapshot, of which nothing is executed.

    executed_height: last block that was executed, -1 for none; below ``height`` where the secret of epoch ``missing_epoch_no`` (0: none is
    missing) was not held, and then ``app_hash`` is only what the last block says.
    """

    height: int
    message_count: int
    app_hash: bytes
    executed_height: int
    missing_epoch_no: int
    first_height: int = 0


def _differs(height: int, zh: str, en: str) -> NodeError:
    return NodeError(f"区块 {height}：{zh}", f"block {height}: {en}")


def verify_folder(
    folder: Path, secrets: Secrets, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> Verified:
    """Test the file's structure, replay its ledger from genesis and compare blocks, state rows and cold blobs.

    A node may go on writing meanwhile: what is tested is the ledger of the moment in which this began.

    secrets: of the epochs that can be opened; the first block that needs another ends the replay, see :class:`Verified`.

    Raises:
        NodeError: naming the first block, row or blob that is not as it should be.
    """
    with closing(LedgerStore(folder, read_only=True)) as store, store.of_one_moment():
        if store.first_height():
            return _verify_started(store, secrets, progress)
        return _verify(store, secrets, progress)


def _verify(store: LedgerStore, secrets: Secrets, progress: Callable[[int, int], None]) -> Verified:
    genesis = Genesis.from_bytes(store.meta("genesis"))
    public_key = store.meta("node_public_key")
    blobs: dict[bytes, bytes] = {}
    machine = Machine(MARKET, genesis.chain_id, blobs.get, secrets)
    first = secrets.of(FIRST_EPOCH)
    if first is not None and first.public_key.hex() != genesis.epoch_public_key:
        raise NodeError(
            "密钥不属于这本账本：打不开它的第一个密钥期",
            "the key does not belong to this ledger: it is not that of its first epoch",
        )
    with ExitStack() as ending:
        ending.callback(take_back)
        front: Front | None = None
        if store.size_bytes() >= FRONT_MIN_BYTES and pays():
            front = Front(machine, "")
            ending.callback(front.close)
        # All this while the front starts.
        machine.door.back_end = choose().back_end
        store.check_structure()
        total = store.height()
        with no_collection():
            stored = StoredRows(store.rows())
            set_aside()
        replay = _Replay(machine, genesis, public_key, stored, blobs)
        before: Block | None = None
        for block, opened in _blocks_ahead(store, machine, front):
            with no_collection():
                replay.take(block, before, opened)
            before = block
            progress(block.header.height, total)
    if replay.missing_epoch_no:
        app_hash = b"" if before is None else before.app_hash
    else:
        with no_collection():
            _check_state(store, replay.stored, blobs)
            machine.check_all()
        app_hash = machine.roots.app_hash()
    return Verified(total, replay.message_count, app_hash, replay.executed_height, replay.missing_epoch_no)


@dataclass
class _Replay:
    """A ledger's blocks, executed again one after another, and compared. The last three are as in :class:`Verified`."""

    machine: Machine
    genesis: Genesis
    public_key: bytes
    stored: StoredRows
    blobs: dict[bytes, bytes]
    message_count: int = 0
    executed_height: int = -1
    missing_epoch_no: int = 0

    def take(self, block: Block, before: Block | None, opened: Callable[[], Iterable[Arrival]]) -> None:
        """The next block; ``opened`` gives what the door makes of its envelopes, while they are executed.

        All that this makes goes at its end: the next block gets its memory while it is hot.
        """
        self._check_vote(block, before)
        digests: list[bytes] = []
        applied = None if self.missing_epoch_no else self._execute(block, before, opened, digests)
        if applied is None:
            digests = digests_of(block.envelopes)
        self._check_order(block, before, digests)
        if applied is None:
            _check_signatures(block, self.machine)
        else:
            self._compare(block, applied, digests)

    def _check_vote(self, block: Block, before: Block | None) -> None:
        """Nothing is executed for a header that the node has not signed; why it has not is looked for first."""
        try:
            check_vote(block, self.public_key)
        except NodeError:
            self._check_order(block, before, digests_of(block.envelopes))
            raise

    def _check_order(self, block: Block, before: Block | None, digests: list[bytes]) -> None:
        check_order(block, before, self.genesis, self.public_key, digests)

    def _execute(
        self, block: Block, before: Block | None, opened: Callable[[], Iterable[Arrival]], digests: list[bytes]
    ) -> Applied | None:
        """What the block does, and in ``digests`` the SHA-256 of each envelope; None if the secret of an epoch is missing for it."""
        header, genesis = block.header, self.genesis
        try:
            if header.height == 0:
                digests += digests_of(block.envelopes)
                epoch_public_key = bytes.fromhex(genesis.epoch_public_key)
                return self.machine.genesis(genesis.clock, genesis.start_ms, genesis.sections, epoch_public_key)
            return self.machine.apply(header.time_ms, self._passing(block, opened(), digests))
        except SecretMissing as missing:
            self.missing_epoch_no = missing.epoch_no
            return None
        except CheckFailed as error:
            self._check_order(block, before, digests_of(block.envelopes))
            raise _differs(header.height, f"重放失败：{error}", f"replay failed: {error}") from None

    def _passing(self, block: Block, arrivals: Iterable[Arrival], digests: list[bytes]) -> Iterator[Arrival]:
        """The arrivals as they come, the SHA-256 of each envelope noted: the door has taken that of what it opened."""
        for data, arrival in zip(block.envelopes, arrivals, strict=True):
            if isinstance(arrival, Refused):
                if arrival.refusal is EPOCH_NOT_IN_FORCE:
                    _need_secret_of(data, self.machine)
                digests.append(sha256(data))
            else:
                digests.append(arrival.data_digest)
            yield arrival

    def _compare(self, block: Block, applied: Applied, digests: list[bytes]) -> None:
        check_results(block, applied, digests)
        height = block.header.height
        self.stored.tick_off(height, applied.changes)
        self.blobs.update(applied.cold)
        self.machine.settle()
        self.executed_height = height
        self.message_count += sum(map(len, applied.outcomes))
        if len(applied.changes) >= SET_ASIDE_MIN_COUNT:
            set_aside()


def _verify_started(store: LedgerStore, secrets: Secrets, progress: Callable[[int, int], None]) -> Verified:
    """A ledger that starts from a snapshot: its blocks hang together and are signed, its state leads to the last one's app hash."""
    store.check_structure()
    store.check_digests()
    first, total = store.first_height(), store.height()
    before = store.block(first)
    loaded = load(store, secrets)
    check_vote(before, loaded.node_public_key)
    _check_signatures(before, loaded.machine)
    for block in store.blocks(first + 1):
        check_links(block, before, loaded.genesis, loaded.node_public_key, digests_of(block.envelopes))
        _check_signatures(block, loaded.machine)
        before = block
        progress(block.header.height, total)
    loaded.machine.check_all()
    return Verified(total, 0, loaded.last.app_hash, -1, loaded.missing_epoch_no, first)


def check_vote(block: Block, public_key: bytes) -> None:
    """Whether the node signed a block.

    Raises:
        NodeError: if not.
    """
    if not crypto.verify(public_key, block.signature, precommit_bytes(block.header)):
        raise _differs(block.header.height, "节点签名无效", "the node's signature is invalid")


def _blocks_ahead(
    store: LedgerStore, machine: Machine, front: Front | None
) -> Iterator[tuple[Block, Callable[[], Iterable[Arrival]]]]:
    """Each block and what opens its envelopes; a front opens those of the next blocks meanwhile."""
    blocks = store.blocks(0)
    if front is not None:  # it opens nothing before the genesis has told of the first epoch
        genesis = next(blocks)
        yield genesis, partial(machine.door.open_all, genesis.envelopes)
    else:
        for block in blocks:
            yield block, partial(machine.door.open_all, block.envelopes)
        return
    read: deque[Block] = deque()

    def envelopes() -> Iterator[Sequence[bytes]]:
        for block in blocks:
            read.append(block)
            yield block.envelopes

    for _, opening in opened_ahead(envelopes(), front):
        yield read.popleft(), opening.arrivals


def _need_secret_of(data: bytes, machine: Machine) -> None:
    """Whether the secret of the envelope's epoch is held; an epoch that never was needs none, the machine refuses it."""
    try:
        epoch_no = decode(data, Envelope).epoch_no
    except Malformed:
        return
    if EPOCHS.get(machine.store, epoch_no) is not None:
        need_secret(machine.secrets, epoch_no)


def _check_signatures(block: Block, machine: Machine) -> None:
    """Without opening it: each envelope has its form and its members' signatures, or was refused for the want of them."""
    seen = machine.door.envelopes(block.envelopes)
    for envelope, outcomes in zip(seen, decode_outcomes(block.outcomes), strict=True):
        if isinstance(envelope, Refused) and outcomes != (refused(envelope),):
            raise _differs(block.header.height, "一条消息的签名或形式不合规", "a message has a wrong form or signature")


def check_links(block: Block, before: Block | None, genesis: Genesis, public_key: bytes, digests: list[bytes]) -> None:
    """Whether a block follows the one before (None: it is the first), holds its envelopes (their ``digests``) and is signed by the node.

    Raises:
        NodeError: naming the block and what is wrong.
    """
    check_order(block, before, genesis, public_key, digests)
    check_vote(block, public_key)


def check_order(block: Block, before: Block | None, genesis: Genesis, public_key: bytes, digests: list[bytes]) -> None:
    """:func:`check_links` for whoever tests the signature apart."""
    header = block.header
    expected = header_after(before, genesis, public_key, header.time_ms, digests)
    height = expected.height
    if (header.height, header.chain_id) != (height, genesis.chain_id):
        raise _differs(height, "高度或链标识不符", "height or chain id is wrong")
    if header.data_hash != expected.data_hash:
        raise _differs(height, "消息根不符", "the root of its messages is wrong")
    if header != expected:
        raise _differs(height, "与上一区块的链接不符", "the link to the block before is wrong")


def check_results(block: Block, applied: Applied, digests: list[bytes]) -> None:
    """Whether a block, whose envelopes have these digests, holds what executing it gave.

    Raises:
        NodeError: naming the block and the part that differs.
    """
    height = block.header.height
    told = encode_told(applied.told)
    found = results(height, applied.state_key, digests, applied.outcomes, told)
    pairs = (
        (encode_outcomes(applied.outcomes), block.outcomes, "结果", "outcomes"),
        (encode(told), block.events, "事件", "events"),
        (results_hash(found), block.results_hash, "结果根", "results root"),
        (applied.app_hash, block.app_hash, "状态根", "app hash"),
        (applied.clock_path, block.clock_path, "时钟路径", "path of the clock"),
        (applied.market_ms, block.market_ms, "市场时间", "market time"),
    )
    for replayed, stored, zh, en in pairs:
        if replayed != stored:
            raise _differs(height, f"重放得到的{zh}与记录不同", f"the replayed {en} differ from what is stored")


def _check_state(store: LedgerStore, stored: StoredRows, blobs: dict[bytes, bytes]) -> None:
    wrong = stored.first_wrong()
    if wrong is not None:
        named = f"{wrong[0]} {shown_key(wrong[1])}"
        raise NodeError(
            f"状态表 {named} 这一行与重放不同", f"the row of the state table {named} differs from the replay"
        )
    for digest, blob in blobs.items():
        if store.cold(digest) != blob:
            raise NodeError(
                f"冷数据 {digest.hex()[:16]} 丢失或损坏", f"the cold blob {digest.hex()[:16]} is lost or damaged"
            )
