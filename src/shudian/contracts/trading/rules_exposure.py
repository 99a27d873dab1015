"""Exposure 履约敞口: what a member has bought counts against its guarantees 履约保函, by the value of its agreements.

A buy whose value exceeds what the guarantees leave is refused. Buys of a session that is still open count when they become agreements.
"""

from collections.abc import Sequence
from typing import Final

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import Line, Terms
from shudian.contracts.guarantees import rules as guarantees
from shudian.contracts.trading.messages import Side
from shudian.kernel.contract import BlockContext
from shudian.kernel.tables import HasStore
from shudian.kernel.units import energy_fen

# Members at hand: to fetch one from its enumeration takes Python 3.11 as long as ten look-ups, and these are asked for with every order.
_BUY: Final = Side.BUY


def check_line(at: HasStore, member_id: int, side: Side, lines: Sequence[Line]) -> None:
    """A buy of these lines fits what the member's guarantees leave; sells always do. Refuses: 5011."""
    check_buy(at, member_id, side, _value_fen(lines, [line.quantity_kwh for line in lines]))


def check_buy(at: HasStore, member_id: int, side: Side, value_fen: int) -> None:
    """A buy of this value, which may be negative, fits what the member's guarantees leave; sells always do. Refuses: 5011."""
    if side is _BUY:
        guarantees.require_room(at, member_id, max(0, value_fen))


def _value_fen(lines: Sequence[Line], quantities_kwh: Sequence[int]) -> int:
    """What the energy costs, never below zero."""
    priced = zip(lines, quantities_kwh, strict=True)
    return max(0, sum(energy_fen(quantity_kwh, line.price_myuan_mwh) for line, quantity_kwh in priced))


def take_on(ctx: BlockContext, agreement_id: int) -> None:
    """The buyer of a new agreement takes on its value. Emits: LineMoved, ExposureWarned."""
    terms = agreements.terms(ctx, agreement_id)
    amount_fen = open_fen(ctx, agreement_id, terms)
    if amount_fen:
        guarantees.add_exposure(ctx, terms.buyer_id, _purpose(agreement_id), amount_fen)


def open_fen(at: HasStore, agreement_id: int, terms: Terms) -> int:
    """What the open quantity of an agreement costs, in fen, rounded per line."""
    return _value_fen(terms.lines, agreements.open_kwh(at, agreement_id))


def give_back(ctx: BlockContext, agreement_id: int, before_fen: int) -> None:
    """A transfer has lowered what the parent agreement costs. Emits: LineMoved."""
    terms = agreements.terms(ctx, agreement_id)
    change_fen = open_fen(ctx, agreement_id, terms) - before_fen
    if change_fen:
        guarantees.add_exposure(ctx, terms.buyer_id, _purpose(agreement_id), change_fen)


def release(ctx: BlockContext, agreement_id: int, buyer_id: int) -> None:
    """The agreement is paid. Emits: LineMoved."""
    guarantees.release_exposure(ctx, buyer_id, _purpose(agreement_id))


def _purpose(agreement_id: int) -> str:
    return f"agreement:{agreement_id}"
