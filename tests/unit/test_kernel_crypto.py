"""The signature rule: the public edge vectors, and nothing but the signed bytes passes."""

import csv
import hmac
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


@given(st.binary(max_size=200), st.binary(max_size=400))
def test_keyed_digests_are_those_of_the_standard_library(key: bytes, data: bytes) -> None:
    assert crypto.KeyedDigest(key)(data) == crypto.keyed_digest(key, data) == hmac.digest(key, data, "sha256")


PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
SMALL_Y = (0, 1, PRIME - 1, crypto._ORDER_EIGHT_Y, PRIME - crypto._ORDER_EIGHT_Y)


@pytest.mark.parametrize("sign", [0, 1 << 255])
def test_the_strict_rule_by_plain_arithmetic(sign: int) -> None:
    near = [y + step for y in (*SMALL_Y, PRIME, 2**248 * 0x7F, 2**255 - 1) for step in range(-3, 4)]
    for y in (number for number in near if 0 <= number < 2**255):
        point = (y | sign).to_bytes(32, "little")
        assert crypto.is_sound_public_key(point) is (y < PRIME and y not in SMALL_Y), y
    sound = crypto.SigningKey(bytes(32)).public_key
    for scalar in (0, 1, 2**252 - 1, 2**252, ORDER - 1, ORDER, ORDER + 1, 2**253, 2**256 - 1):
        assert crypto.is_strict(sound, sound + scalar.to_bytes(32, "little")) is (scalar < ORDER), scalar
