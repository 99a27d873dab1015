"""Key files: a member's secret seed, sealed under a passphrase, in a file that only its owner can read.

Sealed: Argon2id (RFC 9106) makes a key of the passphrase, and libsodium's secretbox (XSalsa20-Poly1305) seals the seed with it. Salt and
cost stand in the file and are raised to today's cost when the file is used. Unsealed files say so in their first line; they are for
sandbox chains, whose keys are no secrets. No error here ever shows a seed or a passphrase.
"""

import json
import logging
import os
import re
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox

from shudian.faults import system_words
from shudian.kernel.crypto import SEED_BYTES, SigningKey

FORMAT = 1
UNSEALED_MARK = "# shudian unsealed key: for sandbox chains only 未封存，仅供沙盒"
FILE_MAX_BYTES = 4_096

_UNSEALED = re.compile(rf"(?:#[^\n]*\n)?([0-9a-f]{{{2 * SEED_BYTES}}})")
_log = logging.getLogger("shudian.keys")

Passphrases = Callable[[Path], Iterable[bytes]]
"""Gives the passphrases to try on a sealed file, one after the other."""


class KeyFileError(Exception):
    """A key file cannot be used; one clear sentence in each language."""

    def __init__(self, zh: str, en: str) -> None:
        """Keep both sentences."""
        super().__init__(en)
        self.zh = zh
        self.en = en


@dataclass(frozen=True)
class Cost:
    """What Argon2id costs. passes_count: passes over the memory. memory_bytes: memory it fills."""

    passes_count: int
    memory_bytes: int

    def is_below(self, other: "Cost") -> bool:
        """Whether either part is less than the other's."""
        return self.passes_count < other.passes_count or self.memory_bytes < other.memory_bytes


TODAY = Cost(argon2id.OPSLIMIT_MODERATE, argon2id.MEMLIMIT_MODERATE)
"""Three passes over 256 MiB: above the second recommended option of RFC 9106, section 4; about half a second."""
MOST = Cost(64, 1 << 30)
"""A file that asks for more is refused, so that a planted file cannot take all memory."""


@dataclass(frozen=True)
class _Sealed:
    """A sealed key file's content. salt, box (nonce and ciphertext) and public_key as bytes."""

    public_key: bytes
    cost: Cost
    salt: bytes
    box: bytes

    def to_text(self) -> str:
        argon2id_facts = {**asdict(self.cost), "salt": self.salt.hex()}
        facts = {"shudian_key": FORMAT, "public_key": self.public_key.hex(), "argon2id": argon2id_facts}
        return json.dumps({**facts, "sealed_seed": self.box.hex()}, indent=1) + "\n"

    def seed(self, passphrase: bytes) -> bytes | None:
        """The seed, or None if the passphrase is not the right one (or the box is damaged: the two cannot be told apart)."""
        try:
            seed = SecretBox(_derive(passphrase, self.cost, self.salt)).decrypt(self.box)
        except CryptoError:
            return None
        return seed if SigningKey(seed).public_key == self.public_key else None


def make_key_file(path: Path, passphrase: bytes | None = None) -> SigningKey:
    """Make a new secret and write it to a new file, sealed if a passphrase is given.

    Raises:
        KeyFileError: if the file exists or cannot be written.
    """
    return write_key_file(path, secrets.token_bytes(SEED_BYTES), passphrase)


def write_key_file(path: Path, seed: bytes, passphrase: bytes | None = None) -> SigningKey:
    """Write a 32-byte secret seed to a new file with mode 0600: sealed under ``passphrase``, or marked as unsealed.

    Raises:
        KeyFileError: if the file exists or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_new(path, _text_of(seed, passphrase))
    except FileExistsError:
        raise KeyFileError(
            f"密钥文件 {path} 已存在，不会覆盖", f"key file {path} exists and is never overwritten"
        ) from None
    except OSError as error:
        raise _unwritable(path, error) from None
    return SigningKey(seed)


def read_key_file(path: Path, passphrases: Passphrases | None = None) -> SigningKey:
    """The key of a file. A sealed file below today's cost is sealed anew at today's.

    Raises:
        KeyFileError: if it is missing, readable by others, not a key, or sealed and no passphrase given opens it.
    """
    return SigningKey(_open(path, passphrases))


def read_secret(path: Path, passphrases: Passphrases | None = None) -> bytes:
    """The 32 secret bytes of a file, for what is not a signing key; otherwise as :func:`read_key_file`."""
    return _open(path, passphrases)


def read_public_key(path: Path) -> bytes:
    """The public half of a key file, 32 bytes; needs no passphrase.

    Raises:
        KeyFileError: if it is missing, readable by others, or not a key.
    """
    content = _read(path)
    return content.public_key if isinstance(content, _Sealed) else SigningKey(content).public_key


def seal_key_file(path: Path, passphrases: Passphrases, new_passphrase: Callable[[], bytes]) -> None:
    """Seal a file that is not sealed, or give a sealed one a new passphrase: opened with ``passphrases`` first, then the new one is asked.

    Raises:
        KeyFileError: as :func:`read_key_file`, or if the file cannot be replaced.
    """
    seed = _open(path, passphrases)
    text = _text_of(seed, new_passphrase())
    try:
        _replace(path, text)
    except OSError as error:
        raise _unwritable(path, error) from None


def _open(path: Path, passphrases: Passphrases | None) -> bytes:
    content = _read(path)
    if not isinstance(content, _Sealed):
        return content
    if passphrases is None:
        raise KeyFileError(f"密钥文件 {path} 已封存，需要口令", f"key file {path} is sealed; its passphrase is needed")
    for passphrase in passphrases(path):
        seed = content.seed(passphrase)
        if seed is not None:
            if content.cost.is_below(TODAY):
                _upgrade(path, seed, passphrase)
            return seed
    raise KeyFileError(
        f"口令不能打开密钥文件 {path}（口令不对，或文件已损坏）",
        f"the passphrase does not open key file {path} (a wrong passphrase, or a damaged file)",
    )


def _upgrade(path: Path, seed: bytes, passphrase: bytes) -> None:
    try:
        _replace(path, _text_of(seed, passphrase))
    except OSError as error:  # the key itself is good; a read-only folder must not stop its owner
        _log.warning("key file %s stays below today's cost: %s", path, error.strerror)


def _read(path: Path) -> _Sealed | bytes:
    try:
        mode = path.stat().st_mode
        with path.open("rb") as file:
            content = file.read(FILE_MAX_BYTES).decode()
    except (OSError, UnicodeDecodeError):
        raise KeyFileError(f"无法读取密钥文件 {path}", f"key file {path} cannot be read") from None
    if mode & 0o077:
        raise KeyFileError(
            f"密钥文件 {path} 对他人可读，请执行 chmod 600", f"key file {path} is open to others; chmod 600 it"
        )
    unsealed = _UNSEALED.fullmatch(content.strip())
    if unsealed:
        return bytes.fromhex(unsealed[1])
    sealed = _parse(content)
    if sealed is None:
        raise KeyFileError(f"{path} 不是密钥文件", f"{path} is not a key file")
    if MOST.is_below(sealed.cost):
        raise KeyFileError(
            f"密钥文件 {path} 要求的 Argon2id 开销过大", f"key file {path} asks for more Argon2id work than is allowed"
        )
    return sealed


def _parse(content: str) -> _Sealed | None:
    try:
        facts: dict[str, Any] = json.loads(content)
        hard: dict[str, Any] = facts["argon2id"]
        cost = Cost(int(hard["passes_count"]), int(hard["memory_bytes"]))
        public_key, salt, box = (
            bytes.fromhex(text) for text in (facts["public_key"], hard["salt"], facts["sealed_seed"])
        )
        is_ours = facts["shudian_key"] == FORMAT
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    is_sound = cost.passes_count >= argon2id.OPSLIMIT_MIN and cost.memory_bytes >= argon2id.MEMLIMIT_MIN
    fits = len(salt) == argon2id.SALTBYTES and len(box) == SecretBox.NONCE_SIZE + SecretBox.MACBYTES + SEED_BYTES
    return _Sealed(public_key, cost, salt, box) if is_ours and is_sound and fits else None


def _text_of(seed: bytes, passphrase: bytes | None) -> str:
    if passphrase is None:
        return f"{UNSEALED_MARK}\n{seed.hex()}\n"
    salt = secrets.token_bytes(argon2id.SALTBYTES)
    box = bytes(SecretBox(_derive(passphrase, TODAY, salt)).encrypt(seed))
    return _Sealed(SigningKey(seed).public_key, TODAY, salt, box).to_text()


def _derive(passphrase: bytes, cost: Cost, salt: bytes) -> bytes:
    try:
        return argon2id.kdf(
            SecretBox.KEY_SIZE, passphrase, salt, opslimit=cost.passes_count, memlimit=cost.memory_bytes
        )
    except (CryptoError, MemoryError):
        mib = cost.memory_bytes >> 20
        raise KeyFileError(
            f"内存不足：口令推导需要 {mib} MiB", f"not enough memory: the passphrase needs {mib} MiB"
        ) from None


def _write_new(path: Path, text: str) -> None:
    """Write a new file, mode 0600, and its entry in the folder durably."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(path.parent)


def _replace(path: Path, text: str) -> None:
    """Put a new content in a file's place: after a crash either the old or the new one is there, whole."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        _write_new(beside, text)
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(path: Path, error: OSError) -> KeyFileError:
    return KeyFileError(
        f"密钥文件 {path} 无法写入：{system_words(error)[0]}",
        f"key file {path} cannot be written: {system_words(error)[1]}",
    )
