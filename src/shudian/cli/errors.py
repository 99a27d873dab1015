"""What a user reads when a command cannot be done: one sentence, in one language."""

import errno
import re
import sqlite3

import apsw
from typer.exceptions import TyperException

from shudian.cli.common import UserError
from shudian.client.client import RefusedByLedgerError, describe, next_step
from shudian.client.handing import HandingError
from shudian.client.keys import KeyFileError
from shudian.kernel.codec import Malformed
from shudian.kernel.outcomes import Refused, refused
from shudian.node.errors import NodeError
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
_NO_FILE_REASONS = {
    errno.ENOENT: ("不存在", "it does not exist"),
    errno.EACCES: ("没有权限", "permission denied"),
    errno.EPERM: ("没有权限", "permission denied"),
    errno.EEXIST: ("已存在", "it exists already"),
    errno.ENOTDIR: ("路径中有一段不是文件夹", "a part of the path is not a folder"),
    errno.EISDIR: ("是文件夹", "it is a folder"),
    errno.ENOSPC: ("磁盘已满", "the disk is full"),
    errno.EROFS: ("只读", "it is read-only"),
}
_DAMAGED = (
    "账本文件已损坏；若只是 reading.db，可将其删除，会自动重建",
    "a file of the ledger is damaged; if it is only reading.db, remove it: it is rebuilt",
)
_ANY_OF_KIND: dict[type[Exception], Sentences] = {
    sqlite3.DatabaseError: _DAMAGED,
    apsw.Error: _DAMAGED,
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
            zh, en = _file_reason(error)
            return f"无法使用 {error.filename}：{zh}", f"{error.filename} cannot be used: {en}"
    return next((words for kind, words in _ANY_OF_KIND.items() if isinstance(error, kind)), None)


def _file_reason(error: OSError) -> Sentences:
    return _NO_FILE_REASONS.get(error.errno or 0, (f"系统错误 {error.errno}", error.strerror or "system error"))


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
