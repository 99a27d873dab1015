"""What every offer in a session passes: a live session, an open gate, lots and band, and room in the member's stake."""

from collections.abc import Mapping
from typing import Final

from shudian.contracts.trading import rules_numbers as numbers
from shudian.contracts.trading import rules_positions as positions
from shudian.contracts.trading.messages import (
    GATE_IS_CLOSED,
    ORDER_TOO_LARGE,
    ORDERS_TOO_MANY,
    QUANTITY_NOT_IN_LOTS,
    SEGMENT_NOT_OFFERED,
    SESSION_IS_OVER,
    SESSION_UNKNOWN,
    SessionRules,
    SessionState,
    Side,
)
from shudian.contracts.trading.state import SESSIONS, STAKES, Session, Stake
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.outcomes import both
from shudian.kernel.tables import HasStore
from shudian.kernel.units import SEGMENTS_PER_DAY, remainder

# Members at hand: to fetch one from its enumeration takes Python 3.11 as long as ten look-ups, and these are asked for with every order.
_LIVE: Final = SessionState.LIVE

_NO_STAKE: Final = Stake(0, (0,) * SEGMENTS_PER_DAY)


def live_session(at: HasStore, session_id: int) -> Session:
    """A session that has neither closed nor been cancelled. Refuses: 9001, 9002."""
    session = SESSIONS.get(at, session_id)
    if session is None:
        raise SESSION_UNKNOWN("session_id", session_id)
    if session.state is not _LIVE:
        raise SESSION_IS_OVER("session_id", session_id, SessionState.LIVE)
    return session


def check_gate(ctx: BlockContext, session: Session) -> None:
    """Refuses: 9006."""
    if not session.opens_ms <= ctx.market_ms < session.closes_ms:
        raise GATE_IS_CLOSED("market_ms", ctx.market_ms, f"{session.opens_ms}..{session.closes_ms - 1}")


def check_line(session: Session, segment: int, quantity_kwh: int, price_myuan_mwh: int) -> None:
    """Energy of one segment at a price fits the session. Refuses: 9008-9011."""
    rules = session.rules
    if segment not in session.segments:
        raise SEGMENT_NOT_OFFERED("segment", segment, " ".join(map(str, session.segments)))
    numbers.check_band(rules, price_myuan_mwh)
    check_lots(rules, quantity_kwh)
    if quantity_kwh > rules.order_max_kwh:
        raise ORDER_TOO_LARGE("quantity_kwh", quantity_kwh, f"<= {rules.order_max_kwh}")


def check_lots(rules: SessionRules, quantity_kwh: int) -> None:
    """Refuses: 9010."""
    if remainder(quantity_kwh, rules.lot_kwh):
        allowed = both(f"{rules.lot_kwh} 的整数倍", f"multiple of {rules.lot_kwh}")
        raise QUANTITY_NOT_IN_LOTS("quantity_kwh", quantity_kwh, allowed)


def stake_with_room(
    ctx: Context, session: Session, session_id: int, side: Side, wanted_kwh: Mapping[int, int]
) -> Stake:
    """The sender's stake in a session, if one more offer of ``wanted_kwh`` per segment fits. Refuses: 9012, 9013."""
    stake = STAKES.get(ctx, ctx.sender_id, session_id, side) or _NO_STAKE
    if stake.open_count >= session.rules.orders_max_count:
        raise ORDERS_TOO_MANY(
            "session_id",
            session_id,
            both(
                f"<= {session.rules.orders_max_count} 笔未成交申报", f"<= {session.rules.orders_max_count} open orders"
            ),
        )
    period = (session.first_day, session.last_day)
    positions.check_room(ctx, session.rules, ctx.sender_id, side, period, wanted_kwh)
    return stake


def stake_after(stake: Stake, more_count: int, more_kwh: Mapping[int, int]) -> Stake:
    """A stake with more open offers and more energy per segment exposed; negative numbers take away."""
    if not more_kwh:  # an order that was exposed before has traded
        return Stake(stake.open_count + more_count, stake.exposed_kwh)
    segments_kwh = list(stake.exposed_kwh)
    for segment, energy_kwh in more_kwh.items():
        segments_kwh[segment] += energy_kwh
    return Stake(stake.open_count + more_count, tuple(segments_kwh))
