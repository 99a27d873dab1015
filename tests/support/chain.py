"""A real chain in a folder for tests: the founders' keys and clients on an embedded node."""

from pathlib import Path

from shudian.client.client import Client
from shudian.contracts.roles import Kind
from shudian.kernel.crypto import SigningKey, sha256
from shudian.kernel.machine import STEPPED
from shudian.node.embedded import EmbeddedNode
from shudian.node.founding import SICHUAN_FOUNDERS, found
from shudian.node.genesis import Genesis
from shudian.node.local import LocalTransport
from tests.support.ledger import START_MS

EXCHANGE_ID, GRID_ID, BANK_ID, REGULATOR_ID = 1, 2, 3, 4
FOUNDER_IDS = {Kind.EXCHANGE: EXCHANGE_ID, Kind.GRID_COMPANY: GRID_ID, Kind.BANK: BANK_ID, Kind.REGULATOR: REGULATOR_ID}


def key_of(name: str) -> SigningKey:
    """The test key of a founder's role (``exchange-operator``) or of anybody."""
    return SigningKey(sha256(name.encode()))


def genesis(clock: str = STEPPED) -> Genesis:
    """A test chain's genesis with the founders and the settings that ship."""
    return found("test", clock, START_MS, lambda name: key_of(name).public_key, SICHUAN_FOUNDERS)


def create(folder: Path, clock: str = STEPPED) -> EmbeddedNode:
    """A new chain in a folder."""
    return EmbeddedNode.create(folder, genesis(clock), key_of("node"))


def reopen(folder: Path) -> EmbeddedNode:
    """The chain of a folder, opened again."""
    return EmbeddedNode.open(folder, key_of("node"))


def founder(node: EmbeddedNode, name: str) -> Client:
    """A client for a founder's role, e.g. ``exchange-operator``."""
    kind = Kind(name.rpartition("-")[0])
    return Client(LocalTransport(node), FOUNDER_IDS[kind], [key_of(name)])
