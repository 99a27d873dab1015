"""Collateral 保证金: what stands behind orders, trades and agreements, as reservations of the members' own money.

Collateral moves from ``order:ID``, ``listing:ID`` or ``take:ID`` to ``trades:SESSION`` when they trade and to ``agreement:ID`` when
the session closes; from ``negotiation:ID`` to ``agreement:ID``; and with the energy of a transfer from one agreement to the other. No
step after the first can need more than is reserved.
"""

from msgspec.structs import replace

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import Terms
from shudian.contracts.funds import rules as funds
from shudian.contracts.trading import rules_exposure as exposure
from shudian.contracts.trading.messages import SessionRules, Side
from shudian.contracts.trading.state import Order
from shudian.kernel.contract import BlockContext
from shudian.kernel.tables import HasStore
from shudian.kernel.units import energy_fen, share


def collateral_fen(rules: SessionRules, side: Side, price_myuan_mwh: int, quantity_kwh: int) -> int:
    """What a quantity at a price needs, in fen, each product rounded half away from zero.

    Buyer: a share of the value, at least at the floor price. Seller: an amount per energy, whatever the price.
    """
    if side is Side.SELL:
        return energy_fen(quantity_kwh, rules.sell_collateral_myuan_mwh)
    valued_at_myuan_mwh = max(price_myuan_mwh, rules.buy_collateral_floor_myuan_mwh)
    return share(energy_fen(quantity_kwh, valued_at_myuan_mwh), rules.buy_collateral_ppm)


def order_fen(rules: SessionRules, order: Order) -> int:
    """What the open part of an order needs, in fen."""
    return collateral_fen(rules, order.side, order.price_myuan_mwh, order.open_kwh)


def fill(rules: SessionRules, order: Order, quantity_kwh: int, price_myuan_mwh: int) -> tuple[Order, int, int]:
    """The order after a trade; what of its collateral stays reserved for the trade, and what its open part needs, in fen."""
    after = replace(order, open_kwh=order.open_kwh - quantity_kwh)
    resting_fen = order_fen(rules, after) if after.open_kwh else 0
    given_up_fen = order_fen(rules, order) - resting_fen
    return after, min(given_up_fen, collateral_fen(rules, order.side, price_myuan_mwh, quantity_kwh)), resting_fen


def stand_for_order(ctx: BlockContext, order: Order, amount_fen: int) -> int:
    """Reserve for a new order; returns the free funds. Refuses: 4001, 4002, 4003."""
    return stand(ctx, order.owner_id, _order_purpose(order), amount_fen)


def stand(ctx: BlockContext, member_id: int, purpose: str, amount_fen: int) -> int:
    """Reserve for something new; returns the free funds. Refuses: 4001, 4002, 4003."""
    return funds.reserve(ctx, member_id, purpose, amount_fen)


def reserve_for_order(ctx: BlockContext, order: Order, amount_fen: int) -> None:
    """Set what an order that stands has reserved to at most what it has."""
    set_reserved(ctx, order.owner_id, _order_purpose(order), amount_fen)


def reserve_for_order_and_trades(ctx: BlockContext, order: Order, order_fen: int, trades_fen: int) -> int:
    """Set what an order that traded, and what its owner's trades of the session, have reserved; returns the free funds.

    Where nothing changes, the account may have been closed meanwhile.
    """
    wanted_fen = ((_order_purpose(order), order_fen), (_trades_purpose(order.session_id), trades_fen))
    return funds.reserve_each(ctx, order.owner_id, wanted_fen)


def reserve_for_trades(ctx: BlockContext, member_id: int, session_id: int, amount_fen: int) -> None:
    """Set what a member's trades of a live session have reserved."""
    set_reserved(ctx, member_id, _trades_purpose(session_id), amount_fen)


def reserve_for_agreement(ctx: BlockContext, member_id: int, agreement_id: int, amount_fen: int) -> None:
    """Set what one side of an agreement has reserved."""
    set_reserved(ctx, member_id, f"agreement:{agreement_id}", amount_fen)


def set_reserved(ctx: BlockContext, member_id: int, purpose: str, amount_fen: int) -> None:
    """Set what a member has reserved for a purpose to at most what the step before has left free."""
    # Where nothing changes, the account is left alone: with nothing reserved it may have been closed meanwhile.
    if funds.reserved(ctx, member_id, purpose) != amount_fen:
        funds.reserve(ctx, member_id, purpose, amount_fen)


def _order_purpose(order: Order) -> str:
    return f"order:{order.order_id}"


def _trades_purpose(session_id: int) -> str:
    return f"trades:{session_id}"


def free_fen(at: HasStore, member_id: int) -> int:
    """What a member's cash account has free. Refuses: 4001."""
    return funds.free_fen(at, funds.account_of(at, member_id))


def terms_fen(rules: SessionRules, side: Side, terms: Terms) -> int:
    """What one side of terms needs, in fen: the sum over the lines."""
    return sum(collateral_fen(rules, side, line.price_myuan_mwh, line.quantity_kwh) for line in terms.lines)


def reserved_fen(at: HasStore, member_id: int, purpose: str) -> int:
    """What a member has reserved for a purpose, in fen."""
    return funds.reserved(at, member_id, purpose)


def agreement_fen(at: HasStore, member_id: int, agreement_id: int) -> int:
    """What one side of an agreement has reserved, in fen."""
    return reserved_fen(at, member_id, f"agreement:{agreement_id}")


def release_collateral(ctx: BlockContext, agreement_id: int) -> None:
    """Free what both sides have reserved for an agreement, and the buyer's exposure. Refuses: 8001."""
    row = agreements.agreement(ctx, agreement_id)
    for member_id in (row.seller_id, row.buyer_id):
        reserve_for_agreement(ctx, member_id, agreement_id, 0)
    exposure.release(ctx, agreement_id, row.buyer_id)
