"""What the commands share: options, the open ledger, printing, and errors in one clear sentence."""

import datetime as dt
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from shudian.cli.passphrase import read_key
from shudian.faults import system_words
from shudian.kernel.epochs import NO_SECRETS, NodeSecrets, Secrets
from shudian.kernel.outcomes import Language
from shudian.node.embedded import EmbeddedNode
from shudian.node.errors import NodeError
from shudian.node.loading import chain_id_of
from shudian.node.store import LEDGER_FILE

NODE_KEY_FILE = "node.key"
KEYS_FOLDER = "keys"
BEIJING = dt.timezone(dt.timedelta(hours=8))

WIDE = 160
"""Columns when the output is a file or a pipe, so that tables are not cut."""

out = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
err = Console(stderr=True, highlight=False)


class Lang(StrEnum):
    """Languages of the command line."""

    ZH = "zh"
    EN = "en"


class UserError(Exception):
    """The user asked for something that cannot be; one clear sentence in each language."""

    def __init__(self, zh: str, en: str) -> None:
        """Keep both sentences."""
        super().__init__(en)
        self.zh = zh
        self.en = en


def unseen(zh: str, en: str, number: int) -> UserError:
    """There is nothing of a kind and number for this viewer; whether it exists for others is not told."""
    return UserError(f"没有{zh} {number}，或您无权查看", f"there is no {en} {number} that you may see")


class _Speech:
    """The language of this run: --lang, else SHUDIAN_LANG, else Chinese."""

    language: Language = "en" if os.environ.get("SHUDIAN_LANG") == "en" else "zh"


def language() -> Language:
    """The language of this run."""
    return _Speech.language


def say(zh: str, en: str) -> str:
    """The sentence in the language of this run."""
    return zh if _Speech.language == "zh" else en


def hear_language(arguments: Sequence[str]) -> None:
    """Take the language from the bare command line, so that even a line that cannot be parsed is answered in it."""
    for option, value in pairwise((*arguments, "")):
        chosen = value if option == "--lang" else option.removeprefix("--lang=")
        if chosen in list(Lang) and (option == "--lang" or chosen != option):
            _set_language(Lang(chosen))


def _set_language(value: Lang) -> Lang:
    _Speech.language = "en" if value == Lang.EN else "zh"
    return value


LangOption = Annotated[
    Lang, typer.Option("--lang", envvar="SHUDIAN_LANG", callback=_set_language, is_eager=True, help="语言 language")
]
DataOption = Annotated[Path, typer.Option("--data", envvar="SHUDIAN_DATA", help="账本所在文件夹 folder of the ledger")]
JsonOption = Annotated[bool, typer.Option("--json", help="输出 JSON print JSON")]

DEFAULT_DATA = Path("shudian-data")


def refuse_file(data: Path) -> None:
    """Refuse a data folder that cannot be made.

    Raises:
        UserError: there is a file in its place or above it.
    """
    found = next(place for place in (data.absolute(), *data.absolute().parents) if place.exists())
    if not found.is_dir():
        raise UserError(f"{found} 不是文件夹", f"{found} is not a folder")


@contextmanager
def open_node(data: Path) -> Iterator[EmbeddedNode]:
    """The node of a data folder, closed at the end."""
    node_key = data / NODE_KEY_FILE
    if not node_key.exists():
        if (data / LEDGER_FILE).exists():
            raise NodeError(
                f"文件夹 {data} 有账本而无 {NODE_KEY_FILE}：请从保管处放回节点密钥",
                f"folder {data} holds a ledger but no {NODE_KEY_FILE}: put the node's key back from where it is kept",
            )
        raise NodeError(
            f"文件夹 {data} 中没有节点，请先运行 shudian demo 或 shudian node init",
            f"there is no node in folder {data}; run shudian demo or shudian node init first",
        )
    node = EmbeddedNode.open(data, read_key(node_key))
    try:
        node.tick()
        yield node
    finally:
        node.close()


def secrets_of(folder: Path) -> Secrets:
    """The secrets of the epochs of a data folder, by the node's key in it; none if the key is not there."""
    node_key = folder / NODE_KEY_FILE
    if not node_key.exists() or not (folder / LEDGER_FILE).exists():
        return NO_SECRETS
    return NodeSecrets(read_key(node_key), chain_id_of(folder))


def print_json(value: Any) -> None:
    """One JSON document on standard output; bytes as hex."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def named(value: Any) -> Any:
    """Records as objects with the names of their fields, bytes as hex."""
    if isinstance(value, msgspec.Struct):
        return {name: named(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, list | tuple):
        return [named(part) for part in value]
    return value.hex() if isinstance(value, bytes) else value


def print_rows(rows: list[dict[str, Any]], columns: Sequence[tuple[str, str, str]], *, as_json: bool) -> None:
    """Rows as a table with (key, zh, en) columns, numbers to the right; or as JSON.

    Of columns that end in ``_zh`` and ``_en`` only those in the language of this run are shown.
    """
    if as_json:
        print_json(rows)
        return
    if not rows:
        out.print(say("没有记录", "nothing found"))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    columns = [column for column in columns if not column[0].endswith(say("_en", "_zh"))]
    for key, zh, en in columns:
        is_number = isinstance(rows[0].get(key), int)
        is_measure = is_number and not key.endswith(("_ms", "_day", "_id", "month"))
        table.add_column(say(zh, en), justify="right" if is_measure else "left", no_wrap=is_number)
    for row in rows:
        table.add_row(*(show(key, row.get(key)) for key, _, _ in columns))
    out.print(table)


def print_facts(facts: dict[str, Any], *, as_json: bool) -> None:
    """The facts of one thing, a line each, or as JSON."""
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        out.print(f"{name:<24} {show(name, value)}", soft_wrap=True, markup=False)


def show(key: str, value: Any) -> str:
    """A value for people, by the unit at the end of its name."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.hex()[:16]
    if not isinstance(value, int) or isinstance(value, bool):
        return str(value)
    return show_number(key, value)


def show_number(key: str, value: int) -> str:
    """An integer with its unit: fen as yuan, kWh as MWh, milli-yuan/MWh as yuan/MWh, ms as Beijing time.

    >>> show_number("amount_fen", -396034268), show_number("price_myuan_mwh", 197500), show_number("energy_kwh", 6500000)
    ('-3,960,342.68', '197.500', '6,500.000')
    """
    sign, size = ("-" if value < 0 else ""), abs(value)
    if key.endswith("_fen"):
        return f"{sign}{size // 100:,}.{size % 100:02d}"
    if key.endswith(("_kwh", "_myuan_mwh", "_kw")):
        return f"{sign}{size // 1000:,}.{size % 1000:03d}"
    if key.endswith("_day") and value:
        return f"{value // 10_000}-{value // 100 % 100:02d}-{value % 100:02d}"
    if key.endswith("_ms"):
        return show_time(value)
    return f"{value:,}" if not key.endswith(("_id", "month")) else str(value)


def show_time(market_ms: int) -> str:
    """Market time as Beijing wall time.

    >>> show_time(0)
    '1970-01-01 08:00:00'
    """
    return dt.datetime.fromtimestamp(market_ms / 1000, BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def refuse_existing(path: Path) -> None:
    """Refuse a file to hand over that is there already, before anything is put on record."""
    if path.exists():
        raise UserError(f"{path} 已存在，不会覆盖", f"{path} exists and is never overwritten")


def write_recorded(path: Path, data: bytes, zh: str, en: str) -> None:
    """Write a file to hand over whose handing is on record already, as ``zh`` and ``en`` say.

    Raises:
        UserError: it cannot be written; what is on record stays.
    """
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UserError(
            f"{zh}，但无法写入 {path}：{system_words(error)[0]}",
            f"{en}, but {path} cannot be written: {system_words(error)[1]}",
        ) from None


def fail(zh: str, en: str, code: int = 2) -> NoReturn:
    """Print one sentence on standard error and leave."""
    err.print(say(zh, en), style="red", soft_wrap=True, markup=False)
    raise SystemExit(code)


@contextmanager
def progress_of(words: str, *, moves_by_itself: bool = True) -> Iterator[Callable[[int, int], None]]:
    """A bar that tells how far long work is, on a terminal only; what is given takes what is done and what there is in all.

    moves_by_itself: False where nothing may run beside the work, as when it is measured; then the bar moves with each call alone.
    """
    shown = Progress(console=err, transient=True, disable=not err.is_terminal, auto_refresh=moves_by_itself)
    with shown as progress:
        task = progress.add_task(words, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total, refresh=not moves_by_itself)
