"""Order files, CSV or Parquet, as exact columns: every value is taken as written or refused in one sentence."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from shudian.faults import file_words

ROW_LIMIT = 5_000_000
_GZIP_MAGIC = b"\x1f\x8b"
_PARQUET_MAGIC = b"PAR1"
_SHOWN_LENGTH = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNREADABLE = (pa.ArrowException, OSError, EOFError, UnicodeError)
_DECIMAL = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)

Codes: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


class BadInput(Exception):
    """A file or option that cannot be used: what is wrong and what is allowed, in Chinese and English.

    field: the column or option. row: 1 for the first row of data, None where no single row is at fault.
    """

    def __init__(self, zh: str, en: str, field: str = "", row: int | None = None) -> None:
        super().__init__(f"{zh} {en}")
        self.zh = zh
        self.en = en
        self.field = field
        self.row = row


def refuse_value(field: str, row: int, value: object, allowed_zh: str, allowed_en: str) -> BadInput:
    """The refusal of one value of one row."""
    shown = "" if value is None else " ".join(str(value).split())
    shown = shown if len(shown) <= _SHOWN_LENGTH else shown[:_SHOWN_LENGTH] + "…"
    return BadInput(
        f"第 {row} 行“{field}”列的值“{shown}”不可用，应为{allowed_zh}。",
        f'Row {row}, column {field}: "{shown}" cannot be used; it must be {allowed_en}.',
        field,
        row,
    )


def thousandths(value: object) -> int | None:
    """A decimal number as an exact count of thousandths; None if it is no such number. Floats count as their shortest decimal.

    >>> thousandths("197.5"), thousandths(-0.001), thousandths("0.0005"), thousandths(float("nan"))
    (197500, -1, None, None)
    """
    text = repr(value) if isinstance(value, float) else str(value).strip()
    if not _DECIMAL.fullmatch(text):
        return None
    scaled = Fraction(text) * 1_000
    return scaled.numerator if scaled.denominator == 1 else None


class Columns:
    """The columns of an order file, all or some of its rows."""

    def __init__(self, table: pa.Table, row_nos: Codes | None = None) -> None:
        self._table = table
        self._row_nos = np.arange(1, table.num_rows + 1) if row_nos is None else row_nos

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return int(self._table.num_rows)

    def where(self, flags: Flags) -> "Columns":
        """The rows whose flag is set; they keep their row numbers."""
        return Columns(self._table.filter(pa.array(flags)), self._row_nos[flags])

    def has(self, name: str) -> bool:
        """Whether the file has the column."""
        return name in self._table.column_names

    def first_of(self, *names: str) -> str | None:
        """The first of these columns that the file has."""
        return next((name for name in names if self.has(name)), None)

    def row_no(self, position: int) -> int:
        """Number of a row in the file, from its position among these rows."""
        return int(self._row_nos[position])

    def coded(self, name: str) -> tuple[list[Any], Codes]:
        """Distinct values of a column in order of appearance, and for each row the position of its value among them."""
        column = self._table.column(name)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
        try:
            encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
            values = encoded.dictionary.to_pylist()
        except (*_UNREADABLE, NotImplementedError) as error:
            raise BadInput(
                f"“{name}”列（类型 {column.type}）不可读，应为文本、数字或时间。",
                f"Column {name} (type {column.type}) cannot be read; it must hold texts, numbers or times.",
                name,
            ) from error
        if pa.types.is_float32(column.type):
            values = [value if value is None else float(str(np.float32(value))) for value in values]
        return values, encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)

    def parsed(self, name: str, parse: Callable[[Any], int | None], allowed_zh: str, allowed_en: str) -> Codes:
        """Each value as an integer; the first that ``parse`` gives None for is refused."""
        values, codes = self.coded(name)
        numbers = [parse(value) for value in values]
        if None in numbers:
            wrong = numbers.index(None)
            row_no = self.row_no(int(np.argmax(codes == wrong)))
            raise refuse_value(name, row_no, values[wrong], allowed_zh, allowed_en)
        return np.array(numbers, np.int64)[codes]

    def decimals(self, name: str, fits: Callable[[int], bool], allowed_zh: str, allowed_en: str) -> Codes:
        """Decimal numbers as thousandths, each of which ``fits``."""

        def parse(value: object) -> int | None:
            number = thousandths(value)
            return number if number is not None and fits(number) else None

        return self.parsed(name, parse, allowed_zh, allowed_en)

    def choices(self, name: str, allowed: Sequence[str]) -> Codes:
        """Position of each value among the words that are allowed."""
        words = list(allowed)
        return self.parsed(
            name,
            lambda value: words.index(value) if value in words else None,
            "或".join(words),
            " or ".join(words),
        )

    def wholes(self, name: str) -> Codes:
        """Whole numbers of at most 18 digits."""
        return self.parsed(name, whole, "不超过 18 位的整数", "a whole number of at most 18 digits")

    def names(self, name: str) -> tuple[list[str | int], Codes]:
        """Values that name something, as given: non-empty texts or whole numbers; as :meth:`coded`."""
        values, codes = self.coded(name)
        for position, value in enumerate(values):
            if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
                row_no = self.row_no(int(np.argmax(codes == position)))
                raise refuse_value(name, row_no, value, "非空文本或整数", "a text that is not empty or a whole number")
        return values, codes

    def instants(self, name: str) -> Codes:
        """Numbers that rise with time; rows without a time come last.

        Whole numbers, clock times (09:30:05) or ISO dates with times, with or without an offset; one kind per column.
        """
        values, codes = self.coded(name)
        moments = [_moment(value) for value in values]
        kinds = [moment[0] for moment in moments if moment is not None and moment[0]]
        for position, moment in enumerate(moments):
            if moment is None or (moment[0] and moment[0] != kinds[0]):
                row_no = self.row_no(int(np.argmax(codes == position)))
                raise refuse_value(
                    name,
                    row_no,
                    values[position],
                    "整数、钟点（09:30:05）或 ISO 日期时间，且全列同一种写法",
                    "a whole number, a clock time (09:30:05) or an ISO date and time, the same kind in the whole column",
                )
        return np.array([moment[1] for moment in moments if moment is not None], np.int64)[codes]


def whole(value: object) -> int | None:
    """A whole number of at most 18 digits; None if it is none."""
    text = str(value).strip()
    return int(text) if _WHOLE.fullmatch(text) else None


def _moment(value: object) -> tuple[str, int] | None:
    """Kind and microseconds (or plain number) of a time; no kind and the last of all moments where there is none."""
    if value is None or value == "":
        return "", np.iinfo(np.int64).max
    number = whole(value)
    if number is not None:
        return "number", number
    moment = value if isinstance(value, datetime) else _parse_moment(str(value).strip())
    if moment is None:
        return None
    kind = type(moment).__name__ + (" with offset" if moment.tzinfo else "")
    if isinstance(moment, time):
        moment = datetime.combine(_EPOCH, moment)
    instant = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return kind, (instant - _EPOCH) // timedelta(microseconds=1)


def _parse_moment(text: str) -> datetime | time | None:
    for kind in (datetime, time):
        try:
            return kind.fromisoformat(text)
        except ValueError:
            continue
    return None


def read_columns(path: str | Path, known: Sequence[str]) -> Columns:
    """Read the ``known`` columns that a CSV (plain or gzip) or Parquet file has; at most ``ROW_LIMIT`` rows.

    Raises:
        BadInput: no such file, not readable as what it is, too many rows, a column that stands twice.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            magic = file.read(len(_PARQUET_MAGIC))
    except OSError as error:
        zh, en = file_words(error)
        raise BadInput(f"无法打开文件“{path}”：{zh}。", f'The file "{path}" cannot be opened: {en}.', "file") from error
    is_parquet = magic == _PARQUET_MAGIC or path.suffix == ".parquet"
    kind = "Parquet" if is_parquet else "CSV"
    try:
        table = _read_parquet(path, known) if is_parquet else _read_csv(path, known, is_gzip=magic[:2] == _GZIP_MAGIC)
    except _UNREADABLE as error:
        zh, en = file_words(error)
        raise BadInput(
            f"文件“{path}”不是可读的 {kind} 文件（{zh}）。",
            f'The file "{path}" cannot be read as {kind} ({en}).',
            "file",
        ) from error
    return Columns(table)


def _chosen(names: Sequence[str], known: Sequence[str]) -> list[str]:
    for name in known:
        if list(names).count(name) > 1:
            raise BadInput(
                f"“{name}”列出现多次，只能有一列。", f"Column {name} stands more than once; one is allowed.", name
            )
    return [name for name in known if name in names]


def _check_row_count(row_count: int) -> None:
    if row_count > ROW_LIMIT:
        raise BadInput(
            f"文件超过 {ROW_LIMIT} 行，请分成几个文件。",
            f"The file has more than {ROW_LIMIT} rows; split it.",
            "file",
        )


def _read_parquet(path: Path, known: Sequence[str]) -> pa.Table:
    with pa.parquet.ParquetFile(path) as file:
        _check_row_count(file.metadata.num_rows)
        return file.read(columns=_chosen(file.schema_arrow.names, known))


def _read_csv(path: Path, known: Sequence[str], *, is_gzip: bool) -> pa.Table:
    compression = "gzip" if is_gzip else None
    with pa.input_stream(path, compression=compression) as stream, pa.csv.open_csv(stream) as reader:
        columns = _chosen(reader.schema.names, known)
    if not columns:
        return pa.table({})
    convert = pa.csv.ConvertOptions(
        include_columns=columns,
        column_types=dict.fromkeys(columns, pa.string()),
        strings_can_be_null=False,
    )
    batches = []
    row_count = 0
    with (
        pa.input_stream(path, compression=compression) as stream,
        pa.csv.open_csv(stream, convert_options=convert) as reader,
    ):
        for batch in reader:
            row_count += batch.num_rows
            _check_row_count(row_count)
            batches.append(batch)
        return pa.Table.from_batches(batches, reader.schema)
