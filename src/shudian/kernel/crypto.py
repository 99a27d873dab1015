"""Hashes, keys, sealing, and the one signature rule of suite 1: strict, cofactorless Ed25519.

A signature counts only if S < L, A and R are canonical, and neither is of small order (RFC 8032 with the stricter checks of
"Taming the many EdDSAs", Chalkias, Garillot, Nikolaenko 2020). libsodium's ``crypto_sign_open`` enforces S < L and refuses small
order; the pre-check here states the rule in full, so that another back end may stand in its place.

Sealing: X25519 (RFC 7748), HKDF-SHA256 (RFC 5869), HMAC-SHA256, AES-256-GCM (NIST SP 800-38D). No error here shows a secret.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from nacl import bindings
from nacl.exceptions import BadSignatureError

PUBLIC_KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
SEED_BYTES: Final = 32
SECRET_BYTES: Final = 32
DIGEST_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
SEALING_PURPOSE: Final = b"shudian/sealing"
"""What a signing key's sealing key is derived for."""
AGREED_MAX_COUNT: Final = 1 << 16
"""Agreed secrets that one key remembers, the least recently used goes first; bounds memory when a stranger makes up keys."""
_BLOCK_BYTES: Final = 64
_new_sha256: Final = hashlib.sha256
_INNER_PAD: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD: Final = bytes(byte ^ 0x5C for byte in range(256))

_FIELD_PRIME: Final = 2**255 - 19
_GROUP_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_SIGN_BIT: Final = 1 << 255

# Encodings of y of the eight points of small order (y = 0, 1, -1 and the two of order eight); the sign bit is ignored.
_ORDER_EIGHT_Y: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER_Y: Final = (0, 1, _FIELD_PRIME - 1, _ORDER_EIGHT_Y, _FIELD_PRIME - _ORDER_EIGHT_Y)
_SMALL_ORDER: Final = frozenset((y | sign).to_bytes(32, "little") for y in _SMALL_ORDER_Y for sign in (0, _SIGN_BIT))
_PRIME_HIGH_BYTE: Final = _FIELD_PRIME >> 248
_ORDER_HIGH_BYTE: Final = _GROUP_ORDER >> 248


def sha256(data: bytes | bytearray) -> bytes:
    """SHA-256 of ``data``, 32 bytes."""
    return _new_sha256(data).digest()


def keyed_digest(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256 of ``data`` under ``key``, 32 bytes."""
    padded = _padded(key)  # RFC 2104 by hand: for data as short as ours two thirds of the time of Python's hmac
    return _new_sha256(
        padded.translate(_OUTER_PAD) + _new_sha256(padded.translate(_INNER_PAD) + data).digest()
    ).digest()


def _padded(key: bytes) -> bytes:
    return (key if len(key) <= _BLOCK_BYTES else sha256(key)).ljust(_BLOCK_BYTES, b"\x00")


class KeyedDigest:
    """:func:`keyed_digest` under one key for many data: the padded keys are made once."""

    def __init__(self, key: bytes) -> None:
        """Pad the key."""
        padded = _padded(key)
        self._inner = padded.translate(_INNER_PAD)
        self._outer = padded.translate(_OUTER_PAD)

    def __call__(self, data: bytes) -> bytes:
        """HMAC-SHA256 of ``data``, 32 bytes."""
        return _new_sha256(self._outer + _new_sha256(self._inner + data).digest()).digest()


def _is_sound_point(encoded: bytes) -> bool:
    """Whether 32 bytes are canonical (y below the prime) and not of small order; the highest byte nearly always tells the first."""
    return encoded not in _SMALL_ORDER and (
        encoded[31] & 0x7F < _PRIME_HIGH_BYTE or int.from_bytes(encoded, "little") & (_SIGN_BIT - 1) < _FIELD_PRIME
    )


def is_sound_public_key(public_key: bytes) -> bool:
    """Whether a public key is 32 bytes, canonical and not of small order."""
    return len(public_key) == PUBLIC_KEY_BYTES and _is_sound_point(public_key)


def is_strict(public_key: bytes, signature: bytes) -> bool:
    """The part of the rule that needs no curve arithmetic: lengths, S < L, canonical A and R, no small order."""
    return (
        len(signature) == SIGNATURE_BYTES
        and is_sound_public_key(public_key)
        and _is_sound_point(signature[:32])
        and (signature[63] < _ORDER_HIGH_BYTE or int.from_bytes(signature[32:], "little") < _GROUP_ORDER)
    )


def verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether ``signature`` is a strict Ed25519 signature of ``message`` under ``public_key``."""
    return is_strict(public_key, signature) and _sodium_accepts(public_key, signature, message)


def _sodium_accepts(public_key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        bindings.crypto_sign_open(signature + message, public_key)
    except BadSignatureError:
        return False
    return True


BackEnd = Callable[[Sequence[bytes], Sequence[bytes], Sequence[bytes]], list[bool]]
"""The curve arithmetic of many signatures that :func:`is_strict` holds for: public keys, signatures, messages; a verdict for each, in order."""


def sodium(public_keys: Sequence[bytes], signatures: Sequence[bytes], messages: Sequence[bytes]) -> list[bool]:
    """The back end that every installation has, libsodium."""
    return list(map(_sodium_accepts, public_keys, signatures, messages))


def verify_many(
    public_keys: Sequence[bytes],
    signatures: Sequence[bytes],
    messages: Sequence[bytes],
    back_end: BackEnd = sodium,
) -> list[bool]:
    """:func:`verify` of each, in order. The strict rule is tested here, so back ends that differ in it give the same verdicts."""
    verdicts = list(map(is_strict, public_keys, signatures))
    places = [place for place, strict in enumerate(verdicts) if strict]
    found = back_end(
        [public_keys[place] for place in places],
        [signatures[place] for place in places],
        [messages[place] for place in places],
    )
    for place, verdict in zip(places, found, strict=True):
        verdicts[place] = verdict
    return verdicts


def derive(secret: bytes, purpose: bytes) -> bytes:
    """HKDF-SHA256 of a secret of 32 bytes for one purpose, 32 bytes; nothing about one purpose follows from another."""
    return HKDF(algorithm=SHA256(), length=SECRET_BYTES, salt=None, info=purpose).derive(secret)


def encrypt(key: bytes, nonce: bytes, text: bytes, associated: bytes) -> bytes:
    """AES-256-GCM: ciphertext and 16-byte tag. A nonce of 12 bytes must never meet a key twice with another text."""
    return AESGCM(key).encrypt(nonce, text, associated)


def decrypt(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes | None:
    """What :func:`encrypt` sealed, or None if key, nonce, ciphertext or associated data are not the same."""
    if len(key) != SECRET_BYTES:
        return None
    try:
        return AESGCM(key).decrypt(nonce, sealed, associated)
    except InvalidTag:
        return None


class AgreementKey:
    """A secret X25519 key; its text form never shows the secret."""

    def __init__(self, secret: bytes) -> None:
        """Make the key pair of 32 secret bytes."""
        self._key = X25519PrivateKey.from_private_bytes(secret)
        self.public_key = self._key.public_key().public_bytes_raw()
        self.agree = lru_cache(maxsize=AGREED_MAX_COUNT)(self._agree)

    def __repr__(self) -> str:
        """The public half only."""
        return f"AgreementKey({self.public_key.hex()})"

    def _agree(self, public_key: bytes, purpose: bytes) -> bytes | None:
        """What the owner of ``public_key`` derives with ours for the same purpose, 32 bytes; None if the key is not sound.

        A curve multiplication the first time, remembered from then on.
        """
        try:
            return derive(self._key.exchange(X25519PublicKey.from_public_bytes(public_key)), purpose)
        except ValueError:  # of another length, or of small order: the shared secret would be known to all
            return None


def is_sound_agreement_key(public_key: bytes) -> bool:
    """Whether an X25519 public key is 32 bytes and not of small order, with which everybody would know what is agreed."""
    return _ANYBODY.agree(public_key, b"") is not None


_ANYBODY: Final = AgreementKey(sha256(b"shudian/anybody"))


class SigningKey:
    """A secret Ed25519 key; its text form never shows the secret."""

    def __init__(self, seed: bytes) -> None:
        """Derive the key pair from a 32-byte secret seed."""
        public_key, secret = bindings.crypto_sign_seed_keypair(seed)
        self.public_key = bytes(public_key)
        self._secret = bytes(secret)

    def __repr__(self) -> str:
        """The public half only."""
        return f"SigningKey({self.public_key.hex()})"

    def derive(self, purpose: bytes) -> bytes:
        """A secret of 32 bytes for one purpose, always the same for this key; the seed never leaves it."""
        return derive(self._secret[:SEED_BYTES], purpose)

    @cached_property
    def sealing(self) -> AgreementKey:
        """The owner's key for sealing; it follows from this one, so whoever keeps this one keeps both."""
        return AgreementKey(self.derive(SEALING_PURPOSE))

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes, of ``message``."""
        return bytes(bindings.crypto_sign(message, self._secret)[:SIGNATURE_BYTES])
