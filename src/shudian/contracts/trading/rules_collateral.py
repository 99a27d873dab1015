"""Collateral 保证金: what stands behind orders, trades and agreements, as reservations of the members' own money.

All that a member has in a session, its open orders, listings, waiting takes and trades, stands behind one reservation, ``session:ID``,
which moves with their sum. When the session closes, what its trades keep moves to ``agreement:ID``; so does a negotiation's from
``negotiation:ID``; and with the energy of a transfer it moves from one agreement to the other. No step after the first can need more
than is reserved.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import Terms
from shudian.contracts.funds import rules as funds
from shudian.contracts.trading import rules_exposure as exposure
from shudian.contracts.trading.messages import SessionRules, Side
from shudian.contracts.trading.state import (
    LISTINGS,
    ORDERS,
    OTHER_SIDE,
    SESSIONS,
    STAKES,
    TAKES,
    TRADES,
    Listing,
    Order,
)
from shudian.kernel import check
from shudian.kernel.contract import BlockContext, StateInvariant
from shudian.kernel.tables import HasStore, number_in
from shudian.kernel.units import energy_fen, share

# Members at hand: to fetch one from its enumeration takes Python 3.11 as long as ten look-ups, and these are asked for with every order.
_BUY: Final = Side.BUY
_SELL: Final = Side.SELL

_SESSION: Final = "session:"


def collateral_fen(rules: SessionRules, side: Side, price_myuan_mwh: int, quantity_kwh: int) -> int:
    """What a quantity at a price needs, in fen, each product rounded half away from zero.

    Buyer: a share of the value, at least at the floor price. Seller: an amount per energy, whatever the price.
    """
    if side is _SELL:
        return energy_fen(quantity_kwh, rules.sell_collateral_myuan_mwh)
    valued_at_myuan_mwh = max(price_myuan_mwh, rules.buy_collateral_floor_myuan_mwh)
    return share(energy_fen(quantity_kwh, valued_at_myuan_mwh), rules.buy_collateral_ppm)


def order_fen(rules: SessionRules, order: Order) -> int:
    """What the open part of an order needs, in fen."""
    return collateral_fen(rules, order.side, order.price_myuan_mwh, order.open_kwh)


def lines_fen(rules: SessionRules, side: Side, row: Listing, lines_kwh: Sequence[int]) -> list[int]:
    """What one side of a listing's energy needs, per line, in fen."""
    return [
        collateral_fen(rules, side, line.price_myuan_mwh, energy_kwh)
        for line, energy_kwh in zip(row.lines, lines_kwh, strict=True)
    ]


def fill(
    rules: SessionRules, order: Order, reserved_fen: int, quantity_kwh: int, price_myuan_mwh: int
) -> tuple[Order, int, int]:
    """The order after a trade; what its open part needs, and what the trade keeps of the collateral that it gives up, in fen.

    reserved_fen: what its open part needed before.
    """
    after = replace(order, open_kwh=order.open_kwh - quantity_kwh)
    if not after.open_kwh and price_myuan_mwh == order.price_myuan_mwh:
        return after, 0, reserved_fen
    open_fen = order_fen(rules, after) if after.open_kwh else 0
    traded_fen = collateral_fen(rules, order.side, price_myuan_mwh, quantity_kwh)
    return after, open_fen, min(reserved_fen - open_fen, traded_fen)


def stand_in_session(
    ctx: BlockContext, member_id: int, session_id: int, deed: str, more_fen: int, whole_fen: int
) -> int:
    """Reserve for something new in a session, which has to fit whole, and of which ``more_fen`` is needed; returns the free funds.

    deed: ``order:12``. Refuses: 4001, 4002, 4003. Emits: FundsReserved.
    """
    return funds.reserve_more(ctx, member_id, session_deed(session_id), deed, more_fen, whole_fen)


def give_back(ctx: BlockContext, member_id: int, session_id: int, deed: str, freed_fen: int) -> None:
    """Free a part of what a member has reserved in a session. Emits: FundsReserved."""
    # Where nothing changes, the account is left alone: with nothing reserved it may have been closed meanwhile.
    if freed_fen:
        funds.reserve_more(ctx, member_id, session_deed(session_id), deed, -freed_fen, 0)


def free_session(ctx: BlockContext, member_id: int, session_id: int) -> None:
    """Free all that a member has reserved in a session. Emits: FundsReserved."""
    set_reserved(ctx, member_id, session_deed(session_id), 0)


def session_deed(session_id: int) -> str:
    """The deed of a session, for which its members' collateral is reserved."""
    return f"{_SESSION}{session_id}"


def stand(ctx: BlockContext, member_id: int, purpose: str, amount_fen: int) -> int:
    """Reserve for something new; returns the free funds. Refuses: 4001, 4002, 4003."""
    return funds.reserve(ctx, member_id, purpose, amount_fen)


def reserve_for_agreement(ctx: BlockContext, member_id: int, agreement_id: int, amount_fen: int) -> None:
    """Set what one side of an agreement has reserved."""
    set_reserved(ctx, member_id, f"agreement:{agreement_id}", amount_fen)


def set_reserved(ctx: BlockContext, member_id: int, purpose: str, amount_fen: int) -> None:
    """Set what a member has reserved for a purpose to at most what the step before has left free."""
    # Where nothing changes, the account is left alone: with nothing reserved it may have been closed meanwhile.
    if funds.reserved(ctx, member_id, purpose) != amount_fen:
        funds.reserve(ctx, member_id, purpose, amount_fen)


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


class _Sums:
    """What a member has in a session on one side. count: what waits. energy_kwh, need_fen: of that and of its trades."""

    def __init__(self) -> None:
        self.count = 0
        self.energy_kwh = 0
        self.need_fen = 0


_NOTHING: Final = _Sums()
_ByMember = dict[int, _Sums]


class _AtStake:
    """The sums over all open orders, listings, waiting takes and trades of a session, by member and side."""

    def __init__(self, rules: SessionRules) -> None:
        self.rules = rules
        self.bought: _ByMember = {}
        self.sold: _ByMember = {}

    def of(self, side: str) -> _ByMember:
        return self.sold if side == _SELL else self.bought


def _at_stake(ctx: BlockContext) -> dict[int, _AtStake]:
    """By session."""
    found = {number_in(key): _AtStake(session.rules) for key, session in SESSIONS.every(ctx)}
    for _, order in ORDERS.every(ctx):
        session = _session(found, order.session_id)
        _add(session.of(order.side), order.owner_id, 1, order.open_kwh, order_fen(session.rules, order))
    for key, row in LISTINGS.every(ctx):
        session, side = _session(found, row.session_id), row.side
        open_fen = sum(lines_fen(session.rules, side, row, row.open_kwh))
        _add(session.of(side), row.owner_id, 1, sum(row.open_kwh), open_fen)
        other = OTHER_SIDE[side]
        for _, take in TAKES.range(ctx, *key):
            taken_fen = sum(lines_fen(session.rules, other, row, take.lines_kwh))
            _add(session.of(other), take.owner_id, 1, sum(take.lines_kwh), taken_fen)
    for key, trade in TRADES.every(ctx):
        session, energy_kwh = _session(found, number_in(key, 0)), trade.quantity_kwh
        _add(session.bought, trade.buyer_id, 0, energy_kwh, trade.buyer_collateral_fen)
        _add(session.sold, trade.seller_id, 0, energy_kwh, trade.seller_collateral_fen)
    return found


def _session(found: dict[int, _AtStake], session_id: int) -> _AtStake:
    session = found.get(session_id)
    if session is None:
        message = f"session {session_id} exists"
        raise check.CheckFailed(message)
    return session


def _add(found: _ByMember, member_id: int, count: int, energy_kwh: int, need_fen: int) -> None:
    sums = found.get(member_id)
    if sums is None:
        sums = found[member_id] = _Sums()
    sums.count += count
    sums.energy_kwh += energy_kwh
    sums.need_fen += need_fen


def _stakes_and_reservations_sum_up(ctx: BlockContext) -> bool:
    """Each stake counts what its member has in a session on its side, and exactly what that needs is reserved for the session."""
    at_stake = _at_stake(ctx)
    needed_fen: defaultdict[tuple[int, str], int] = defaultdict(int)
    for key, stake in STAKES.every(ctx):
        member_id, session_id = number_in(key, 0), number_in(key, 1)
        sums = _session(at_stake, session_id).of(str(key[2])).pop(member_id, _NOTHING)
        if sums.count != stake.open_count or sums.energy_kwh != sum(stake.exposed_kwh):
            return False
        if sums.need_fen:
            needed_fen[member_id, session_deed(session_id)] += sums.need_fen
    found_fen = {
        (owner_id, purpose): amount_fen
        for owner_id, purpose, amount_fen in funds.reservations(ctx)
        if purpose.startswith(_SESSION)
    }
    left = any(session.bought or session.sold for session in at_stake.values())
    return not left and found_fen == needed_fen


INVARIANT = StateInvariant(
    "stakes, and what is reserved for sessions = open orders, listings, takes + trades", _stakes_and_reservations_sum_up
)
