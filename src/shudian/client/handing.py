"""Handing something to one person over any way: HPKE (RFC 9180, base mode, X25519, HKDF-SHA256, AES-256-GCM) to that person's sealing key.

Whoever carries the file learns for what purpose and for which key it is, and its length. It does not say who made it: what is inside must
prove itself.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from shudian.kernel.codec import Malformed, Record, decode, encode
from shudian.kernel.crypto import SEALING_PURPOSE, SigningKey

FORMAT = 1
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class HandingError(Exception):
    """Something cannot be handed to that key, or a handed file cannot be opened; one clear sentence in each language."""

    def __init__(self, zh: str, en: str) -> None:
        """Keep both sentences."""
        super().__init__(en)
        self.zh = zh
        self.en = en


class Handed(Record):
    """A handed file. format: of this record. purpose: what it is. recipient_key: whose key opens it. box: the sealed content."""

    format: int
    purpose: str
    recipient_key: bytes
    box: bytes


def _bound_to(purpose: str, recipient_key: bytes) -> bytes:
    return encode(("shudian/handing", FORMAT, purpose, recipient_key))


def hand_over(content: bytes, recipient_key: bytes, purpose: str) -> bytes:
    """The bytes of a file that opens ``content`` to the owner of an X25519 public key and to nobody else.

    Raises:
        HandingError: if that is no sound public key.
    """
    try:
        box = _SUITE.encrypt(
            content, X25519PublicKey.from_public_bytes(recipient_key), _bound_to(purpose, recipient_key)
        )
    except ValueError:  # another length, or of small order: everybody could open it
        shown = recipient_key.hex()[:80]
        raise HandingError(
            f"{shown!r} 不是可用的接收方公钥，应为对方 shudian epoch my-key 给出的 64 位十六进制",
            f"{shown!r} is no usable key of a recipient; it is the 64 hexadecimal digits that shudian epoch my-key gives them",
        ) from None
    return encode(Handed(FORMAT, purpose, recipient_key, box))


def take_over(data: bytes, own: SigningKey, purpose: str) -> bytes:
    """The content of a file that was handed to the owner of this key for a purpose.

    Raises:
        HandingError: if it is no such file, was handed to another key, or was changed on its way.
    """
    try:
        handed = decode(data, Handed)
    except Malformed:
        raise HandingError("文件不是合规的移交文件", "the file is not a well-formed handed file") from None
    if (handed.format, handed.purpose) != (FORMAT, purpose):
        raise HandingError("文件的格式或用途不符", "the file has another format or purpose")
    if handed.recipient_key != own.sealing.public_key:
        raise HandingError(
            f"文件是交给另一把密钥的：{handed.recipient_key.hex()[:16]}",
            f"the file was handed to another key: {handed.recipient_key.hex()[:16]}",
        )
    secret = X25519PrivateKey.from_private_bytes(own.derive(SEALING_PURPOSE))
    try:
        return _SUITE.decrypt(handed.box, secret, _bound_to(purpose, handed.recipient_key))
    except InvalidTag:
        raise HandingError("文件在途中被改动", "the file was changed on its way") from None
