"""What a user reads when a command cannot be done: one sentence, in one language."""

import re
import sqlite3

import apsw
from typer.exceptions import TyperException

from shudian.cli.common import UserError
from shudian.client.client import RefusedByLedgerError, describe, next_step
from shudian.client.handing import HandingError
from shudian.client.keys import KeyFileError
from shudian.faults import system_words
from shudian.kernel.codec import Malformed
from shudian.kernel.outcomes import Refused, refused
from shudian.node.errors import NodeError
from shudian.node.sqlite_faults import sqlite_name, sqlite_reason
from shudian.tools.clearing_files import BadInput

Sentences = tuple[str, str]

# The words of Typer's usage errors, and the same in Chinese; {0} and {1} are what the brackets caught.
_USAGE = (
    (r"Missing (?:argument|option|parameter) '?([^'.]+)'?.*", "缺少 {0}"),
    (r"Invalid value for '?([^']+)'?: (.*)", "{0} 的值不可用（{1}）"),
    (r"No such option: (\S+).*", "没有选项 {0}"),
    (r"No such command '(.*)'\.?.*", "没有命令 {0}"),
    (r"Got unexpected extra arguments? \((.*)\)", "多余的参数 {0}"),
    (r"Option '?([^']+)'? requires an argument\.?", "选项 {0} 缺少值"),
)
_REASONS = (
    (r"Input should be a valid integer.*", "应为整数", "it must be a whole number"),
    (r"Input should be greater than or equal to (\S+)", "应 >= {0}", "it must be >= {0}"),
    (r"Input should be less than or equal to (\S+)", "应 <= {0}", "it must be <= {0}"),
    (r"(?:Value error, )?'[^']*' is not one of (.*?)\.?", "应为 {0} 之一", "it must be one of {0}"),
)
_DAMAGED = (
    "账本文件已损坏；若只是 reading.db，可将其删除，会自动重建",
    "a file of the ledger is damaged; if it is only reading.db, remove it: it is rebuilt",
)
_OF_MACHINE = (
    *("SQLITE_FULL", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_BUSY", "SQLITE_LOCKED"),
    *("SQLITE_NOMEM", "SQLITE_PERM"),
)
"""Result codes of SQLite that tell of the machine; the others mean that what is in a file is not what should be."""
_ANY_OF_KIND: dict[type[Exception], Sentences] = {
    Malformed: _DAMAGED,
    OverflowError: ("数字过大", "a number is too large"),
}


def sentences(error: Exception) -> Sentences | None:
    """The words of an error that the user can mend, in Chinese and English; None if it is a fault of ours."""
    match error:
        case UserError() | NodeError() | KeyFileError() | HandingError() | BadInput():
            return error.zh, error.en
        case RefusedByLedgerError(outcome=outcome):
            return (
                f"{describe(outcome, 'zh')}。{next_step(outcome, 'zh')}",
                f"{describe(outcome, 'en')}; {next_step(outcome, 'en')}",
            )
        case Refused():
            return describe(refused(error), "zh"), describe(refused(error), "en")
        case OSError():
            zh, en = system_words(error)
            return f"无法使用 {error.filename}：{zh}", f"{error.filename} cannot be used: {en}"
        case sqlite3.DatabaseError() | apsw.Error():
            zh, en = sqlite_reason(error)
            is_of_machine = sqlite_name(error).startswith(_OF_MACHINE)
            return (
                (f"账本文件无法使用：{zh}", f"a file of the ledger cannot be used: {en}") if is_of_machine else _DAMAGED
            )
    return next((words for kind, words in _ANY_OF_KIND.items() if isinstance(error, kind)), None)


def of_usage(error: TyperException) -> Sentences:
    """The words of a command line that cannot be parsed, and where to look."""
    words = " ".join(error.format_message().split())
    zh, en = "命令行不合规", words.rstrip(".")
    for pattern, translated in _USAGE:
        found = re.fullmatch(pattern, words)
        if found:
            zh = translated.format(*found.groups())
            break
    for pattern, reason_zh, reason_en in _REASONS:
        found = re.search(pattern + "$", words)
        if found:
            zh = zh.replace(found[0], reason_zh.format(*found.groups()))
            en = en.replace(found[0].rstrip("."), reason_en.format(*found.groups()))
            break
    command = getattr(getattr(error, "ctx", None), "command_path", "shudian")
    return f"{zh}；见 {command} --help", f"{en}; see {command} --help"
