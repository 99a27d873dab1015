"""Passphrases of sealed key files: from a file descriptor or a prompt, never from an argument or the environment."""

import getpass
import os
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from shudian.client.keys import KeyFileError, read_key_file, read_secret
from shudian.kernel.crypto import SigningKey

PASSPHRASE_MIN_COUNT = 12
TRIES_COUNT = 3
FD_MAX_BYTES = 64 << 10


class _Known:
    """What was given in this run: lines of the file descriptor, then what was typed."""

    passphrases: tuple[bytes, ...] = ()
    is_from_descriptor = False


def _take_descriptor(descriptor: int | None) -> int | None:
    _Known.is_from_descriptor = descriptor is not None
    _Known.passphrases = () if descriptor is None else _lines_of(descriptor)
    return descriptor


PassphraseFdOption = Annotated[
    int | None,
    typer.Option(
        "--passphrase-fd",
        min=0,
        callback=_take_descriptor,
        help="从该文件描述符逐行读取口令 read passphrases from this file descriptor, one a line",
    ),
]

NoPassphraseOption = Annotated[
    bool,
    typer.Option("--no-passphrase", help="不封存密钥文件，仅供沙盒 leave key files unsealed, for sandboxes"),
]


def _lines_of(descriptor: int) -> tuple[bytes, ...]:
    try:
        with os.fdopen(descriptor, "rb") as file:
            text = file.read(FD_MAX_BYTES).decode()
    except (OSError, UnicodeDecodeError):
        raise KeyFileError(
            f"文件描述符 {descriptor} 无法读取口令", f"no passphrase can be read from file descriptor {descriptor}"
        ) from None
    return tuple(_bytes_of(line) for line in text.splitlines() if line)


def _bytes_of(text: str) -> bytes:
    """NFC, so that the same words typed on another machine are the same bytes."""
    return unicodedata.normalize("NFC", text).encode()


def read_key(path: Path) -> SigningKey:
    """The key of a file; a sealed one is opened with a passphrase given before in this run, or asked for.

    Raises:
        KeyFileError: if it cannot be used, or is sealed and there is neither a passphrase nor a terminal to ask at.
    """
    return read_key_file(path, known_or_typed)


def read_epoch_key(path: Path) -> bytes:
    """The root of an epoch in a key file, 32 secret bytes; otherwise as :func:`read_key`."""
    return read_secret(path, known_or_typed)


def known_or_typed(path: Path) -> Iterator[bytes]:
    """The passphrases to try on a sealed file."""
    yield from _Known.passphrases
    if _Known.is_from_descriptor or not sys.stdin.isatty():
        if not _Known.passphrases:
            raise KeyFileError(
                f"密钥文件 {path} 已封存：请在终端运行，或用 shudian --passphrase-fd N 给出口令",
                f"key file {path} is sealed: run at a terminal, or give its passphrase with shudian --passphrase-fd N",
            )
        return
    for _ in range(TRIES_COUNT):
        typed = _prompt(f"口令 passphrase ({path}): ")
        _Known.passphrases = (*_Known.passphrases, typed)
        yield typed


def new_passphrase() -> bytes:
    """The passphrase to seal with: the last line of the file descriptor, or typed twice.

    Raises:
        KeyFileError: too short, not the same twice, or neither a file descriptor nor a terminal.
    """
    if _Known.is_from_descriptor and _Known.passphrases:
        chosen = _Known.passphrases[-1]
    elif sys.stdin.isatty():
        chosen = _prompt("新口令 new passphrase: ")
        if _prompt("再输入一次 once more: ") != chosen:
            raise KeyFileError("两次口令不同", "the two passphrases differ")
    else:
        raise KeyFileError(
            "需要口令：请在终端运行，或用 shudian --passphrase-fd N 给出",
            "a passphrase is needed: run at a terminal, or give it with shudian --passphrase-fd N",
        )
    if len(chosen.decode()) < PASSPHRASE_MIN_COUNT:
        raise KeyFileError(
            f"口令至少 {PASSPHRASE_MIN_COUNT} 个字符", f"a passphrase has at least {PASSPHRASE_MIN_COUNT} characters"
        )
    _Known.passphrases = (*_Known.passphrases, chosen)
    return chosen


def _prompt(words: str) -> bytes:
    try:
        return _bytes_of(getpass.getpass(words, sys.stderr))
    except (EOFError, UnicodeError):
        raise KeyFileError("没有输入口令", "no passphrase was typed") from None
