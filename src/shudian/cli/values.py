"""What is typed on a command line as the ledger wants it: amounts, quantities, bytes, the digest of a file."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from shudian.cli.common import UserError
from shudian.faults import system_words
from shudian.kernel.crypto import sha256

EvidenceOption = Annotated[Path, typer.Option(help="凭据文件，只留哈希 file; only its hash goes on the ledger")]

THOUSAND = 1_000
MILLI_PER_FEN = 10


def thousandths(name: str, text: str) -> int:
    """A decimal number (MWh, CNY/MWh) in thousandths.

    Raises:
        UserError: if it is no number or has more than three decimals.
    """
    try:
        value = Decimal(text) * THOUSAND
        whole = int(value)
    except (InvalidOperation, ValueError, OverflowError):
        raise UserError(f"{name} = {text} 不是数字", f"{name} = {text} is not a number") from None
    if whole != value:
        raise UserError(f"{name} = {text} 最多三位小数", f"{name} = {text} may have three decimals at most")
    return whole


def fen(name: str, text: str) -> int:
    """An amount in yuan as fen.

    Raises:
        UserError: if it is no number or has more than two decimals.
    """
    milli = thousandths(name, text)
    if milli % MILLI_PER_FEN:
        raise UserError(f"{name} = {text} 最多两位小数", f"{name} = {text} may have two decimals at most")
    return milli // MILLI_PER_FEN


def file_digest(path: Path) -> bytes:
    """The SHA-256 of a file.

    Raises:
        UserError: if it cannot be read.
    """
    try:
        return sha256(path.read_bytes())
    except OSError as error:
        raise UserError(
            f"无法读取 {path}：{system_words(error)[0]}", f"{path} cannot be read: {system_words(error)[1]}"
        ) from None


def from_hex(name: str, text: str) -> bytes:
    """The bytes of a hexadecimal option or argument.

    Raises:
        UserError: naming the option.
    """
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise UserError(f"{name} {text[:80]!r} 不是十六进制", f"{name} {text[:80]!r} is not hexadecimal") from None
