"""CometBFT's own published vectors (types/block_test.go, types/vote_test.go of v0.38), and the edges between them."""

import datetime as dt
from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shudian.kernel.comet import (
    BLOCK_VERSION,
    DIGEST_RESULT_HEAD,
    EMPTY_HASH,
    BlockId,
    Header,
    SignedHeader,
    Vote,
    address,
    commit_hash,
    consensus_hash,
    data_hash,
    result_bytes,
    validators_hash,
    vote_bytes,
)
from shudian.kernel.crypto import sha256, verify
from shudian.kernel.merkle import merkle_root

GO_ZERO_TIME_NS = -62_135_596_800 * 10**9
ZERO_TIME = "2a 0b 08 80 92 b8 c3 98 fe ff ff ff 01"
ONE = "01 00 00 00 00 00 00 00"


def digest(name: str) -> bytes:
    return sha256(name.encode())


HEADER = Header(
    block_version=1,
    app_version=2,
    chain_id="chainId",
    height=3,
    time_ns=int(dt.datetime(2019, 10, 13, 16, 14, 44, tzinfo=dt.UTC).timestamp()) * 10**9,
    last_block_id=BlockId(bytes(32), 6, bytes(32)),
    last_commit_hash=digest("last_commit_hash"),
    data_hash=digest("data_hash"),
    validators_hash=digest("validators_hash"),
    next_validators_hash=digest("next_validators_hash"),
    consensus_hash=digest("consensus_hash"),
    app_hash=digest("app_hash"),
    last_results_hash=digest("last_results_hash"),
    evidence_hash=digest("evidence_hash"),
    proposer_address=digest("proposer_address")[:20],
)


def test_the_header_hash_is_theirs() -> None:
    assert HEADER.hash().hex().upper() == "F740121F553B5418C3EFBD343C2DBFE9E007BB67B0D020A0741374BAB65242A4"


def test_every_field_of_the_header_counts() -> None:
    found = {HEADER.hash()}
    for name in Header.__struct_fields__:
        value = getattr(HEADER, name)
        changes: list[Any] = [value + 1] if isinstance(value, int) else []
        if isinstance(value, str | bytes):
            changes = [value[:-1], value[:0]]
        elif isinstance(value, BlockId):
            changes = [replace(value, hash=b"x"), replace(value, parts_total=7), replace(value, parts_hash=b"x")]
        found |= {replace(HEADER, **{name: other}).hash() for other in changes}
    assert len(found) == 1 + 4 + 3 + 2 * 10


@pytest.mark.parametrize(
    ("chain_id", "height_and_round", "kind", "expected"),
    [
        ("", 0, 0, f"0d {ZERO_TIME}"),
        ("", 1, 2, f"21 08 02 11 {ONE} 19 {ONE} {ZERO_TIME}"),
        ("", 1, 1, f"21 08 01 11 {ONE} 19 {ONE} {ZERO_TIME}"),
        ("", 1, 0, f"1f 11 {ONE} 19 {ONE} {ZERO_TIME}"),
        ("test_chain_id", 1, 0, f"2e 11 {ONE} 19 {ONE} {ZERO_TIME} 32 0d {b'test_chain_id'.hex()}"),
    ],
)
def test_the_bytes_of_a_vote_are_theirs(chain_id: str, height_and_round: int, kind: int, expected: str) -> None:
    found = vote_bytes(chain_id, height_and_round, height_and_round, BlockId(), GO_ZERO_TIME_NS, kind)
    assert found == bytes.fromhex(expected)


def test_the_hashes_of_an_untouched_chain_are_known() -> None:
    """As every chain with the default rules of 22,020,096 bytes a block shows them."""
    assert consensus_hash(22_020_096).hex() == "048091bc7ddc283f77bfbf91d73c44da58c3df8a9cbc867405d8b7f3daada22f"
    assert EMPTY_HASH.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert EMPTY_HASH == data_hash([]) == commit_hash([])


def test_commits_validators_and_results_by_hand() -> None:
    key, other = bytes(range(32)), bytes(range(1, 33))
    vote = b"\x08\x02\x12\x14" + sha256(key)[:20] + b"\x1a\x04\x08\x01\x10\x05" + b"\x22\x03sig"
    assert commit_hash([Vote(key, 1_000_000_005, b"sig")]) == merkle_root([vote])
    mighty, small = (
        b"\x0a\x22\x0a\x20" + one + b"\x10" + power for one, power in ((other, b"\xac\x02"), (key, b"\x01"))
    )
    assert validators_hash({key: 1, other: 300}) == merkle_root([mighty, small])
    equal = [b"\x0a\x22\x0a\x20" + one + b"\x10\x01" for one in sorted((key, other), key=address)]
    assert validators_hash({key: 1, other: 1}) == validators_hash({other: 1, key: 1}) == merkle_root(equal)
    assert result_bytes(b"ab", code=1, gas_wanted=2, gas_used=3) == b"\x08\x01\x12\x02ab\x28\x02\x30\x03"
    assert result_bytes(b"") == b""
    assert result_bytes(bytes(range(32))) == DIGEST_RESULT_HEAD + bytes(range(32))
    assert data_hash([sha256(b"tx")]) == merkle_root([sha256(b"tx")])


def raw(hexadecimal: str) -> bytes:
    return bytes.fromhex(hexadecimal)


def ns(second: int, nanos: int) -> int:
    """An instant of 2023-05-17 14:12 UTC."""
    return int(dt.datetime(2023, 5, 17, 14, 12, second, tzinfo=dt.UTC).timestamp()) * 10**9 + nanos


# Block 10 of a chain that CometBFT 0.38 made (kept by tendermint-rs as an answer of its RPC): one validator of power 10, block 9's
# vote in its last commit, and its own vote.
REAL_KEY = b64decode("bNNlGls5R25wC3Sd8720F/3+7IZBhXcD22MNFtPk/v0=")
REAL_POWERS = {REAL_KEY: 10}
REAL_LAST_VOTE = Vote(
    REAL_KEY,
    ns(53, 88_875_124),
    b64decode("BMy5pB3a9xeEnuBkja/a6GUvP1guZ2lMQtZYvdrl8s0ri1/LaF0JuI9rOsy1biVTv+TDKzlBXTZ5gdgiq0uCAg=="),
)
REAL_VOTE = Vote(
    REAL_KEY,
    ns(53, 605_374_524),
    b64decode("5y0Kas3bSrgVYG/QKwWovMpTBfavZfy/A8DXkQHzFHVMjOcVk2TK6xhYQasfiodordg1bjDf7NDwNi/YdilaAw=="),
)
REAL_LAST_BLOCK = BlockId(
    raw("678A83FB0422D053A3792154703122861DD68ABB8247A4FF2945DF832DB18FC8"),
    1,
    raw("29FE32F6B57D8439C9E9F6240B436DD560646FDA8C8C105E2C261B6F4746E89C"),
)


def test_a_real_block_is_hashed_voted_for_and_linked_as_its_chain_says() -> None:
    assert validators_hash(REAL_POWERS) == raw("33415EFFCEDA5BD0A3A443A727457D9F7B9E38389BF27A936FEDF749A7B7566E")
    assert commit_hash([REAL_LAST_VOTE]) == raw("A3AD467820428D99FD53BFCF38CDC1EB141DD27E3B5F0F3931BBE91FBA8B097D")
    assert address(REAL_KEY) == raw("2DD9F44FD9067555C322243C3C913BA7B51D2BE0")
    header = Header(
        block_version=BLOCK_VERSION,
        app_version=1,
        chain_id="dockerchain",
        height=10,
        time_ns=REAL_LAST_VOTE.time_ns,
        last_block_id=REAL_LAST_BLOCK,
        last_commit_hash=commit_hash([REAL_LAST_VOTE]),
        data_hash=data_hash([]),
        validators_hash=validators_hash(REAL_POWERS),
        next_validators_hash=validators_hash(REAL_POWERS),
        consensus_hash=consensus_hash(22_020_096),
        app_hash=bytes(8),
        last_results_hash=EMPTY_HASH,
        evidence_hash=EMPTY_HASH,
        proposer_address=address(REAL_KEY),
    )
    assert header.hash() == raw("00ECDAC463C201ECD4BDBBAAE4A53A4C80291D4051FD69ED97F6420CE1388BFE")
    parts = raw("FF0A320E696FD233DD4D3CC7CD82FF90F54B8FDBC9C700D9375C95A02782B062")
    signed = SignedHeader(header, 0, 1, parts, (REAL_VOTE,))
    assert verify(REAL_KEY, REAL_VOTE.signature, signed.signed_bytes()[0])
    last = vote_bytes("dockerchain", 9, 0, REAL_LAST_BLOCK, REAL_LAST_VOTE.time_ns)
    assert verify(REAL_KEY, REAL_LAST_VOTE.signature, last)
    assert data_hash([sha256(b"tx0=value")]) == raw("DD49E1C469C2C3EB0AB68BF9B83D9865B08FEFDBC71702CC73564F4DA56870A4")


@given(st.integers(-(2**63), 2**64 - 1), st.integers(-(2**63), 2**64 - 1), st.text(max_size=9))
def test_whatever_a_file_holds_has_bytes(number: int, time_ns: int, chain_id: str) -> None:
    block_id = BlockId(b"", number, b"\x00")
    header = replace(HEADER, height=number, time_ns=time_ns, chain_id=chain_id, last_block_id=block_id)
    assert len(header.hash()) == 32
    assert vote_bytes(chain_id, number, number, block_id, time_ns)
