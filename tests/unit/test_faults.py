"""Faults of the machine and of files, in the reader's language; what is not listed keeps its own words and number."""

import csv
import errno
import gzip
import io
import json
import os
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from shudian.cli.errors import sentences
from shudian.faults import Words, file_words, system_words
from shudian.node.sqlite_faults import sqlite_reason
from shudian.tools.clearing_files import BadInput
from shudian.tools.order_columns import read_columns

LATIN = re.compile("[A-Za-z]{4,}")


def caught(deed: Callable[[], object]) -> Exception:
    with pytest.raises(Exception) as raised:  # noqa: PT011 - any fault; its words are what is tested
        deed()
    return raised.value


@pytest.mark.parametrize(
    ("deed", "expected"),
    [
        (lambda folder: (folder / "nothing").read_bytes(), ("不存在", "it does not exist")),
        (lambda folder: folder.read_bytes(), ("是文件夹", "it is a folder")),
        (
            lambda folder: (folder / "text" / "below").read_bytes(),
            ("路径中有一段不是文件夹", "a part of the path is not a folder"),
        ),
        (lambda folder: (folder / "text").mkdir(), ("已存在", "it exists already")),
        (lambda folder: folder.rmdir(), ("文件夹不空", "the folder is not empty")),
        (lambda folder: (folder / ("x" * 300)).read_bytes(), ("名称过长", "the name is too long")),
    ],
)
def test_the_system_s_reason_is_told_in_both_languages(
    tmp_path: Path, deed: Callable[[Path], object], expected: Words
) -> None:
    (tmp_path / "text").write_text("text")
    error = caught(lambda: deed(tmp_path))
    assert isinstance(error, OSError)
    assert system_words(error) == expected
    assert not LATIN.search(system_words(error)[0])


def test_an_unlisted_reason_keeps_its_number_and_words() -> None:
    rare = OSError(errno.EXDEV, os.strerror(errno.EXDEV))
    assert system_words(rare) == (
        f"系统错误 {errno.EXDEV}：Invalid cross-device link",
        f"system error {errno.EXDEV}: Invalid cross-device link",
    )


def no_database(folder: Path) -> Path:
    (folder / "text").write_bytes(b"x" * 4_000)
    return folder / "text"


def test_sqlite_s_reason_is_told_by_its_code(tmp_path: Path) -> None:
    path = str(no_database(tmp_path))
    by_library = (
        caught(lambda: sqlite3.connect(path).execute("SELECT * FROM sqlite_master")),
        caught(lambda: apsw.Connection(path).execute("SELECT * FROM sqlite_master")),
    )
    for error in by_library:
        assert isinstance(error, sqlite3.Error | apsw.Error)
        assert sqlite_reason(error)[0] == "文件不是数据库，或已损坏（SQLITE_NOTADB）"
        damaged = sentences(error)
        assert damaged is not None
        assert "reading.db" in damaged[1]
    closed = caught(lambda: sqlite3.connect(tmp_path / "no" / "folder"))
    assert sentences(closed) == (
        "账本文件无法使用：文件无法打开（SQLITE_CANTOPEN）",
        "a file of the ledger cannot be used: the file cannot be opened (SQLITE_CANTOPEN)",
    )
    assert sqlite_reason(apsw.Error("words of a library")) == ("words of a library", "words of a library")


@pytest.mark.parametrize(
    ("content", "zh"),
    [
        (b"", "文件为空"),
        (b"a,b\n1,2,3\n", "一行应有 2 列，实有 3 列"),
        ("a,b\né,1\n".encode("latin-1"), "不是 UTF-8 文本"),
        (b"\x1f\x8bxx", "压缩数据已损坏"),
        (gzip.compress(b"a,b\n" * 1_000)[:-9], "压缩数据不完整"),
        (b"PAR1xx", "不是 Parquet 文件，或已损坏"),
        (b"PAR1" + b"x" * 100, "不是 Parquet 文件，或已损坏"),
    ],
)
def test_a_file_s_fault_is_told_in_both_languages(tmp_path: Path, content: bytes, zh: str) -> None:
    path = tmp_path / "orders"
    path.write_bytes(content)
    error = caught(lambda: read_columns(path, ("a", "b")))
    assert isinstance(error, BadInput)
    assert f"（{zh}）" in error.zh
    assert "Arrow" not in error.en


def test_faults_of_json_text_and_long_fields() -> None:
    assert file_words(caught(lambda: json.loads("{\n x")))[0] == "第 2 行不是 JSON"
    assert file_words(caught(b"\xff".decode))[1] == "it is not text in UTF-8"
    long = f'a\n"{"x" * (csv.field_size_limit() + 1)}"\n'
    assert file_words(caught(lambda: list(csv.reader(io.StringIO(long))))) == (
        "一格超过 131072 个字符",
        "a field has more than 131072 characters",
    )
    assert file_words(ValueError("something else\nand more")) == ("something else", "something else")
