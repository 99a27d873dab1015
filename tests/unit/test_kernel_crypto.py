"""The signature rule: the public edge vectors, and nothing but the signed bytes passes."""

import csv
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from shudian.kernel import crypto

VECTORS = Path(__file__).parents[1] / "data" / "ed25519" / "edge_vectors.csv"


@pytest.mark.parametrize(
    "row", list(csv.DictReader(VECTORS.read_text(encoding="utf-8").splitlines())), ids=lambda row: row["why"]
)
def test_edge_vectors(row: dict[str, str]) -> None:
    public_key, signature, message = (bytes.fromhex(row[name]) for name in ("public_key", "signature", "message"))
    assert crypto.verify(public_key, signature, message) is (row["strict"] == "true")


@pytest.mark.parametrize(
    "public_key",
    [b"", bytes(32), bytes(31), b"\x01" + bytes(31), b"\xee" + b"\xff" * 30 + b"\x7f", b"\xff" * 32],
)
def test_unsound_public_keys_are_refused(public_key: bytes) -> None:
    assert not crypto.is_sound_public_key(public_key)


@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=200), place=st.integers(0, 511))
def test_one_flipped_bit_breaks_a_signature(seed: bytes, message: bytes, place: int) -> None:
    key = crypto.SigningKey(seed)
    signature = key.sign(message)
    assert crypto.verify(key.public_key, signature, message)
    forged = bytearray(signature)
    forged[place // 8] ^= 1 << place % 8
    assert not crypto.verify(key.public_key, bytes(forged), message)
    assert not crypto.verify(key.public_key, signature, message + b"\x00")


@given(
    seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=100), noise=st.binary(min_size=64, max_size=64)
)
def test_agrees_with_an_independent_library(seed: bytes, message: bytes, noise: bytes) -> None:
    key = crypto.SigningKey(seed)
    other = Ed25519PublicKey.from_public_bytes(key.public_key)
    other.verify(key.sign(message), message)
    try:
        other.verify(noise, message)
        accepted = True
    except InvalidSignature:
        accepted = False
    assert crypto.verify(key.public_key, noise, message) is accepted


def test_a_key_never_shows_its_secret() -> None:
    seed = b"\x07" * 32
    assert seed.hex() not in repr(crypto.SigningKey(seed))
