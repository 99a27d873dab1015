"""What agreements remember: the agreement, its terms, and each member's position per day."""

from itertools import pairwise

from shudian.contracts.agreements.messages import Agreement, Line, State, Terms
from shudian.kernel import clock
from shudian.kernel.codec import Record, encode
from shudian.kernel.contract import BlockContext, RowInvariant, StateInvariant
from shudian.kernel.crypto import sha256
from shudian.kernel.tables import Key, Table
from shudian.kernel.units import SEGMENTS_PER_DAY


class Position(Record):
    """What a member has bought and sold for one day by agreements. bought_kwh, sold_kwh: 24 segments each."""

    bought_kwh: tuple[int, ...]
    sold_kwh: tuple[int, ...]


def _by_next_day(_key: Key, row: Agreement) -> Key | None:
    if row.state is State.EFFECTIVE:
        return (row.first_day,)
    if row.state is State.DELIVERING:
        return (clock.day_after(row.last_day),)
    return None


def _by_first_day(_key: Key, row: Agreement) -> Key | None:
    return None if row.state is State.SETTLED else (row.first_day,)


def _by_seller(_key: Key, row: Agreement) -> Key | None:
    return None if row.state is State.SETTLED else (row.seller_id,)


def _by_buyer(_key: Key, row: Agreement) -> Key | None:
    return None if row.state is State.SETTLED else (row.buyer_id,)


AGREEMENTS = Table(
    "agreements.agreements",
    Agreement,
    ("agreement_id",),
    {"by_next_day": _by_next_day, "by_first_day": _by_first_day, "by_seller": _by_seller, "by_buyer": _by_buyer},
)
TERMS = Table("agreements.terms", Terms, ("agreement_id",))
POSITIONS = Table("agreements.positions", Position, ("member_id", "day"))

TABLES = (AGREEMENTS, TERMS, POSITIONS)


def line_order(line: Line) -> tuple[int, int]:
    """The order of lines in terms: segment, then price."""
    return (line.segment, line.price_myuan_mwh)


def _terms_are_sound(_key: Key, row: Terms) -> bool:
    orders = [line_order(line) for line in row.lines]
    return (
        row.seller_id != row.buyer_id
        and row.first_day <= row.last_day
        and bool(orders)
        and all(left < right for left, right in pairwise(orders))
        and all(0 <= line.segment < SEGMENTS_PER_DAY and line.quantity_kwh > 0 for line in row.lines)
    )


def _position_is_sound(_key: Key, row: Position) -> bool:
    return (
        len(row.bought_kwh) == len(row.sold_kwh) == SEGMENTS_PER_DAY
        and min(row.bought_kwh) >= 0
        and min(row.sold_kwh) >= 0
    )


def _agreements_fit_their_terms(ctx: BlockContext) -> bool:
    return all(
        row.terms_hash == sha256(encode(terms)) and row.quantity_kwh == sum(line.quantity_kwh for line in terms.lines)
        for key, row in AGREEMENTS.range(ctx)
        for terms in (TERMS.need(ctx, *key),)
    )


def _positions_sum_up(ctx: BlockContext) -> bool:
    rows = [row for _, row in POSITIONS.range(ctx)]
    agreed_kwh = sum(row.quantity_kwh for _, row in AGREEMENTS.range(ctx))
    bought_kwh = sum(sum(row.bought_kwh) for row in rows)
    return bought_kwh == sum(sum(row.sold_kwh) for row in rows) == agreed_kwh


INVARIANTS = (
    RowInvariant("terms bind two members to positive energy in line order", TERMS, _terms_are_sound),
    RowInvariant("a position has 24 segments, none negative", POSITIONS, _position_is_sound),
    StateInvariant("every agreement carries the hash and the energy of its terms", _agreements_fit_their_terms),
    StateInvariant("bought = sold = agreed energy", _positions_sum_up),
)
