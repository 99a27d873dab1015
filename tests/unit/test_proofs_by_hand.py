"""The steps that docs/ledger.md gives for checking by hand, walked with SHA-256, Ed25519 and msgpack alone: none of the product's code checks."""

import hashlib
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shudian.contracts.governance.messages import SetSetting
from shudian.node.embedded import EmbeddedNode
from shudian.node.prove import prove_message, prove_rows
from shudian.proofs.files import to_bytes
from tests.support.chain import create, founder

ID = b"0123456789abcdef"
ROW = ("governance.setting_rows", ("governance.holidays_day", "", 20300101))
NO_ROW = ("governance.setting_rows", ("governance.holidays_day", "", 20300102))


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, as the RFC writes it."""
    if not leaves:
        return sha()
    if len(leaves) == 1:
        return sha(b"\x00", leaves[0])
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha(b"\x01", root(leaves[:half]), root(leaves[half:]))


def climb(leaf: bytes, path: Any) -> bytes:
    found = sha(b"\x00", leaf)
    for is_left, neighbour in path:
        found = sha(b"\x01", neighbour, found) if is_left else sha(b"\x01", found, neighbour)
    return found


def number(tag: int, value: int) -> bytes:
    """A protobuf integer; nothing for zero."""
    out, rest = bytearray([tag << 3]), value % 2**64
    while rest > 127:
        out.append(rest % 128 + 128)
        rest //= 128
    return bytes([*out, rest]) if value else b""


def content(tag: int, data: bytes) -> bytes:
    """A protobuf message or byte string of fewer than 128 bytes, even if empty."""
    assert len(data) < 128
    return bytes([tag << 3 | 2, len(data)]) + data


def field(data: bytes) -> bytes:
    return content(1, data) if data else b""


def time(time_ns: int) -> bytes:
    return number(1, time_ns // 10**9) + number(2, time_ns % 10**9)


def block_id(block_hash: bytes, parts_total: int, parts_hash: bytes) -> bytes:
    parts = number(1, parts_total) + (content(2, parts_hash) if parts_hash else b"")
    return (content(1, block_hash) if block_hash else b"") + content(2, parts)


def header_hash(header: list[Any]) -> bytes:
    """Step 1, the hash. A header is its fifteen columns; the first two make one field."""
    block_version, app_version, chain_id, height, time_ns, last_block_id, *hashes = header
    first = [number(1, block_version) + number(2, app_version), field(chain_id.encode()), number(1, height)]
    return root([*first, time(time_ns), block_id(*last_block_id), *map(field, hashes)])


def check_votes(carrier: list[Any], powers: dict[bytes, int]) -> None:
    """Step 1, the votes."""
    header, round_no, parts_total, parts_hash, votes = carrier
    voted_for = block_id(header_hash(header), parts_total, parts_hash)
    power = 0
    for public_key, time_ns, signature in votes:
        where = b"\x11" + struct.pack("<q", header[3]) + (b"\x19" + struct.pack("<q", round_no) if round_no else b"")
        vote = number(1, 2) + where + content(4, voted_for) + content(5, time(time_ns)) + content(6, header[2].encode())
        size = [len(vote)] if len(vote) < 128 else [len(vote) % 128 + 128, len(vote) // 128]
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, bytes(size) + vote)
        power += powers[public_key]
    assert power * 3 > sum(powers.values()) * 2
    ordered = sorted(powers, key=lambda key: (-powers[key], sha(key)[:20]))
    assert header[8] == root([content(1, content(1, key)) + number(2, powers[key]) for key in ordered])


def clock_leaf(clock: list[Any]) -> bytes:
    return b"clock\x00" + msgspec.msgpack.encode(clock)


def check_row(proof: list[Any], sub_roots: dict[str, bytes]) -> bytes | None:
    """Steps 2 and 3."""
    table, key, shown, bucket, aunts = proof
    path = sha(table.encode(), b"\x00", key)
    leaf = None if shown is None else sha(b"\x04", shown[0], shown[1].to_bytes(8, "big"), shown[2])
    assert dict(map(tuple, bucket)).get(path) == leaf
    found = sha(b"\x02", *(part for pair in bucket for part in pair)) if bucket else bytes(32)
    place = path[0] * 256 + path[1]
    for level in aunts:
        children = [aunt or bytes(32) for aunt in level]
        children.insert(place % 16, found)
        found = sha(b"\x03", *children) if any(map(any, children)) else bytes(32)
        place //= 16
    assert found == sub_roots[table.split(".")[0]]
    return None if shown is None else bytes(shown[2])


@pytest.fixture
def node(tmp_path: Path) -> Iterator[EmbeddedNode]:
    made = create(tmp_path)
    exchange = founder(made, "exchange-operator")
    exchange.submit(SetSetting("governance.holidays_day", "", 20300101, (20300101,), "test"), message_id=ID)
    yield made
    made.close()


def test_rows_by_hand(node: EmbeddedNode) -> None:
    file = to_bytes(prove_rows(node, lambda _machine: [ROW, NO_ROW]))
    _kind, carrier, clock, sub_roots, rows = msgspec.msgpack.decode(file)
    check_votes(carrier, {node.public_key: 1})
    leaves = [name.encode() + b"\x00" + sub_root for name, sub_root in sub_roots]
    assert carrier[0][11] == root([*leaves, clock_leaf(clock)])  # step 4
    present, absent = (check_row(row, dict(map(tuple, sub_roots))) for row in rows)
    assert present is not None
    assert absent is None
    assert clock[0] == "stepped"


def test_a_message_by_hand(node: EmbeddedNode) -> None:
    file = to_bytes(prove_message(node, 1, ID))
    _kind, carrier, clock, clock_path, header, envelope, _key, path, result, result_path = msgspec.msgpack.decode(file)
    check_votes(carrier, {node.public_key: 1})
    after = carrier[0]
    assert climb(clock_leaf(clock), clock_path) == after[11]  # step 4
    assert climb(sha(envelope), path) == header[7]  # step 5
    assert header_hash(header) == after[5][0]
    assert climb(content(2, sha(result)), result_path) == after[12]
    assert msgspec.msgpack.decode(result)[1] == sha(envelope)
