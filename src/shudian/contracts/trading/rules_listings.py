"""Listings 挂牌: posted at a price, taken at once by time or shared pro rata at the close (domain 3.4)."""

from collections.abc import Sequence

from msgspec.structs import replace

from shudian.contracts.agreements.messages import Method
from shudian.contracts.identity import rules as identity
from shudian.contracts.trading import rules_collateral as collateral
from shudian.contracts.trading import rules_exposure as exposure
from shudian.contracts.trading import rules_gates as gates
from shudian.contracts.trading import rules_positions as positions
from shudian.contracts.trading.messages import METHOD_DOES_NOT_FIT, SessionRules, Side, TakeRule
from shudian.contracts.trading.messages_events import TradeMade
from shudian.contracts.trading.messages_listings import (
    LISTING_IS_WHOLE,
    LISTING_OF_ANOTHER,
    LISTING_TOO_SMALL,
    LISTING_UNKNOWN,
    SIDE_NOT_LISTED,
    TAKES_ARE_WAITING,
    ListingEnd,
    ListingEnded,
    ListingPosted,
    ListingReply,
    ListingTaken,
    PostListing,
    TakeListing,
    TakePlaced,
    TakeReply,
    WithdrawListing,
)
from shudian.contracts.trading.state import (
    LISTINGS,
    OTHER_SIDE,
    SESSIONS,
    STAKES,
    TAKES,
    TRADES,
    Listing,
    Session,
    Stake,
    Take,
    Trade,
)
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.outcomes import both
from shudian.kernel.tables import HasStore, next_id
from shudian.kernel.units import energy_fen, split_largest_remainder


def post_listing(ctx: Context, message: PostListing) -> ListingReply:
    """Post energy at a price. Refuses: 3001, 4003, 5011, 9001, 9002, 9006-9013, 9018, 9043. Emits: ListingPosted."""
    session = gates.live_session(ctx, message.session_id)
    gates.check_gate(ctx, session)
    if session.method is not Method.LISTING:
        raise METHOD_DOES_NOT_FIT("session_id", message.session_id, Method.LISTING)
    positions.check_side(ctx, ctx.sender_id, message.side)
    if session.rules.listed_side not in ("", message.side):
        raise SIDE_NOT_LISTED("side", message.side, session.rules.listed_side)
    for line in message.lines:
        gates.check_line(session, line.segment, line.quantity_kwh, line.price_myuan_mwh)
    wanted_kwh = {line.segment: line.quantity_kwh for line in message.lines}
    stake = gates.stake_with_room(ctx, session, message.session_id, message.side, wanted_kwh)
    exposure.check_line(ctx, ctx.sender_id, message.side, message.lines)
    open_kwh = tuple(line.quantity_kwh for line in message.lines)
    row = Listing(message.session_id, ctx.sender_id, message.side, message.lines, open_kwh, message.all_or_none)
    listing_id = next_id(ctx, "trading.listing")
    needed_fen = _needed_fen(session.rules, row.side, row, open_kwh)
    free_fen = collateral.stand_in_session(
        ctx, ctx.sender_id, row.session_id, _deed(listing_id), needed_fen, needed_fen
    )
    # no refusal below this line
    LISTINGS.put(ctx, (listing_id,), row)
    _put_stake(ctx, ctx.sender_id, row.session_id, row.side, gates.stake_after(stake, 1, wanted_kwh))
    ctx.emit(
        ListingPosted(
            deed=_deed(listing_id),
            parties=(row.owner_id,),
            also=(f"session:{row.session_id}",),
            listing_id=listing_id,
            session_id=row.session_id,
            member_id=row.owner_id,
            side=row.side,
            lines=row.lines,
            all_or_none=row.all_or_none,
        )
    )
    return ListingReply(listing_id, sum(open_kwh), free_fen)


def _needed_fen(rules: SessionRules, side: Side, row: Listing, lines_kwh: Sequence[int]) -> int:
    """What one side of the listing's energy needs as collateral, in fen."""
    return sum(collateral.lines_fen(rules, side, row, lines_kwh))


def _deed(listing_id: int) -> str:
    return f"listing:{listing_id}"


def _put_stake(ctx: BlockContext, member_id: int, session_id: int, side: Side, stake: Stake) -> None:
    STAKES.put(ctx, (member_id, session_id, side), stake)


def _listing(at: HasStore, listing_id: int) -> Listing:
    row = LISTINGS.get(at, listing_id)
    if row is None:
        raise LISTING_UNKNOWN("listing_id", listing_id)
    return row


def listings_of(at: HasStore, session_id: int) -> list[tuple[int, Listing]]:
    """Listings of a session by id."""
    return [(int(key[0]), row) for key, row in LISTINGS.find(at, "by_session", session_id)]


def _by_segment(row: Listing, lines_kwh: Sequence[int], sign: int = 1) -> dict[int, int]:
    return {line.segment: sign * energy_kwh for line, energy_kwh in zip(row.lines, lines_kwh, strict=True)}


def take_listing(ctx: Context, message: TakeListing) -> TakeReply:
    """Take energy of a listing: at once, or to be shared at the close, as the session's rule says.

    Refuses: 3001, 4003, 5011, 9002, 9006, 9007, 9010, 9012, 9013, 9041, 9044, 9045. Emits: ListingTaken and TradeMade per hour, or TakePlaced.
    """
    row = _listing(ctx, message.listing_id)
    session = gates.live_session(ctx, row.session_id)
    gates.check_gate(ctx, session)
    side = OTHER_SIDE[row.side]
    positions.check_side(ctx, ctx.sender_id, side)
    gates.check_lots(session.rules, message.quantity_kwh)
    left_kwh = sum(row.open_kwh)
    if message.quantity_kwh > left_kwh:
        raise LISTING_TOO_SMALL("quantity_kwh", message.quantity_kwh, f"<= {left_kwh}")
    if row.all_or_none and message.quantity_kwh != left_kwh:
        raise LISTING_IS_WHOLE("quantity_kwh", message.quantity_kwh, left_kwh)
    lines_kwh = split_largest_remainder(message.quantity_kwh, row.open_kwh, session.rules.lot_kwh)
    stake = gates.stake_with_room(ctx, session, row.session_id, side, _by_segment(row, lines_kwh))
    parts = zip(row.lines, lines_kwh, strict=True)
    exposure.check_line(ctx, ctx.sender_id, side, [replace(line, quantity_kwh=kwh) for line, kwh in parts])
    take_id = next_id(ctx, "trading.take")
    needed_fen = _needed_fen(session.rules, side, row, lines_kwh)
    collateral.stand_in_session(ctx, ctx.sender_id, row.session_id, _deed(message.listing_id), needed_fen, needed_fen)
    # no refusal below this line
    take = Take(ctx.sender_id, tuple(lines_kwh))
    stake = gates.stake_after(stake, 1, _by_segment(row, lines_kwh))
    _put_stake(ctx, ctx.sender_id, row.session_id, side, stake)
    TAKES.put(ctx, (message.listing_id, take_id), take)
    if session.rules.take_rule is TakeRule.TIME:
        value_fen = _fill(ctx, session, message.listing_id, take_id, lines_kwh)
        taken_kwh, waiting_kwh = message.quantity_kwh, 0
    else:
        _tell_take(ctx, message.listing_id, take_id, row, take)
        value_fen, taken_kwh, waiting_kwh = 0, 0, message.quantity_kwh
    return TakeReply(take_id, taken_kwh, waiting_kwh, value_fen, collateral.free_fen(ctx, ctx.sender_id))


def _tell_take(ctx: BlockContext, listing_id: int, take_id: int, row: Listing, take: Take) -> None:
    ctx.emit(
        TakePlaced(
            deed=_deed(listing_id),
            parties=(take.owner_id,),
            also=(f"session:{row.session_id}",),
            listing_id=listing_id,
            take_id=take_id,
            member_id=take.owner_id,
            quantity_kwh=sum(take.lines_kwh),
        )
    )


def _drop_take(ctx: BlockContext, session: Session, listing_id: int, take_id: int, row: Listing, take: Take) -> None:
    """A take waits no longer: it leaves the stake, and its collateral is free."""
    side = OTHER_SIDE[row.side]
    _leave_stake(ctx, listing_id, take_id, row, take)
    freed_fen = _needed_fen(session.rules, side, row, take.lines_kwh)
    collateral.give_back(ctx, take.owner_id, row.session_id, _deed(listing_id), freed_fen)


def _leave_stake(ctx: BlockContext, listing_id: int, take_id: int, row: Listing, take: Take) -> None:
    TAKES.delete(ctx, listing_id, take_id)
    side = OTHER_SIDE[row.side]
    stake = STAKES.need(ctx, take.owner_id, row.session_id, side)
    stake = gates.stake_after(stake, -1, _by_segment(row, take.lines_kwh, -1))
    _put_stake(ctx, take.owner_id, row.session_id, side, stake)


def _fill(ctx: BlockContext, session: Session, listing_id: int, take_id: int, lines_kwh: Sequence[int]) -> int:
    """A take gets energy of each line: trades are made, collateral follows; returns their value in fen.

    The owner's trades keep exactly what the listing gives up, the taker's never more than the take does, so nothing here can fall short.
    """
    row, take = LISTINGS.need(ctx, listing_id), TAKES.need(ctx, listing_id, take_id)
    rules, side = session.rules, OTHER_SIDE[row.side]
    left_kwh = tuple(map(int.__sub__, row.open_kwh, lines_kwh))
    before_fen, after_fen = (
        collateral.lines_fen(rules, row.side, row, energy_kwh) for energy_kwh in (row.open_kwh, left_kwh)
    )
    given_fen = list(map(int.__sub__, before_fen, after_fen))
    take_fen = _needed_fen(rules, side, row, take.lines_kwh)
    _leave_stake(ctx, listing_id, take_id, row, take)
    value_fen = 0
    taken_fen = 0
    for line, energy_kwh, owner_fen in zip(row.lines, lines_kwh, given_fen, strict=True):
        if not energy_kwh:
            continue
        taker_fen = min(take_fen - taken_fen, collateral.collateral_fen(rules, side, line.price_myuan_mwh, energy_kwh))
        buyer, seller = (take.owner_id, taker_fen), (row.owner_id, owner_fen)
        if side is Side.SELL:
            buyer, seller = seller, buyer
        trade = Trade(line.segment, buyer[0], seller[0], line.price_myuan_mwh, energy_kwh, buyer[1], seller[1])
        value_fen += _trade(ctx, listing_id, row.session_id, trade, side)
        taken_fen += taker_fen
    # What the owner trades was exposed as a listing before; what the taker trades is exposed anew.
    stake = STAKES.need(ctx, take.owner_id, row.session_id, side)
    _put_stake(ctx, take.owner_id, row.session_id, side, gates.stake_after(stake, 0, _by_segment(row, lines_kwh)))
    collateral.give_back(ctx, take.owner_id, row.session_id, _deed(listing_id), take_fen - taken_fen)
    row = replace(row, open_kwh=left_kwh)
    ctx.emit(
        ListingTaken(
            deed=_deed(listing_id),
            parties=(row.owner_id, take.owner_id),
            also=(f"session:{row.session_id}",),
            listing_id=listing_id,
            take_id=take_id,
            member_id=take.owner_id,
            asked_kwh=sum(take.lines_kwh),
            taken_kwh=sum(lines_kwh),
            open_kwh=sum(left_kwh),
        )
    )
    if any(left_kwh):
        LISTINGS.put(ctx, (listing_id,), row)
    else:
        _leave(ctx, session, listing_id, row, ListingEnd.TAKEN)
    return value_fen


def _trade(ctx: BlockContext, listing_id: int, session_id: int, trade: Trade, taker_side: Side) -> int:
    """Write and tell one trade of a listing; returns its value in fen."""
    trade_id = next_id(ctx, "trading.trade")
    TRADES.put(ctx, (session_id, trade_id), trade)
    value_fen = energy_fen(trade.quantity_kwh, trade.price_myuan_mwh)
    ctx.emit(
        TradeMade(
            deed=_deed(listing_id),
            parties=(trade.seller_id, trade.buyer_id),
            also=(f"session:{session_id}",),
            trade_id=trade_id,
            session_id=session_id,
            method=Method.LISTING,
            segment=trade.segment,
            buy_order_id=0,
            sell_order_id=0,
            buyer_id=trade.buyer_id,
            seller_id=trade.seller_id,
            taker_side=taker_side,
            price_myuan_mwh=trade.price_myuan_mwh,
            quantity_kwh=trade.quantity_kwh,
            value_fen=value_fen,
            buy_limit_myuan_mwh=trade.price_myuan_mwh,
            sell_limit_myuan_mwh=trade.price_myuan_mwh,
            buy_open_kwh=0,
            sell_open_kwh=0,
        )
    )
    return value_fen


def _leave(ctx: BlockContext, session: Session, listing_id: int, row: Listing, end: ListingEnd) -> None:
    """Take what is left of a listing out of the state and free its collateral. Emits: ListingEnded."""
    LISTINGS.delete(ctx, listing_id)
    stake = STAKES.need(ctx, row.owner_id, row.session_id, row.side)
    stake = gates.stake_after(stake, -1, _by_segment(row, row.open_kwh, -1))
    _put_stake(ctx, row.owner_id, row.session_id, row.side, stake)
    freed_fen = _needed_fen(session.rules, row.side, row, row.open_kwh)
    collateral.give_back(ctx, row.owner_id, row.session_id, _deed(listing_id), freed_fen)
    ctx.emit(
        ListingEnded(
            deed=_deed(listing_id),
            parties=(row.owner_id,),
            also=(f"session:{row.session_id}",),
            listing_id=listing_id,
            session_id=row.session_id,
            open_kwh=sum(row.open_kwh),
            end=end,
        )
    )


def withdraw_listing(ctx: Context, message: WithdrawListing) -> ListingReply:
    """Withdraw what is left of one's own listing. Refuses: 9002, 9006, 9041, 9042, 9046. Emits: ListingEnded."""
    row = _listing(ctx, message.listing_id)
    if row.owner_id != ctx.sender_id:
        raise LISTING_OF_ANOTHER("listing_id", message.listing_id)
    session = gates.live_session(ctx, row.session_id)
    gates.check_gate(ctx, session)
    takes_count = len(list(TAKES.range(ctx, message.listing_id)))
    if takes_count:
        raise TAKES_ARE_WAITING("listing_id", both(f"{takes_count} 笔摘牌", f"{takes_count} takes"), 0)
    # no refusal below this line
    end_listing(ctx, session, message.listing_id, row, ListingEnd.WITHDRAWN)
    return ListingReply(message.listing_id, sum(row.open_kwh), collateral.free_fen(ctx, row.owner_id))


def end_listing(ctx: BlockContext, session: Session, listing_id: int, row: Listing, end: ListingEnd) -> None:
    """Take a listing and the takes that wait for it out of its session. Emits: ListingEnded."""
    for key, take in list(TAKES.range(ctx, listing_id)):
        _drop_take(ctx, session, listing_id, int(key[1]), row, take)
    _leave(ctx, session, listing_id, row, end)


def share_listings(ctx: BlockContext, session_id: int, session: Session) -> None:
    """At the close: waiting takes get their shares, and what is left of the listings expires.

    Where takes want more than is listed, each gets its share in lots, the remainder to the largest fractions, then to the earliest
    (domain 3.4, 按比例). Emits: ListingTaken, TradeMade, ListingEnded.
    """
    for listing_id, row in listings_of(ctx, session_id):
        takes = {int(key[1]): sum(take.lines_kwh) for key, take in TAKES.range(ctx, listing_id)}
        got = dict(takes)
        if sum(takes.values()) > sum(row.open_kwh):
            shares = split_largest_remainder(sum(row.open_kwh), list(takes.values()), session.rules.lot_kwh)
            got = dict(zip(takes, shares, strict=True))
        for take_id, energy_kwh in got.items():
            if energy_kwh:
                open_kwh = LISTINGS.need(ctx, listing_id).open_kwh
                lines_kwh = split_largest_remainder(energy_kwh, open_kwh, session.rules.lot_kwh)
                _fill(ctx, session, listing_id, take_id, lines_kwh)
            else:
                _drop_take(ctx, session, listing_id, take_id, row, TAKES.need(ctx, listing_id, take_id))
        left = LISTINGS.get(ctx, listing_id)
        if left is not None:
            end_listing(ctx, session, listing_id, left, ListingEnd.EXPIRED)


def withdraw_listings_of_barred(ctx: BlockContext) -> None:
    """Block hook: listings and waiting takes of members that are suspended, frozen or gone end. Emits: ListingEnded."""
    barred = identity.barred(ctx)
    if not barred:
        return
    for key, row in list(LISTINGS.range(ctx)):
        listing_id = int(key[0])
        session = SESSIONS.need(ctx, row.session_id)
        if row.owner_id in barred:
            end_listing(ctx, session, listing_id, row, ListingEnd.MEMBER_BARRED)
            continue
        for (_, take_id), take in list(TAKES.range(ctx, listing_id)):
            if take.owner_id in barred:
                _drop_take(ctx, session, listing_id, int(take_id), row, take)
