"""The two pure commands 出清命令: clear an auction, or replay a rolling match, from a file of orders.

CSV (plain or gzip) or Parquet. Columns: ``segment`` or ``hour``; ``order_id``, with ``tranche`` where ids repeat per tranche;
``side`` (buy or sell); ``price`` in CNY/MWh and ``quantity_mwh``, decimals to 0.001; optional ``owner`` (empty is nobody) and
``submitted_at`` or ``timestamp``; for the rolling match ``seq``, ``action`` (new or cancel) and optional ``condition`` (gtc, ioc,
fok, aon in either case; empty is gtc). Other columns are not read.
Results are ready for JSON: prices in CNY/MWh, energy in MWh and welfare in CNY are decimal strings.
"""

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from shudian.clearing.auction import Cleared, clear
from shudian.clearing.auction_rules import PRICE_LIMIT_MYUAN_MWH, SIDE_LIMIT_KWH, PriceRule
from shudian.clearing.book import Book, Condition, SelfTrade
from shudian.clearing.explain import as_decimal, explain
from shudian.kernel.units import PPM
from shudian.tools.order_columns import (
    ROW_LIMIT,
    BadInput,
    Codes,
    Columns,
    Flags,
    read_columns,
    refuse_value,
    thousandths,
    whole,
)

__all__ = ["ROW_LIMIT", "BadInput", "clear_auction_file", "clear_rolling_file"]

O = TypeVar("O", bound=StrEnum)  # noqa: E741 - an option

_SIDES = ("buy", "sell")
_ACTIONS = ("new", "cancel")
_SEGMENT = ("segment", "hour")
_ORDER = ("order_id", "side", "price", "quantity_mwh")


def clear_auction_file(
    path: str | Path,
    *,
    lot_mwh: str = "0.001",
    price_rule: str = "equilibrium",
    k_ppm: int = 500_000,
) -> dict[str, Any]:
    """Clear each segment of an auction file at one price (:func:`shudian.clearing.auction.clear`); the owner plays no part.

    Segments come in numeric order if all are whole numbers, else as they first appear. An order is named by ``order_id`` and
    ``tranche``, and by ``kind`` too where the file has it: some markets let a simple and a block offer share a number. Orders without
    a time rank after those with one. ``fills`` holds the orders that got something, in the order of the file.

    Raises:
        BadInput: the file or an option cannot be used.
    """
    rule = _option("price_rule", price_rule, PriceRule)
    lot_kwh = thousandths(lot_mwh)
    if lot_kwh is None or not 1 <= lot_kwh <= SIDE_LIMIT_KWH:
        raise _bad_option(
            "lot_mwh", lot_mwh, "不小于 0.001、最多三位小数的数", "a decimal from 0.001 with at most three places"
        )
    if not 0 <= k_ppm <= PPM:
        raise _bad_option("k_ppm", k_ppm, "0 至 1000000 的整数", "a whole number from 0 to 1000000")
    columns = read_columns(path, (*_SEGMENT, *_ORDER, "tranche", "kind", "submitted_at", "timestamp"))
    segment_name = _segment_name(columns, *_ORDER)
    if segment_name is None:
        raise _missing("segment", " 或 hour", " or hour")
    segments, segment_codes = columns.names(segment_name)
    names = _Names(columns, segment_codes, "order_id", "tranche", "kind")
    _check_unique(columns, names.keys, names)
    is_buy, price, quantity = _orders(columns, lot_kwh)
    time_name = columns.first_of("submitted_at", "timestamp")
    submitted = columns.instants(time_name) if time_name else np.zeros(columns.row_count, np.int64)
    results = []
    for code, rows in _by_segment(segments, segment_codes):
        _check_side_totals(segments[code], is_buy[rows], quantity[rows])
        result = clear(
            is_buy[rows], price[rows], quantity[rows], submitted[rows], lot_kwh=lot_kwh, rule=rule, k_ppm=k_ppm
        )
        results.append({"segment": segments[code], **_auction_result(result, names, rows.tolist(), k_ppm)})
    return {"segments": results}


def clear_rolling_file(path: str | Path, *, self_trade: str = "skip") -> dict[str, Any]:
    """Replay new orders and cancels in the order of ``seq``, through one book per segment (:mod:`shudian.clearing.book`).

    A cancel may leave side, price and quantity empty; it is accepted if something of the order still rests, and its ``quantity``
    is what was withdrawn. What an ioc or fok order does not trade at once is gone; it is no cancel of the file. A file without ``segment`` or ``hour`` has one book; otherwise trades, cancels and resting orders name
    their segment. Times are not read: ``seq`` is the time.

    Raises:
        BadInput: the file or an option cannot be used.
    """
    rule = _option("self_trade", self_trade, SelfTrade)
    columns = read_columns(path, (*_SEGMENT, *_ORDER, "tranche", "owner", "seq", "action", "condition"))
    segment_name = _segment_name(columns, "seq", "action", *_ORDER)
    one_book: tuple[list[str | int], Codes] = ([""], np.zeros(columns.row_count, np.int64))
    segments, segment_codes = columns.names(segment_name) if segment_name else one_book
    names = _Names(columns, segment_codes, "order_id", "tranche")
    seq = columns.wholes("seq")
    _check_unique(columns, seq)
    is_new = columns.choices("action", _ACTIONS) == _ACTIONS.index("new")
    new = columns.where(is_new)
    _check_unique(new, names.keys[is_new], names, np.flatnonzero(is_new))
    replay = _Replay(columns, names, segment_name, segments, segment_codes, rule)
    replay.run(seq, is_new, *_orders(new), _conditions(new))
    return {"trades": replay.trades, "book": replay.book(), "cancels": replay.cancels}


class _Names:
    """What each row calls its order, and one number per distinct order."""

    def __init__(self, columns: Columns, segment_codes: Codes, *fields: str) -> None:
        self.keys = segment_codes
        self._values: dict[str, list[str | int]] = {}
        self._codes: dict[str, list[int]] = {}
        for field in fields:
            if columns.has(field):
                values, codes = columns.names(field)
                # Numbered anew at each step, so that the product stays far below 2^63.
                self.keys = np.unique(self.keys * len(values) + codes, return_inverse=True)[1]
                self._values[field], self._codes[field] = values, codes.tolist()

    @property
    def has_tranches(self) -> bool:
        return "tranche" in self._values

    def value(self, field: str, row: int) -> str | int:
        return self._values[field][self._codes[field][row]]

    def of(self, row: int, field: str = "order_id", tranche_field: str = "tranche") -> dict[str, Any]:
        named: dict[str, Any] = {field: self.value("order_id", row)}
        if self.has_tranches:
            named[tranche_field] = self.value("tranche", row)
        return named


class _Replay:
    """A rolling match in progress: books, trades and cancels so far."""

    def __init__(
        self,
        columns: Columns,
        names: _Names,
        segment_name: str | None,
        segments: list[str | int],
        segment_codes: Codes,
        self_trade: SelfTrade,
    ) -> None:
        self._names = names
        self._segments = segments
        self._codes = segment_codes.tolist()
        self._code_order = [code for code, _ in _by_segment(segments, segment_codes)]
        self._shows_segment = segment_name is not None
        self._books = [Book(self_trade) for _ in segments]
        self._owners = _owners(columns)
        self.trades: list[dict[str, Any]] = []
        self.cancels: list[dict[str, Any]] = []

    def run(
        self,
        seq: Codes,
        is_new: Flags,
        is_buy: Flags,
        price: Codes,
        quantity: Codes,
        conditions: list[Condition],
    ) -> None:
        """Put the rows through the books by rising ``seq``; the last four are those of the new orders alone."""
        keys, seqs, news = self._names.keys.tolist(), seq.tolist(), is_new.tolist()
        order_nos = (np.cumsum(is_new) - 1).tolist()
        buys, prices, quantities = is_buy.tolist(), price.tolist(), quantity.tolist()
        row_of_key: dict[int, int] = {}
        for row in np.argsort(seq).tolist():
            if news[row]:
                row_of_key[keys[row]] = row
                order_no = order_nos[row]
                self._place(
                    row,
                    seqs[row],
                    is_buy=buys[order_no],
                    price=prices[order_no],
                    quantity=quantities[order_no],
                    condition=conditions[order_no],
                )
            else:
                self._cancel(row, row_of_key.get(keys[row]))

    def _place(self, row: int, seq: int, *, is_buy: bool, price: int, quantity: int, condition: Condition) -> None:
        fills = self._books[self._codes[row]].place(
            row,
            is_buy=is_buy,
            price_myuan_mwh=price,
            energy_kwh=quantity,
            owner_id=self._owners[row],
            condition=condition,
        )
        self.trades += (
            {
                "seq": seq,
                **self._segment(row),
                **self._names.of(row, "taker", "taker_tranche"),
                **self._names.of(maker.order_id, "maker", "maker_tranche"),
                "price": as_decimal(maker.price_myuan_mwh),
                "quantity": as_decimal(taken_kwh),
            }
            for maker, taken_kwh in fills
        )

    def _cancel(self, row: int, order_row: int | None) -> None:
        withdrawn_kwh = 0 if order_row is None else self._books[self._codes[row]].cancel(order_row)
        self.cancels.append(
            {
                **self._segment(row),
                **self._names.of(row),
                "accepted": withdrawn_kwh > 0,
                "quantity": as_decimal(withdrawn_kwh),
            }
        )

    def _segment(self, row: int) -> dict[str, Any]:
        return {"segment": self._segments[self._codes[row]]} if self._shows_segment else {}

    def book(self) -> dict[str, list[dict[str, Any]]]:
        """Resting orders of each side: by segment, best price first, then time."""
        return {
            side: [
                {
                    **self._segment(order.order_id),
                    **self._names.of(order.order_id),
                    "price": as_decimal(order.price_myuan_mwh),
                    "quantity": as_decimal(order.open_kwh),
                }
                for code in self._code_order
                for order in self._books[code].resting(is_buy=side == "buy")
            ]
            for side in _SIDES
        }


def _auction_result(result: Cleared, names: _Names, rows: list[int], k_ppm: int) -> dict[str, Any]:
    prices = (result.price_myuan_mwh, result.low_myuan_mwh, result.high_myuan_mwh)
    price, low, high = (None if value is None else as_decimal(value) for value in prices)
    set_by = [rows[no] for no in result.price_set_by]
    in_tranches = (
        {"price_set_by_tranche": [names.value("tranche", row) for row in set_by]} if names.has_tranches else {}
    )
    return {
        "price": price,
        "price_low": low,
        "price_high": high,
        "volume": as_decimal(result.volume_kwh),
        "welfare": as_decimal(10 * result.welfare_fen),
        "fills": [
            {**names.of(row), "quantity": as_decimal(kwh)}
            for row, kwh in zip(rows, result.fills_kwh.tolist(), strict=True)
            if kwh
        ],
        "price_set_by": [names.value("order_id", row) for row in set_by],
        **in_tranches,
        "explanation": " ".join(explain(result, k_ppm)),
    }


def _orders(columns: Columns, lot_kwh: int = 1) -> tuple[Flags, Codes, Codes]:
    """Whether each order buys, its price in milli-yuan/MWh and its quantity in kWh."""
    limit, most = as_decimal(PRICE_LIMIT_MYUAN_MWH), as_decimal(SIDE_LIMIT_KWH)
    lot = as_decimal(lot_kwh)
    is_buy = columns.choices("side", _SIDES) == _SIDES.index("buy")
    price = columns.decimals(
        "price",
        lambda myuan_mwh: abs(myuan_mwh) <= PRICE_LIMIT_MYUAN_MWH,
        f"-{limit} 至 {limit} 元/MWh、最多三位小数的数",
        f"a decimal from -{limit} to {limit} CNY/MWh with at most three places",
    )
    quantity = columns.decimals(
        "quantity_mwh",
        lambda kwh: 0 < kwh <= SIDE_LIMIT_KWH and kwh % lot_kwh == 0,
        f"大于 0、不超过 {most} MWh 且为 {lot} MWh 整数倍的数",
        f"a decimal above 0, at most {most} MWh and a whole number of lots of {lot} MWh",
    )
    return is_buy, price, quantity


def _conditions(columns: Columns) -> list[Condition]:
    conditions = tuple(Condition)
    if not columns.has("condition"):
        return [Condition.GTC] * columns.row_count
    place_of = {"": 0, **{condition.value: place for place, condition in enumerate(conditions)}}
    codes = columns.parsed(
        "condition",
        lambda value: place_of.get("" if value is None else str(value).lower()),
        "gtc、ioc、fok 或 aon（空为 gtc）",
        "gtc, ioc, fok or aon (empty is gtc)",
    )
    return [conditions[code] for code in codes.tolist()]


def _owners(columns: Columns) -> list[str | int | None]:
    if not columns.has("owner"):
        return [None] * columns.row_count
    values, codes = columns.coded("owner")
    owners = [None if value == "" else value for value in values]
    return [owners[code] for code in codes.tolist()]


def _by_segment(segments: list[str | int], codes: Codes) -> Iterable[tuple[int, Codes]]:
    """Each segment's code and rows: in numeric order if all segments are whole numbers, else as they first appear."""
    by_code = np.argsort(codes, kind="stable")
    rows = np.split(by_code, np.cumsum(np.bincount(codes, minlength=len(segments)))[:-1])
    order = list(range(len(segments)))
    if all(whole(segment) is not None for segment in segments):
        order.sort(key=lambda code: int(segments[code]))
    return [(code, rows[code]) for code in order]


def _segment_name(columns: Columns, *required: str) -> str | None:
    """The column that names segments, if any; refuses a file that lacks one of the ``required`` columns."""
    for name in required:
        if not columns.has(name):
            raise _missing(name)
    return columns.first_of(*_SEGMENT)


def _missing(name: str, or_zh: str = "", or_en: str = "") -> BadInput:
    return BadInput(f"文件缺少“{name}”列{or_zh}。", f"The file has no column {name}{or_en}.", name)


def _check_unique(columns: Columns, keys: Codes, names: "_Names | None" = None, rows: Codes | None = None) -> None:
    """Refuse the first row whose key stood before: a ``seq``, or with ``names`` an order; ``rows`` are its rows there."""
    repeats = np.ones(len(keys), np.bool_)
    repeats[np.unique(keys, return_index=True)[1]] = False
    if not repeats.any():
        return
    position = int(np.argmax(repeats))
    row_no = columns.row_no(position)
    if names is None:
        raise refuse_value(
            "seq", row_no, int(keys[position]), "全文件唯一的整数", "a whole number that stands only once"
        )
    raise refuse_value(
        "order_id",
        row_no,
        " / ".join(str(part) for part in names.of(int(position if rows is None else rows[position])).values()),
        "同一时段内未出现过的编号（含 tranche）",
        "an id (with its tranche) that no earlier order of the segment has",
    )


def _check_side_totals(segment: str | int, is_buy: Flags, quantity: Codes) -> None:
    for side, flags in (("buy", is_buy), ("sell", ~is_buy)):
        if int(quantity[flags].sum()) > SIDE_LIMIT_KWH:
            most = as_decimal(SIDE_LIMIT_KWH)
            raise BadInput(
                f"时段 {segment} 的 {side} 方总量超过 {most} MWh，应不超过此数。",
                f"Segment {segment}: the {side} quantities sum to more than {most} MWh, the most that is allowed.",
                "quantity_mwh",
            )


def _option(name: str, value: str, options: type[O]) -> O:
    allowed = [option.value for option in options]
    if value not in allowed:
        raise _bad_option(name, value, "或".join(allowed), " or ".join(allowed))
    return options(value)


def _bad_option(name: str, value: object, allowed_zh: str, allowed_en: str) -> BadInput:
    return BadInput(
        f"选项 {name} 的值“{value}”不可用，应为{allowed_zh}。",
        f'Option {name}: "{value}" cannot be used; it must be {allowed_en}.',
        name,
    )
