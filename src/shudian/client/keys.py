"""Key files: a member's secret seed in a file that only its owner can read."""

import os
import re
import secrets
from pathlib import Path

from shudian.kernel.crypto import SEED_BYTES, SigningKey

_SEED = re.compile(rf"[0-9a-f]{{{2 * SEED_BYTES}}}")


class KeyFileError(Exception):
    """A key file cannot be used; one clear sentence in each language."""

    def __init__(self, zh: str, en: str) -> None:
        """Keep both sentences."""
        super().__init__(en)
        self.zh = zh
        self.en = en


def make_key_file(path: Path) -> SigningKey:
    """Make a new secret and write it to a new file.

    Raises:
        KeyFileError: if the file exists or cannot be written.
    """
    return write_key_file(path, secrets.token_bytes(SEED_BYTES))


def write_key_file(path: Path, seed: bytes) -> SigningKey:
    """Write a 32-byte secret seed to a new file with mode 0600.

    Raises:
        KeyFileError: if the file exists or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyFileError(
            f"密钥文件 {path} 已存在，不会覆盖", f"key file {path} exists and is never overwritten"
        ) from None
    except OSError as error:
        raise KeyFileError(
            f"密钥文件 {path} 无法写入：{error.strerror}", f"key file {path} cannot be written: {error.strerror}"
        ) from None
    with os.fdopen(handle, "w") as file:
        file.write(seed.hex() + "\n")
    return SigningKey(seed)


def read_key_file(path: Path) -> SigningKey:
    """The key of a file.

    Raises:
        KeyFileError: if it is missing, readable by others, or not a key.
    """
    try:
        mode = path.stat().st_mode
        content = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise KeyFileError(f"无法读取密钥文件 {path}", f"key file {path} cannot be read") from None
    if mode & 0o077:
        raise KeyFileError(
            f"密钥文件 {path} 对他人可读，请执行 chmod 600", f"key file {path} is open to others; chmod 600 it"
        )
    if not _SEED.fullmatch(content):
        raise KeyFileError(f"{path} 不是密钥文件", f"{path} is not a key file")
    return SigningKey(bytes.fromhex(content))
