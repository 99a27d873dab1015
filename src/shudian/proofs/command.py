"""``shudian-verify FILE --trust KEY...``: whether a proof file proves anything. Exit code 0: yes, 1: no, 2: it could not be asked."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shudian.faults import system_words
from shudian.kernel.crypto import is_sound_public_key
from shudian.kernel.outcomes import Language
from shudian.proofs.check import NotProvenError, check
from shudian.proofs.files import PROOF_MAX_BYTES
from shudian.proofs.words import facts, sentence, to_json

YES, NO, CANNOT_ASK = 0, 1, 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="shudian-verify",
        description="核对一份证明文件，无需账本。 Check a proof file; no ledger is needed. 0: yes 是, 1: no 否, 2: 无法核对 cannot be asked",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="证明文件 the proof file")
    parser.add_argument(
        "--trust",
        metavar="KEY[=POWER]",
        nargs="+",
        action="extend",
        required=True,
        help="该链全部验证者公钥（十六进制）与表决权，默认 1；须有超过三分之二签名 public keys (hex) of all that sign the chain's blocks, with their power (1); more than two thirds must have signed",
    )
    parser.add_argument("--json", action="store_true", help="输出 JSON print JSON")
    parser.add_argument(
        "--lang", choices=("zh", "en"), default=os.environ.get("SHUDIAN_LANG", "zh"), help="语言 language"
    )
    return parser


class _CannotAskError(Exception):
    """The question cannot be asked; one sentence in each language."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    asked = _parser().parse_args(arguments)
    language: Language = "en" if asked.lang == "en" else "zh"
    try:
        trusted = dict(_validator(text) for text in asked.trust)
        data = _content(asked.file)
    except _CannotAskError as error:
        zh, en = error.args
        sys.stderr.write(f"{zh if language == 'zh' else en}\n")
        return CANNOT_ASK
    code, answer, found = _answer(data, trusted, language)
    sys.stdout.write((to_json(found, indent=2) if asked.json else answer) + "\n")
    return code


def _answer(data: bytes, trusted: Mapping[bytes, int], language: Language) -> tuple[int, str, dict[str, Any]]:
    try:
        proven = check(data, trusted)
    except NotProvenError as error:
        answer = f"否：{error.zh}" if language == "zh" else f"no: {error.en}"
        return NO, answer, {"proven": False, "why_zh": error.zh, "why_en": error.en}
    return YES, sentence(proven, language), {"proven": True, **facts(proven)}


def _validator(text: str) -> tuple[bytes, int]:
    digits, _, power = text.partition("=")
    try:
        key, weight = bytes.fromhex(digits), int(power or 1)
    except ValueError:
        key, weight = b"", 0
    if not is_sound_public_key(key) or weight < 1:
        raise _CannotAskError(
            f"--trust {text[:80]!r} 不是公钥，应为 64 位十六进制，可加 =表决权",
            f"--trust {text[:80]!r} is not a public key of 64 hexadecimal digits, with =POWER if need be",
        )
    return key, weight


def _content(path: Path) -> bytes:
    """The file's bytes, no more than are needed to see that it is too large."""
    try:
        with path.open("rb") as file:
            return file.read(PROOF_MAX_BYTES + 1)
    except OSError as error:
        raise _CannotAskError(
            f"无法读取 {path}：{system_words(error)[0]}", f"{path} cannot be read: {system_words(error)[1]}"
        ) from None
