"""Why the system, SQLite or a file reader could not do something, in plain words; what is not listed keeps its own words and number."""

import errno
import json
import re

Words = tuple[str, str]
"""The same in Chinese and in English."""

_SYSTEM: dict[int, Words] = {
    errno.ENOENT: ("不存在", "it does not exist"),
    errno.EACCES: ("没有权限", "permission denied"),
    errno.EPERM: ("没有权限", "permission denied"),
    errno.EEXIST: ("已存在", "it exists already"),
    errno.ENOTDIR: ("路径中有一段不是文件夹", "a part of the path is not a folder"),
    errno.EISDIR: ("是文件夹", "it is a folder"),
    errno.ENOTEMPTY: ("文件夹不空", "the folder is not empty"),
    errno.ENAMETOOLONG: ("名称过长", "the name is too long"),
    errno.ENOSPC: ("磁盘已满", "the disk is full"),
    errno.EDQUOT: ("磁盘配额已满", "the disk quota is used up"),
    errno.EFBIG: ("文件过大", "the file would be too large"),
    errno.EROFS: ("只读", "it is read-only"),
    errno.EIO: ("磁盘读写失败", "the disk failed to read or write"),
    errno.EBUSY: ("被占用", "it is in use"),
    errno.EMFILE: ("打开的文件过多", "too many files are open"),
    errno.ENFILE: ("系统打开的文件过多", "too many files are open in the system"),
    errno.ENOMEM: ("内存不足", "there is not enough memory"),
}
_SQLITE: dict[str, Words] = {
    "SQLITE_FULL": ("磁盘已满", "the disk is full"),
    "SQLITE_READONLY": ("文件或文件夹只读", "the file or its folder is read-only"),
    "SQLITE_CANTOPEN": ("文件无法打开", "the file cannot be opened"),
    "SQLITE_CORRUPT": ("文件已损坏", "the file is damaged"),
    "SQLITE_NOTADB": ("文件不是数据库，或已损坏", "the file is no database, or damaged"),
    "SQLITE_IOERR": ("磁盘读写失败", "the disk failed to read or write"),
    "SQLITE_BUSY": ("文件被另一个进程占用", "the file is in use by another process"),
    "SQLITE_LOCKED": ("文件被占用", "the file is in use"),
    "SQLITE_NOMEM": ("内存不足", "there is not enough memory"),
    "SQLITE_PERM": ("没有权限", "permission denied"),
}
# Parts of what Python and Arrow say of a CSV, gzip or Parquet file; {0} and {1} are what the brackets caught.
_FILES: tuple[tuple[str, str, str], ...] = (
    (r"Expected (\d+) columns, got (\d+)", "一行应有 {0} 列，实有 {1} 列", "a row has {1} columns in place of {0}"),
    (r"Empty CSV file", "文件为空", "the file is empty"),
    (r"invalid UTF8 data", "不是 UTF-8 文本", "it is not text in UTF-8"),
    (r"field larger than field limit \((\d+)\)", "一格超过 {0} 个字符", "a field has more than {0} characters"),
    (r"zlib inflate failed|incorrect header check", "压缩数据已损坏", "its compressed data are damaged"),
    (r"Truncated compressed stream", "压缩数据不完整", "its compressed data are cut off"),
    (r"Parquet (?:magic bytes|file size)", "不是 Parquet 文件，或已损坏", "it is no Parquet file, or damaged"),
)


def system_words(error: OSError) -> Words:
    """The reason of the operating system."""
    number, said = error.errno or 0, error.strerror or str(error)
    return _SYSTEM.get(number, (f"系统错误 {number}：{said}", f"system error {number}: {said}"))


def sqlite_words(name: str, said: str) -> Words:
    """The reason of SQLite. name: of its result code, in brackets behind the words. said: its own words."""
    for code, (zh, en) in _SQLITE.items():
        if name.startswith(code):
            return f"{zh}（{name}）", f"{en} ({name})"
    return (f"{said}（{name}）", f"{said} ({name})") if name else (said, said)


def file_words(error: Exception) -> Words:
    """Why a file could not be read or is not what it should be."""
    if isinstance(error, OSError) and error.errno:
        return system_words(error)
    if isinstance(error, UnicodeError):
        return "不是 UTF-8 文本", "it is not text in UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"第 {error.lineno} 行不是 JSON", f"line {error.lineno} is no JSON"
    said = str(error).partition("\n")[0]
    for pattern, zh, en in _FILES:
        found = re.search(pattern, said)
        if found:
            return zh.format(*found.groups()), en.format(*found.groups())
    return said, said
