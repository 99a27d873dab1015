"""Loading: the state of a stored ledger back in memory, and taken only if the last block vouches for it."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from shudian.kernel import crypto
from shudian.kernel.check import CheckFailed
from shudian.kernel.codec import Malformed, decode
from shudian.kernel.epochs import EPOCHS, Epoch, SecretMissing, Secrets
from shudian.kernel.machine import Machine
from shudian.kernel.tables import decode_key, number_in
from shudian.market import MARKET
from shudian.node.blocks import Block, precommit_bytes
from shudian.node.errors import NodeError
from shudian.node.garbage import no_collection, set_aside
from shudian.node.genesis import Genesis
from shudian.node.store import LedgerStore

MANY_ROWS = 100_000
"""From so many on, the loaded state is left out of Python's search for garbage; a row that is replaced is freed all the same."""


@dataclass(frozen=True)
class Loaded:
    """A ledger as it stands: its genesis, the node's public key, the last block, and a machine with the state after it.

    missing_epoch_no: an epoch whose secret was not held, so that the rows were not compared with the app hash; 0 if they were.
    """

    genesis: Genesis
    node_public_key: bytes
    last: Block
    machine: Machine
    missing_epoch_no: int = 0


def load(store: LedgerStore, secrets: Secrets) -> Loaded:
    """The state of a store, whose rows must lead to the app hash of its last block, which the node must have signed.

    Without the ``secrets`` of the epochs the rows are decoded, but cannot be compared with the app hash.

    Raises:
        NodeError: naming what is damaged.
    """
    genesis = Genesis.from_bytes(store.meta("genesis"))
    node_public_key = store.meta("node_public_key")
    last = store.block(store.height())
    _check_last(last, genesis, node_public_key)
    machine = Machine(MARKET, genesis.chain_id, store.cold, secrets)
    missing_epoch_no = 0
    try:
        with no_collection():  # millions of rows come and none of them goes: a sixth of the time
            rows = store.rows()
            app_hash = machine.load(last.header.height, rows)
            if len(rows) >= MANY_ROWS:
                set_aside()
    except SecretMissing as missing:
        app_hash, missing_epoch_no = last.app_hash, missing.epoch_no
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, CheckFailed) as error:
        raise NodeError(
            f"状态表有一行无法解读（{error}）；shudian verify 会指出是哪一行",
            f"a row of the state cannot be decoded ({error}); shudian verify names it",
        ) from None
    if app_hash != last.app_hash:
        raise NodeError(
            f"账本状态与区块 {last.header.height} 的状态根不符；shudian verify 会指出是哪一行",
            f"the stored state does not lead to the app hash of block {last.header.height}; shudian verify names the row",
        )
    machine.settle()
    return Loaded(genesis, node_public_key, last, machine, missing_epoch_no)


def chain_id_of(folder: Path) -> str:
    """The name of the chain whose ledger is in a folder; a node may be running on it.

    Raises:
        NodeError: if there is none, or it cannot be read.
    """
    with closing(LedgerStore(folder, read_only=True)) as store:
        return Genesis.from_bytes(store.meta("genesis")).chain_id


def epochs_of(folder: Path) -> dict[int, Epoch]:
    """The epochs of the chain in a folder, by number; public, and a node may be running on it.

    Raises:
        NodeError: if there is no ledger, or it is damaged.
    """
    with closing(LedgerStore(folder, read_only=True)) as store:
        found = {}
        for table, key, row, _ in store.rows():
            if table == EPOCHS.name:
                try:
                    found[number_in(decode_key(key))] = decode(row, Epoch)
                except (CheckFailed, Malformed):
                    raise NodeError("密钥期的记录已损坏", "the record of the epochs is damaged") from None
    return dict(sorted(found.items()))


def _check_last(last: Block, genesis: Genesis, node_public_key: bytes) -> None:
    header = last.header
    if header.chain_id != genesis.chain_id:
        raise NodeError(
            f"最后区块属于链 {header.chain_id}，创世属于链 {genesis.chain_id}",
            f"the last block is of chain {header.chain_id}, the genesis of chain {genesis.chain_id}",
        )
    if not crypto.verify(node_public_key, last.signature, precommit_bytes(header)):
        raise NodeError(
            f"最后区块 {header.height} 的节点签名无效",
            f"the node's signature of the last block {header.height} is invalid",
        )
