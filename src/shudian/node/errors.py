"""What can be wrong with a node's folder, in words for the person who runs it."""

import sqlite3

import apsw

from shudian.faults import Words, sqlite_words
from shudian.kernel.outcomes import Language


class NodeError(Exception):
    """The node cannot do what was asked; one clear sentence in each language."""

    def __init__(self, zh: str, en: str) -> None:
        """Keep both sentences."""
        super().__init__(en)
        self.zh = zh
        self.en = en

    def sentence(self, language: Language) -> str:
        """The sentence in the reader's language."""
        return self.zh if language == "zh" else self.en


class NodeStoppedError(NodeError):
    """The node met a broken promise of its own and no longer accepts anything."""


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
