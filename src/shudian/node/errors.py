"""What can be wrong with a node's folder, in words for the person who runs it."""

import sqlite3

import apsw

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


_SQLITE_WORDS = {
    "SQLITE_FULL": ("磁盘已满", "the disk is full"),
    "SQLITE_READONLY": ("文件或文件夹只读", "the file or its folder is read-only"),
    "SQLITE_CANTOPEN": ("文件无法打开", "the file cannot be opened"),
    "SQLITE_CORRUPT": ("文件已损坏", "the file is damaged"),
    "SQLITE_NOTADB": ("文件不是数据库，或已损坏", "the file is no database, or damaged"),
    "SQLITE_IOERR": ("磁盘读写失败", "the disk failed to read or write"),
    "SQLITE_BUSY": ("文件被另一个进程占用", "the file is in use by another process"),
}


def sqlite_fault(zh: str, en: str, error: sqlite3.Error | apsw.Error) -> NodeError:
    """What could not be done, and SQLite's reason in plain words beside its own."""
    name = getattr(error, "sqlite_errorname", "") or str(
        apsw.mapping_result_codes.get(getattr(error, "result", -1), "")
    )
    reason = next((words for code, words in _SQLITE_WORDS.items() if name.startswith(code)), None)
    said_zh, said_en = (f"{reason[0]}（{error}）", f"{reason[1]} ({error})") if reason else (str(error), str(error))
    return NodeError(f"{zh}：{said_zh}", f"{en}: {said_en}")
