"""Which library does the curve arithmetic of signatures: PyNaCl, cryptography, or Intel's multi-buffer library where it runs.

The fastest that passes its self-test is taken, or the one that the environment names: ``SHUDIAN_VERIFIER=pynacl``. All give the same
verdicts, because the strict rule is tested before them (:func:`shudian.kernel.crypto.verify_many`).
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shudian.kernel.crypto import BackEnd, SigningKey, sha256, sodium, verify_many
from shudian.node import multibuffer
from shudian.node.errors import NodeError

ENVIRONMENT_NAME = "SHUDIAN_VERIFIER"
PYNACL, CRYPTOGRAPHY, MULTIBUFFER = "pynacl", "cryptography", "multibuffer"
_FAULTS = ("", "", "key", "R", "", "S", "message")
_SELF_TEST_COUNT = 21
"""Not a multiple of eight, so that a pass of the multi-buffer library is tested that is not full."""


@dataclass(frozen=True)
class Verifier:
    """A back end that passed its self-test, and what the others said (name -> reason in Chinese and English) that did not."""

    name: str
    back_end: BackEnd
    declined: tuple[tuple[str, NodeError], ...] = ()


def openssl(public_keys: Sequence[bytes], signatures: Sequence[bytes], messages: Sequence[bytes]) -> list[bool]:
    """The back end of the library cryptography, OpenSSL."""
    return list(map(_openssl_accepts, public_keys, signatures, messages))


def _openssl_accepts(public_key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


LOADERS: dict[str, Callable[[], BackEnd]] = {
    MULTIBUFFER: multibuffer.load,
    PYNACL: lambda: sodium,
    CRYPTOGRAPHY: lambda: openssl,
}
"""The back ends, the fastest first."""


def choose(name: str = "") -> Verifier:
    """The back end of a name, or of the environment's choice, or the fastest that loads and passes its self-test.

    Raises:
        NodeError: there is none of that name, or it cannot be used here.
    """
    return _choose(name or os.environ.get(ENVIRONMENT_NAME, ""))


@cache
def _choose(name: str) -> Verifier:
    if name:
        if name not in LOADERS:
            known = " | ".join(LOADERS)
            raise NodeError(f"没有验签库 {name}（可用：{known}）", f"there is no verifier {name} ({known})")
        return Verifier(name, _tested(name))
    declined: list[tuple[str, NodeError]] = []
    for each in LOADERS:
        try:
            return Verifier(each, _tested(each), tuple(declined))
        except NodeError as error:
            declined.append((each, error))
    raise declined[-1][1]


def _tested(name: str) -> BackEnd:
    back_end = LOADERS[name]()
    if not passes_self_test(back_end):
        raise NodeError(f"验签库 {name} 未通过自检", f"the verifier {name} fails its self-test")
    return back_end


def passes_self_test(back_end: BackEnd) -> bool:
    """Whether it accepts good signatures and names the bad ones: of another key, another message, an altered R or S."""
    key, other = SigningKey(sha256(b"self-test")), SigningKey(sha256(b"self-test, another"))
    keys, signatures, messages, expected = [], [], [], []
    for number in range(_SELF_TEST_COUNT):
        message = sha256(b"%d" % number) * (number % 5) + b"%d" % number
        signature = key.sign(message)
        fault = _FAULTS[number % len(_FAULTS)]
        keys.append(other.public_key if fault == "key" else key.public_key)
        signatures.append(_altered(signature, {"R": 1, "S": 33}.get(fault)))
        messages.append(message + b"." if fault == "message" else message)
        expected.append(not fault)
    return verify_many(keys, signatures, messages, back_end) == expected


def _altered(signature: bytes, place: int | None) -> bytes:
    if place is None:
        return signature
    return signature[:place] + bytes([signature[place] ^ 1]) + signature[place + 1 :]
