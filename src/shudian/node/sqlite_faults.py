"""What SQLite could not do, in words; apart from the other errors, since a front loads no database."""

import sqlite3

import apsw

from shudian.faults import Words, sqlite_words
from shudian.node.errors import NodeError


def sqlite_name(error: sqlite3.Error | apsw.Error) -> str:
    """The name of SQLite's result code, empty if the error has none."""
    return getattr(error, "sqlite_errorname", "") or str(
        apsw.mapping_result_codes.get(getattr(error, "result", -1), "")
    )


def sqlite_reason(error: sqlite3.Error | apsw.Error) -> Words:
    """SQLite's reason in plain words."""
    return sqlite_words(sqlite_name(error), str(error))


def sqlite_fault(zh: str, en: str, error: sqlite3.Error | apsw.Error) -> NodeError:
    """What could not be done, and why."""
    reason_zh, reason_en = sqlite_reason(error)
    return NodeError(f"{zh}：{reason_zh}", f"{en}: {reason_en}")
