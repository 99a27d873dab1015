"""The two commands on files: published auctions, real order streams, and every kind of bad file in one sentence."""

import csv
import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from shudian.tools import order_columns
from shudian.tools.clearing_files import BadInput, clear_auction_file, clear_rolling_file
from tests.unit.test_clearing_auction import EXAMPLE

DATA = Path(__file__).parents[1] / "data"

AUCTION_HEAD = "segment,order_id,side,price,quantity_mwh,submitted_at"
ROLLING_HEAD = "seq,action,order_id,side,price,quantity_mwh,owner"


def written(folder: Path, *lines: str) -> Path:
    path = folder / "orders.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def rows_of(name: str) -> list[dict[str, str]]:
    path = DATA / name
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(text.decode().splitlines()))


def example_lines() -> list[str]:
    names = ["S1", "S2", "S3", "S4", "S5", "S6", "B1", "B2", "B3", "B4", "B5"]
    return [
        f"h1,{name},{side},{price // 1_000},{kwh // 1_000},{10 + time // 2_000}:{time % 60:02d}"
        for name, (side, price, kwh, time) in zip(names, EXAMPLE, strict=True)
    ]


# ------------------------------------------------------------------------------------------------- known answers


def test_published_auctions() -> None:
    expected = {row["hour"]: row for row in rows_of("markets/auction_expected.csv")}
    segments = clear_auction_file(DATA / "markets" / "auction_orders.parquet")["segments"]
    assert [segment["segment"] for segment in segments] == [1, 3, 5, 7, 9, 11, 14, 16, 18, 20, 24]
    for segment in segments:
        answer = {name: Decimal(text) for name, text in expected[str(segment["segment"])].items()}
        assert Decimal(segment["price_low"]) == answer["price_low"]
        assert Decimal(segment["price_high"]) == answer["price_high"]
        assert answer["price_low"] <= Decimal(segment["price"]) <= answer["price_high"]
        assert Decimal(segment["volume"]) == answer["volume_max_mwh"]
        assert abs(Decimal(segment["welfare"]) - answer["highs_welfare_eur"]) <= Decimal("0.01")
        assert sum(Decimal(fill["quantity"]) for fill in segment["fills"]) == 2 * answer["volume_max_mwh"]
        assert segment["price_set_by"]


@pytest.mark.parametrize("stream", ["h05", "h05_cancels", "h20", "h20_cancels"])
def test_real_order_streams(stream: str) -> None:
    result = clear_rolling_file(DATA / "orders" / f"messages_{stream}.parquet")
    trades = [
        (str(trade["seq"]), trade["taker"], trade["maker"], Decimal(trade["price"]), Decimal(trade["quantity"]))
        for trade in result["trades"]
    ]
    assert trades == [
        (row["seq"], row["taker_order"], row["maker_order"], Decimal(row["price"]), Decimal(row["quantity_mwh"]))
        for row in rows_of(f"orders/trades_{stream}.csv.gz")
    ]
    book = [
        (side, row["order_id"], Decimal(row["price"]), Decimal(row["quantity"]))
        for side, rows in result["book"].items()
        for row in rows
    ]
    expected_book = [
        (row["side"], row["order_id"], Decimal(row["price"]), Decimal(row["quantity_mwh"]))
        for row in rows_of(f"orders/final_book_{stream}.csv.gz")
    ]
    for side in ("buy", "sell"):
        assert [row for row in book if row[0] == side] == [row for row in expected_book if row[0] == side]
    cancels = [(cancel["order_id"], str(cancel["accepted"])) for cancel in result["cancels"]]
    expected_cancels = rows_of(f"orders/cancel_results_{stream}.csv") if "cancels" in stream else []
    assert cancels == [(row["order_id"], row["accepted"]) for row in expected_cancels]


def test_worked_auction_from_csv(tmp_path: Path) -> None:
    path = written(tmp_path, AUCTION_HEAD, *example_lines())
    (segment,) = clear_auction_file(path, lot_mwh="1", price_rule="pair")["segments"]
    fills = {fill["order_id"]: fill["quantity"] for fill in segment.pop("fills")}
    assert (fills["S4"], fills["S5"], fills["B1"]) == ("655.000", "545.000", "2200.000")
    assert "explanation" in segment
    del segment["explanation"]
    assert segment == {
        "segment": "h1",
        "price": "197.500",
        "price_low": "195.000",
        "price_high": "200.000",
        "volume": "6500.000",
        "welfare": "411500.000",
        "price_set_by": ["S4", "S5", "B4"],
    }


def test_earlier_clock_times_get_the_lot_left_over(tmp_path: Path) -> None:
    lines = ["1,a,buy,9,0.002,10:03", "1,b,buy,9,0.002,10:01:30", "1,c,buy,9,0.002,", "1,s,sell,9,0.004,"]
    (segment,) = clear_auction_file(written(tmp_path, AUCTION_HEAD, *lines))["segments"]
    assert [fill["quantity"] for fill in segment["fills"]] == ["0.001", "0.002", "0.001", "0.004"]


def test_nothing_trades(tmp_path: Path) -> None:
    path = written(tmp_path, "hour,order_id,side,price,quantity_mwh", "7,a,buy,1,1")
    (segment,) = clear_auction_file(path)["segments"]
    assert (segment["segment"], segment["price"], segment["price_low"], segment["volume"]) == ("7", None, None, "0.000")
    assert (segment["fills"], segment["price_set_by"], segment["welfare"]) == ([], [], "0.000")


def test_files_without_orders(tmp_path: Path) -> None:
    assert clear_auction_file(written(tmp_path, AUCTION_HEAD)) == {"segments": []}
    assert clear_rolling_file(written(tmp_path, ROLLING_HEAD)) == {
        "trades": [],
        "book": {"buy": [], "sell": []},
        "cancels": [],
    }


@pytest.mark.parametrize(
    ("segments", "order"),
    [
        (["10", "2", "1"], ["1", "2", "10"]),
        (["h10", "h2", "h10"], ["h10", "h2"]),
        (["2", "x", "1"], ["2", "x", "1"]),
        (["--3", "1"], ["--3", "1"]),
    ],
)
def test_order_of_segments(tmp_path: Path, segments: list[str], order: list[str]) -> None:
    lines = [f"{segment},o{number},buy,1,1," for number, segment in enumerate(segments)]
    result = clear_auction_file(written(tmp_path, AUCTION_HEAD, *lines))
    assert [segment["segment"] for segment in result["segments"]] == order


def test_tranches_name_orders(tmp_path: Path) -> None:
    head = "hour,order_id,tranche,side,price,quantity_mwh"
    (segment,) = clear_auction_file(written(tmp_path, head, "1,a,1,buy,9,1", "1,a,2,buy,8,1", "1,b,1,sell,5,1.5"))[
        "segments"
    ]
    assert segment["fills"] == [
        {"order_id": "a", "tranche": "1", "quantity": "1.000"},
        {"order_id": "a", "tranche": "2", "quantity": "0.500"},
        {"order_id": "b", "tranche": "1", "quantity": "1.500"},
    ]
    assert (segment["price_set_by"], segment["price_set_by_tranche"]) == (["a"], ["2"])


def test_rolling_by_seq_with_owners_and_late_cancel(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        ROLLING_HEAD,
        "3,new,c,buy,80,2,M",
        "1,new,a,sell,80,1,M",
        "2,new,b,sell,80,1.5,",
        "4,cancel,b,,,,",
        "5,cancel,a,,,,",
        "6,cancel,z,,,,",
    )
    result = clear_rolling_file(path)
    assert result == {
        "trades": [{"seq": 3, "taker": "c", "maker": "b", "price": "80.000", "quantity": "1.500"}],
        "book": {"buy": [{"order_id": "c", "price": "80.000", "quantity": "0.500"}], "sell": []},
        "cancels": [
            {"order_id": "b", "accepted": False, "quantity": "0.000"},
            {"order_id": "a", "accepted": True, "quantity": "1.000"},
            {"order_id": "z", "accepted": False, "quantity": "0.000"},
        ],
    }
    allowed = clear_rolling_file(path, self_trade="allow")
    assert [(trade["maker"], trade["quantity"]) for trade in allowed["trades"]] == [("a", "1.000"), ("b", "1.000")]


def test_each_segment_has_its_book(tmp_path: Path) -> None:
    head = "segment,seq,action,order_id,side,price,quantity_mwh"
    path = written(tmp_path, head, "2,1,new,a,sell,5,1", "1,2,new,a,buy,5,1", "2,3,new,b,buy,5,0.4", "1,4,cancel,a,,,")
    result = clear_rolling_file(path)
    assert result["trades"] == [
        {"seq": 3, "segment": "2", "taker": "b", "maker": "a", "price": "5.000", "quantity": "0.400"}
    ]
    assert result["book"] == {
        "buy": [],
        "sell": [{"segment": "2", "order_id": "a", "price": "5.000", "quantity": "0.600"}],
    }
    assert result["cancels"] == [{"segment": "1", "order_id": "a", "accepted": True, "quantity": "1.000"}]


def test_csv_gzip_and_parquet_say_the_same(tmp_path: Path) -> None:
    plain = written(tmp_path, AUCTION_HEAD, *example_lines())
    packed = tmp_path / "orders.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    rows = list(csv.DictReader(plain.read_text(encoding="utf-8").splitlines()))
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in rows[0]}
    columns["price"] = pa.array([float(row["price"]) for row in rows], pa.float32())
    columns["quantity_mwh"] = pa.array([Decimal(row["quantity_mwh"]) for row in rows])
    columns["side"] = pa.array(columns["side"]).dictionary_encode()
    parquet = tmp_path / "orders.parquet"
    pa.parquet.write_table(pa.table(columns), parquet)
    assert clear_auction_file(plain) == clear_auction_file(packed) == clear_auction_file(parquet)
    assert json.loads(json.dumps(clear_auction_file(plain))) == clear_auction_file(plain)


@pytest.mark.parametrize("value", [0.1, 0.001, 481.44, -50.005, 1e5, 3e-3])
@pytest.mark.parametrize("kind", [pa.float64(), pa.float32()])
def test_floats_are_taken_by_their_shortest_decimal(tmp_path: Path, value: float, kind: pa.DataType) -> None:
    path = tmp_path / "orders.parquet"
    rows: dict[str, Any] = {
        "hour": [1, 1],
        "order_id": [5, 6],
        "side": ["buy", "sell"],
        "quantity_mwh": [0.1, 0.1],
    }
    rows["price"] = pa.array([value] * 2, kind)
    pa.parquet.write_table(pa.table(rows), path)
    (segment,) = clear_auction_file(path)["segments"]
    assert Decimal(segment["price"]) == Decimal(str(value))
    assert segment["fills"][0] == {"order_id": 5, "quantity": "0.100"}


# ----------------------------------------------------------------------------------------------------- bad input

Clear = Callable[[Path], dict[str, Any]]
AUCTION: list[tuple[str, str, str, int | None]] = [  # line of data, field, words, row
    ("1,a,bid,5,1,", "side", "buy or sell", 2),
    ("1,a,Buy,5,1,", "side", "buy or sell", 2),
    ("1,a,,5,1,", "side", "buy or sell", 2),
    ("1,a,buy,5.0005,1,", "price", "three places", 2),
    ("1,a,buy,,1,", "price", "three places", 2),
    ("1,a,buy,nan,1,", "price", "three places", 2),
    ("1,a,buy,1_0,1,", "price", "three places", 2),
    ("1,a,buy,５,1,", "price", "three places", 2),
    ("1,a,buy,1e99,1,", "price", "three places", 2),
    ("1,a,buy,100000.001,1,", "price", "100000.000", 2),
    ("1,a,buy,5,0,", "quantity_mwh", "above 0", 2),
    ("1,a,buy,5,-1,", "quantity_mwh", "above 0", 2),
    ("1,a,buy,5,0.0001,", "quantity_mwh", "lots of 0.001", 2),
    ("1,a,buy,5,1,yesterday", "submitted_at", "clock time", 2),
    ("1,a,buy,5,1,10:00", "submitted_at", "the same kind", 2),
    ("1,first,buy,5,1,", "order_id", "no earlier order", 2),
    ("1,,buy,5,1,", "order_id", "not empty", 2),
    (",a,buy,5,1,", "segment", "not empty", 2),
    ("1,a,buy,5,90000000,", "quantity_mwh", "sum to more", None),
]


def refusal_of(work: Clear, path: Path) -> BadInput:
    with pytest.raises(BadInput) as caught:
        work(path)
    error = caught.value
    assert error.zh
    assert error.en
    assert "\n" not in str(error)
    return error


@pytest.mark.parametrize(("line", "field", "words", "row"), AUCTION)
def test_bad_auction_rows(tmp_path: Path, line: str, field: str, words: str, row: int | None) -> None:
    path = written(tmp_path, AUCTION_HEAD, "1,first,buy,5,1,2025-06-20 11:00:00", line)
    error = refusal_of(clear_auction_file, path)
    assert (error.field, error.row) == (field, row)
    assert words in error.en
    assert row is None or f"第 {row} 行" in error.zh


ROLLING: list[tuple[str, str, str, int | None]] = [
    ("1,new,b,buy,5,1,", "seq", "only once", 2),
    ("x,new,b,buy,5,1,", "seq", "whole number", 2),
    ("2,modify,b,buy,5,1,", "action", "new or cancel", 2),
    ("2,new,a,buy,5,1,", "order_id", "no earlier order", 2),
    ("2,new,b,,5,1,", "side", "buy or sell", 2),
    ("2,new,b,buy,5,,", "quantity_mwh", "above 0", 2),
    ("2,cancel,,,,,", "order_id", "not empty", 2),
]


@pytest.mark.parametrize(("line", "field", "words", "row"), ROLLING)
def test_bad_rolling_rows(tmp_path: Path, line: str, field: str, words: str, row: int | None) -> None:
    error = refusal_of(clear_rolling_file, written(tmp_path, ROLLING_HEAD, "1,new,a,sell,9,1,", line))
    assert (error.field, error.row) == (field, row)
    assert words in error.en


CONDITIONS_HEAD = f"{ROLLING_HEAD},condition"


def test_rolling_conditions(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        CONDITIONS_HEAD,
        "1,new,a,sell,80,2,,",
        "2,new,b,buy,80,3,,FOK",
        "3,new,c,buy,80,3,,ioc",
        "4,new,d,sell,80,2,,AON",
        "5,new,e,buy,80,1,,gtc",
        "6,new,f,buy,80,2,,fok",
        "7,cancel,c,,,,,",
    )
    result = clear_rolling_file(path)
    made = [(trade["taker"], trade["maker"], trade["quantity"]) for trade in result["trades"]]
    assert made == [("c", "a", "2.000"), ("f", "d", "2.000")]
    assert [order["order_id"] for order in result["book"]["buy"]] == ["e"]
    assert result["book"]["sell"] == []
    assert [(cancel["order_id"], cancel["accepted"]) for cancel in result["cancels"]] == [("c", False)]


def test_an_unknown_condition_is_refused(tmp_path: Path) -> None:
    error = refusal_of(
        clear_rolling_file, written(tmp_path, CONDITIONS_HEAD, "1,new,a,sell,9,1,,", "2,new,b,buy,9,1,,day")
    )
    assert (error.field, error.row) == ("condition", 2)
    assert "fok" in error.en


def test_a_duplicate_after_cancels_names_its_row(tmp_path: Path) -> None:
    lines = ["1,new,a,sell,9,1,", "2,cancel,b,,,,", "3,new,a,sell,9,1,"]
    error = refusal_of(clear_rolling_file, written(tmp_path, ROLLING_HEAD, *lines))
    assert error.row == 3
    assert '"a"' in error.en


@pytest.mark.parametrize("column", ["segment", "order_id", "side", "price", "quantity_mwh"])
def test_missing_auction_columns(tmp_path: Path, column: str) -> None:
    path = written(tmp_path, AUCTION_HEAD.replace(column, "x"), "1,a,buy,5,1,")
    assert refusal_of(clear_auction_file, path).field == column


@pytest.mark.parametrize("column", ["seq", "action", "order_id", "side", "price", "quantity_mwh"])
def test_missing_rolling_columns(tmp_path: Path, column: str) -> None:
    path = written(tmp_path, ROLLING_HEAD.replace(column, "x"), "1,new,a,buy,5,1,")
    assert refusal_of(clear_rolling_file, path).field == column


FILES: dict[str, tuple[str, bytes]] = {
    "empty": ("orders.csv", b""),
    "no text": ("orders.csv", b"\xff\xfe\x00segment\n\x80\x81\n"),
    "bad text in a row": ("orders.csv", b"segment,order_id,side,price,quantity_mwh\n1,\xff,buy,1,1\n"),
    "short row": ("orders.csv", b"segment,order_id,side,price,quantity_mwh\n1,a,buy\n"),
    "torn gzip": ("orders.csv.gz", gzip.compress(b"segment,order_id,side,price,quantity_mwh\n" * 99)[:40]),
    "no Parquet": ("orders.parquet", b"hello"),
    "torn Parquet": ("orders.parquet", b"PAR1hello"),
}


@pytest.mark.parametrize("case", FILES)
@pytest.mark.parametrize("work", [clear_auction_file, clear_rolling_file])
def test_files_that_are_none(tmp_path: Path, case: str, work: Clear) -> None:
    name, content = FILES[case]
    (tmp_path / name).write_bytes(content)
    refusal_of(work, tmp_path / name)


@pytest.mark.parametrize("work", [clear_auction_file, clear_rolling_file])
def test_no_such_file_or_a_folder(tmp_path: Path, work: Clear) -> None:
    assert refusal_of(work, tmp_path / "none.csv").field == "file"
    assert refusal_of(work, tmp_path).field == "file"


def test_a_column_that_stands_twice(tmp_path: Path) -> None:
    assert refusal_of(clear_auction_file, written(tmp_path, AUCTION_HEAD + ",price", "1,a,buy,5,1,,5")).field == "price"


def test_a_column_of_lists(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    rows = {"hour": [1], "order_id": ["a"], "side": ["buy"], "price": [[1.0]], "quantity_mwh": [1.0]}
    pa.parquet.write_table(pa.table(rows), path)
    assert refusal_of(clear_auction_file, path).field == "price"


def test_too_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_columns, "ROW_LIMIT", 2)
    path = written(tmp_path, AUCTION_HEAD, "1,a,buy,5,1,", "1,b,buy,5,1,")
    clear_auction_file(path)
    error = refusal_of(clear_auction_file, written(tmp_path, AUCTION_HEAD, *(f"1,{n},buy,5,1," for n in range(3))))
    assert "more than 2 rows" in error.en


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"lot_mwh": "0"}, "lot_mwh"),
        ({"lot_mwh": "0.0005"}, "lot_mwh"),
        ({"lot_mwh": "one"}, "lot_mwh"),
        ({"price_rule": "middle"}, "price_rule"),
        ({"k_ppm": -1}, "k_ppm"),
        ({"k_ppm": 1_000_001}, "k_ppm"),
    ],
)
def test_bad_options(tmp_path: Path, options: dict[str, Any], field: str) -> None:
    path = written(tmp_path, AUCTION_HEAD, "1,a,buy,5,1,")
    assert refusal_of(lambda path: clear_auction_file(path, **options), path).field == field
    assert refusal_of(lambda path: clear_rolling_file(path, self_trade="maybe"), path).field == "self_trade"


def test_quantities_must_be_whole_lots(tmp_path: Path) -> None:
    path = written(tmp_path, AUCTION_HEAD, "1,a,buy,5,1.5,")
    error = refusal_of(lambda path: clear_auction_file(path, lot_mwh="1"), path)
    assert (error.field, error.row) == ("quantity_mwh", 1)


@pytest.mark.parametrize("folder", ["markets", "orders"])
def test_each_data_file_has_its_credit(folder: str) -> None:
    readme = (DATA / folder / "README.md").read_text(encoding="utf-8")
    assert "OMIE" in readme
    for path in sorted((DATA / folder).iterdir()):
        assert path.name == "README.md" or f"`{path.name}`" in readme
