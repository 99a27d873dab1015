"""A log that somebody wrote anew with good digests: verify names the block and what is wrong with it, whoever signed it."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from shudian.contracts.governance.messages import SetSetting
from shudian.kernel.check import CheckFailed
from shudian.kernel.codec import decode, encode
from shudian.kernel.comet import data_hash
from shudian.kernel.crypto import sha256
from shudian.kernel.opened import Arrival
from shudian.node import verify
from shudian.node.blocks import Block, digests_of, precommit_bytes
from shudian.node.errors import NodeError
from shudian.node.store import LEDGER_FILE
from shudian.node.verify import verify_folder
from tests.support.chain import create, founder, key_of
from tests.support.ledger import SECRETS

FORGED_HEIGHT = 2
Forge = Callable[[Block], Block]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three blocks after genesis, of two envelopes each."""
    with closing(create(tmp_path)) as node:
        exchange = founder(node, "exchange-operator")
        for day in (20260701, 20260702, 20260703):
            names = ("governance.holidays_day", "governance.workdays_day")
            node.submit([exchange.seal([SetSetting(name, "", day, (day,), "test")]) for name in names])
        assert node.height == FORGED_HEIGHT + 1
    return tmp_path


def rewrite(folder: Path, forge: Forge, height: int = FORGED_HEIGHT) -> None:
    with closing(sqlite3.connect(folder / LEDGER_FILE)) as db:
        (data,) = db.execute("SELECT block FROM blocks WHERE height = ?", (height,)).fetchone()
        forged = encode(forge(decode(data, Block)))
        assert forged != data
        db.execute("UPDATE blocks SET block = ?, digest = ? WHERE height = ?", (forged, sha256(forged), height))
        db.commit()


def of_header(**changes: Any) -> Forge:
    return lambda block: replace(block, header=replace(block.header, **changes))


def signed(forge: Forge) -> Forge:
    """As the node itself would forge it."""

    def forged(block: Block) -> Block:
        other = forge(block)
        return replace(other, signature=key_of("node").sign(precommit_bytes(other.header)))

    return forged


def with_envelopes(change: Callable[[tuple[bytes, ...]], tuple[bytes, ...]], *, rooted: bool = False) -> Forge:
    def forged(block: Block) -> Block:
        envelopes = change(block.envelopes)
        root = data_hash(digests_of(envelopes)) if rooted else block.header.data_hash
        return replace(block, envelopes=envelopes, header=replace(block.header, data_hash=root))

    return forged


def backwards(envelopes: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return envelopes[::-1]


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize(
    ("forge", "named"),
    [
        (lambda block: replace(block, signature=flipped(block.signature)), "the node's signature is invalid"),
        (of_header(time_ns=10**18), "the node's signature is invalid"),
        (of_header(height=7), "height or chain id is wrong"),
        (of_header(chain_id="another"), "height or chain id is wrong"),
        (of_header(data_hash=bytes(32)), "the root of its messages is wrong"),
        (of_header(app_hash=bytes(32)), "the link to the block before is wrong"),
        (signed(of_header(app_hash=bytes(32))), "the link to the block before is wrong"),
        (signed(of_header(last_results_hash=bytes(32))), "the link to the block before is wrong"),
        (signed(of_header(proposer_address=bytes(20))), "the link to the block before is wrong"),
        (with_envelopes(backwards), "the root of its messages is wrong"),
        (with_envelopes(lambda envelopes: envelopes[1:]), "the root of its messages is wrong"),
        (with_envelopes(lambda envelopes: (*envelopes, b"")), "the root of its messages is wrong"),
        (with_envelopes(backwards, rooted=True), "the node's signature is invalid"),
        (signed(with_envelopes(lambda envelopes: envelopes[1:], rooted=True)), "the replayed outcomes differ"),
        (signed(with_envelopes(backwards, rooted=True)), "the replayed events differ"),
        (lambda block: replace(block, outcomes=encode([])), "the replayed outcomes differ"),
        (lambda block: replace(block, events=encode([b""])), "the replayed events differ"),
        (lambda block: replace(block, results_hash=bytes(32)), "the replayed results root differ"),
        (lambda block: replace(block, app_hash=bytes(32)), "the replayed app hash differ"),
        (lambda block: replace(block, clock_path=()), "the replayed path of the clock differ"),
        (lambda block: replace(block, market_ms=block.market_ms + 1), "the replayed market time differ"),
    ],
)
def test_a_forged_block_is_named_with_what_is_wrong(folder: Path, forge: Forge, named: str) -> None:
    rewrite(folder, forge)
    with pytest.raises(NodeError, match=f"^block {FORGED_HEIGHT}: {named}"):
        verify_folder(folder, SECRETS)


def test_genesis_holds_no_envelopes(folder: Path) -> None:
    rewrite(folder, lambda block: replace(block, envelopes=(b"",)), height=0)
    with pytest.raises(NodeError, match=r"^block 0: the root of its messages is wrong"):
        verify_folder(folder, SECRETS)


def test_nothing_is_executed_for_a_header_that_the_node_has_not_signed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that jumps to the end of days would have hooks run until then."""
    rewrite(folder, of_header(time_ns=10**18 * 9))
    executed: list[int] = []
    execute = verify._Replay._execute

    def noted(replay: verify._Replay, block: Block, *rest: Any) -> Any:
        executed.append(block.header.height)
        return execute(replay, block, *rest)

    monkeypatch.setattr(verify._Replay, "_execute", noted)
    with pytest.raises(NodeError, match="the node's signature is invalid"):
        verify_folder(folder, SECRETS)
    assert executed == list(range(FORGED_HEIGHT))


@pytest.mark.parametrize(
    ("forge", "named"),
    [
        (lambda block: replace(block, market_ms=block.market_ms + 1), "replay failed: a promise"),
        (with_envelopes(backwards), "the root of its messages is wrong"),
    ],
)
def test_a_promise_that_breaks_on_the_way_is_told_unless_the_log_is_wrong(
    folder: Path, monkeypatch: pytest.MonkeyPatch, forge: Forge, named: str
) -> None:
    passing = verify._Replay._passing

    def broken(
        replay: verify._Replay, block: Block, arrivals: Iterable[Arrival], digests: list[bytes]
    ) -> Iterator[Any]:
        taken = passing(replay, block, arrivals, digests)
        yield next(taken)
        if block.header.height == FORGED_HEIGHT:
            message = "a promise"
            raise CheckFailed(message)
        yield from taken

    rewrite(folder, forge)
    monkeypatch.setattr(verify._Replay, "_passing", broken)
    with pytest.raises(NodeError, match=f"^block {FORGED_HEIGHT}: {named}"):
        verify_folder(folder, SECRETS)
