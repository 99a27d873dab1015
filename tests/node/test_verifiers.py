"""Back ends for signatures: the public edge vectors, the same verdict from each on forged and mixed-order cases, and a choice in words."""

import csv
import os
import random
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from nacl import bindings

from shudian.kernel.crypto import BackEnd, SigningKey, is_strict, sha256, sodium, verify, verify_many
from shudian.node import multibuffer, verifiers
from shudian.node.errors import NodeError

VECTORS = Path(__file__).parents[1] / "data" / "ed25519" / "edge_vectors.csv"
CASES_COUNT = 1_000_000 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 20_000
CHUNK_COUNT = 1_000
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
FIELD_PRIME = 2**255 - 19
ORDER_EIGHT = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
SMALL_ORDER = [
    bytes.fromhex(text)
    for text in (
        ORDER_EIGHT,
        ORDER_EIGHT[:-2] + "85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "00" * 32,
        "00" * 31 + "80",
        "ec" + "ff" * 30 + "7f",
        "01" + "00" * 31,
    )
]

Case = tuple[bytes, bytes, bytes]


@pytest.fixture(autouse=True)
def chosen_anew() -> Iterator[None]:
    verifiers._choose.cache_clear()
    yield
    verifiers._choose.cache_clear()


def _usable() -> dict[str, BackEnd]:
    found = {}
    for name, load in verifiers.LOADERS.items():
        try:
            found[name] = load()
        except NodeError:
            assert name == verifiers.MULTIBUFFER, "only the optional library may be missing"
    return found


BACK_ENDS = _usable()
EACH = pytest.mark.parametrize("back_end", BACK_ENDS.values(), ids=BACK_ENDS)


def _scalar(value: int) -> bytes:
    return (value % GROUP_ORDER).to_bytes(32, "little")


def _mixed(rng: random.Random, *, key_moved: bool, nonce_moved: bool) -> Case:
    """A signature whose key or R carries a small-order part: right only by the cofactored rule, or by chance one time in a few."""
    secret, nonce = rng.randrange(1, GROUP_ORDER), rng.randrange(1, GROUP_ORDER)
    key = bindings.crypto_scalarmult_ed25519_base_noclamp(_scalar(secret))
    start = bindings.crypto_scalarmult_ed25519_base_noclamp(_scalar(nonce))
    if key_moved:
        key = bindings.crypto_core_ed25519_add(key, rng.choice(SMALL_ORDER))
    if nonce_moved:
        start = bindings.crypto_core_ed25519_add(start, rng.choice(SMALL_ORDER))
    message = rng.randbytes(rng.randrange(200))
    challenge = int.from_bytes(bindings.crypto_hash_sha512(start + key + message), "little")
    return key, start + _scalar(nonce + challenge * secret), message


def _cases(seed: int) -> Iterator[Case]:
    rng = random.Random(seed)
    signers = [SigningKey(sha256(b"%d" % number)) for number in range(50)]
    while True:
        signer = rng.choice(signers)
        message = rng.randbytes(rng.randrange(400))
        key, signature = signer.public_key, signer.sign(message)
        half, scalar = signature[:32], int.from_bytes(signature[32:], "little")
        yield key, signature, message
        place = rng.randrange(64)
        flipped = bytearray(signature)
        flipped[place] ^= 1 << rng.randrange(8)
        yield key, bytes(flipped), message
        yield key, signature, message + b"x"
        yield rng.choice(signers).public_key, signature, message
        yield key, half + (scalar + GROUP_ORDER).to_bytes(32, "little"), message
        yield rng.choice(SMALL_ORDER), signature, message
        yield key, rng.choice(SMALL_ORDER) + signature[32:], message
        yield key, rng.choice(SMALL_ORDER) + bytes(32), message
        yield (FIELD_PRIME + rng.randrange(19)).to_bytes(32, "little"), signature, message
        yield key, (FIELD_PRIME + rng.randrange(19)).to_bytes(32, "little") + signature[32:], message
        yield rng.randbytes(32), rng.randbytes(63) + b"\x00", message
        yield key[: rng.randrange(32)], signature[: rng.randrange(64)], message
        yield _mixed(rng, key_moved=True, nonce_moved=False)
        yield _mixed(rng, key_moved=False, nonce_moved=True)
        yield _mixed(rng, key_moved=True, nonce_moved=True)


@EACH
def test_edge_vectors(back_end: BackEnd) -> None:
    rows = list(csv.DictReader(VECTORS.read_text(encoding="utf-8").splitlines()))
    keys, signatures, messages = (
        [bytes.fromhex(row[name]) for row in rows] for name in ("public_key", "signature", "message")
    )
    assert verify_many(keys, signatures, messages, back_end) == [row["strict"] == "true" for row in rows]


def test_all_give_the_same_verdicts() -> None:
    cases = _cases(CASES_COUNT)
    accepted = 0
    for _ in range(CASES_COUNT // CHUNK_COUNT):
        chunk = list(islice(cases, CHUNK_COUNT))
        keys, signatures, messages = zip(*chunk, strict=True)
        verdicts = {name: verify_many(keys, signatures, messages, back_end) for name, back_end in BACK_ENDS.items()}
        expected = verdicts[verifiers.PYNACL]
        for name, given in verdicts.items():
            differing = [case for case, left, right in zip(chunk, given, expected, strict=True) if left is not right]
            assert not differing, f"{name} differs: {differing[0]}"
        accepted += sum(expected)
    assert CASES_COUNT // 15 < accepted < CASES_COUNT // 4  # good ones, and mixed ones that pass by chance


@EACH
@pytest.mark.parametrize("count", range(18))
def test_any_number_at_once_and_each_named(back_end: BackEnd, count: int) -> None:
    signer = SigningKey(sha256(b"count"))
    messages = [b"%d" % number * number for number in range(count)]
    signatures = [signer.sign(message) for message in messages]
    if count:
        signatures[count // 2] = signer.sign(b"another message")
    expected = [place != count // 2 for place in range(count)]
    assert verify_many([signer.public_key] * count, signatures, messages, back_end) == expected
    assert list(map(verify, [signer.public_key] * count, signatures, messages)) == expected


@EACH
def test_the_self_test_passes(back_end: BackEnd) -> None:
    assert verifiers.passes_self_test(back_end)


@pytest.mark.parametrize("verdict", [True, False])
def test_the_self_test_finds_a_back_end_that_always_says_the_same(verdict: bool) -> None:
    assert not verifiers.passes_self_test(lambda _keys, signatures, _messages: [verdict] * len(signatures))


def test_where_the_instructions_are_missing_another_is_taken_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cpuinfo").write_text("flags : sse2 avx2\n")
    monkeypatch.setattr(multibuffer, "_FLAGS_FILE", tmp_path / "cpuinfo")
    monkeypatch.delenv(verifiers.ENVIRONMENT_NAME, raising=False)
    chosen = verifiers.choose()
    assert (chosen.name, chosen.back_end) == (verifiers.PYNACL, sodium)
    ((name, reason),) = chosen.declined
    assert name == verifiers.MULTIBUFFER
    assert "AVX-512 IFMA" in reason.zh
    assert "no AVX-512 IFMA" in reason.en
    with pytest.raises(NodeError, match="AVX-512 IFMA"):
        verifiers.choose(verifiers.MULTIBUFFER)


def test_where_the_libraries_are_missing_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("flags : avx512ifma\n")
    monkeypatch.setattr(multibuffer, "_FLAGS_FILE", tmp_path / "cpuinfo")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(NodeError, match="not installed") as error:
        multibuffer.load()
    assert "make setup FAST=1" in error.value.zh


def test_one_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(verifiers.ENVIRONMENT_NAME, verifiers.CRYPTOGRAPHY)
    assert verifiers.choose().name == verifiers.CRYPTOGRAPHY
    with pytest.raises(NodeError, match="there is no verifier abacus"):
        verifiers.choose("abacus")


@pytest.mark.parametrize("point", SMALL_ORDER, ids=bytes.hex)
def test_the_strict_rule_itself_refuses_small_order(point: bytes) -> None:
    signer = SigningKey(sha256(b"small"))
    signature = signer.sign(b"")
    assert is_strict(signer.public_key, signature)
    assert not is_strict(point, signature)
    assert not is_strict(signer.public_key, point + signature[32:])
