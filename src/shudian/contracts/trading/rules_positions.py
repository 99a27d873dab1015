"""Who may trade which side, and how much: positions stay within what a member's resources can generate or consume."""

from collections.abc import Mapping, Sequence
from typing import Final

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.identity import rules as identity
from shudian.contracts.resources import rules as resources
from shudian.contracts.roles import BUYING_KINDS, SELLING_KINDS
from shudian.contracts.trading.messages import POSITION_TOO_LARGE, SIDE_NOT_ALLOWED, SessionRules, Side
from shudian.contracts.trading.state import NEGOTIATIONS, SESSIONS, STAKES
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext
from shudian.kernel.units import SEGMENTS_PER_DAY, ceil_div, share

# Members at hand: to fetch one from its enumeration takes Python 3.11 as long as ten look-ups, and these are asked for with every order.
_BUY: Final = Side.BUY

KINDS: Final = {Side.BUY: BUYING_KINDS, Side.SELL: SELLING_KINDS}


def check_side(ctx: BlockContext, member_id: int, side: Side) -> None:
    """The member's kind trades on this side. Refuses: 3001, 9007."""
    if identity.member(ctx, member_id).kind not in KINDS[side]:
        raise SIDE_NOT_ALLOWED("side", side, " | ".join(KINDS[side]))


def check_room(
    ctx: BlockContext,
    rules: SessionRules,
    member_id: int,
    side: Side,
    period: tuple[int, int],
    wanted_kwh: Mapping[int, int],
    own_negotiation_id: int = 0,
) -> None:
    """In each segment, on every day of the period: what is taken + what is wanted <= capability in kW x 1 h x the limit.

    Taken: agreements, trades, open orders and listings of live sessions, and terms that the member has signed, but for
    ``own_negotiation_id``. Energy of a period counts per day as an equal share, rounded up. wanted_kwh: per segment, over the
    period. Refuses: 9013.
    """
    generate_kw, consume_kw = resources.capability_kw(ctx, member_id)
    limit_kwh = share(consume_kw if side is _BUY else generate_kw, rules.position_limit_ppm)
    first_day, last_day = period
    place = 0 if side is _BUY else 1
    agreed = [agreements.position_kwh(ctx, member_id, day)[place] for day in clock.days(first_day, last_day)]
    pending = _pending(ctx, member_id, side, period, own_negotiation_id)
    days_count = len(agreed)
    for segment, quantity_kwh in wanted_kwh.items():
        taken_kwh = max([segments_kwh[segment] for segments_kwh in agreed])
        for segments_kwh, count in pending:
            taken_kwh += ceil_div(segments_kwh[segment], count)
        if taken_kwh + ceil_div(quantity_kwh, days_count) > limit_kwh:
            allowed_kwh = max(0, limit_kwh - taken_kwh) * days_count
            raise POSITION_TOO_LARGE("quantity_kwh", quantity_kwh, f"<= {allowed_kwh}")


def _pending(
    ctx: BlockContext, member_id: int, side: Side, period: tuple[int, int], own_negotiation_id: int
) -> list[tuple[Sequence[int], int]]:
    """Energy per segment that the member may come to owe or be owed in the period, each with the days it spreads over."""
    first_day, last_day = period
    found: list[tuple[Sequence[int], int]] = []
    for (_, session_id, staked_side), stake in STAKES.range(ctx, member_id):
        session = SESSIONS.need(ctx, session_id)
        if staked_side == side and session.first_day <= last_day and first_day <= session.last_day:
            found.append((stake.exposed_kwh, _days_count(session.first_day, session.last_day)))
    for (negotiation_id,), row in NEGOTIATIONS.find(ctx, "by_buyer" if side is _BUY else "by_seller", member_id):
        terms = row.terms
        if negotiation_id != own_negotiation_id and terms.first_day <= last_day and first_day <= terms.last_day:
            segments_kwh = [0] * SEGMENTS_PER_DAY
            for line in terms.lines:
                segments_kwh[line.segment] += line.quantity_kwh
            found.append((segments_kwh, _days_count(terms.first_day, terms.last_day)))
    return found


def _days_count(first_day: int, last_day: int) -> int:
    return 1 if first_day == last_day else clock.days_between(first_day, last_day) + 1
