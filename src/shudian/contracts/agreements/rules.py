"""What agreements decide: how one is born, what it delivers on a day, what that costs, and when its life moves on."""

from collections.abc import Sequence

from msgspec.structs import replace

from shudian.contracts.agreements.messages import (
    AGREEMENT_UNKNOWN,
    EVENTS,
    REFUSALS,
    Agreement,
    AgreementBorn,
    AgreementDelivered,
    AgreementDelivering,
    AgreementSettled,
    Explanation,
    SlotFacts,
    State,
    Terms,
)
from shudian.contracts.agreements.rules_curves import decompose as decompose
from shudian.contracts.agreements.rules_curves import share_of_day_kwh
from shudian.contracts.agreements.rules_curves import slots_kwh as slots_kwh
from shudian.contracts.agreements.state import AGREEMENTS, INVARIANTS, POSITIONS, TABLES, TERMS, Position
from shudian.kernel import check, clock
from shudian.kernel.codec import encode
from shudian.kernel.contract import BlockContext, Contract
from shudian.kernel.crypto import sha256
from shudian.kernel.tables import HasStore, next_id
from shudian.kernel.units import SEGMENTS_PER_DAY, energy_fen

_NO_ENERGY = (0,) * SEGMENTS_PER_DAY


def bear(ctx: BlockContext, terms: Terms, also: tuple[str, ...] = ()) -> int:
    """Make an agreement of terms that both sides are bound to; returns its id. Refuses nothing: the caller has checked.

    ``also``: further deeds on whose timeline its birth stands. Emits: AgreementBorn.
    """
    agreement_id = next_id(ctx, "agreements.agreement")
    terms_hash = sha256(encode(terms))
    row = Agreement(
        terms_version=terms.terms_version,
        terms_hash=terms_hash,
        seller_id=terms.seller_id,
        buyer_id=terms.buyer_id,
        method=terms.method,
        first_day=terms.first_day,
        last_day=terms.last_day,
        quantity_kwh=sum(line.quantity_kwh for line in terms.lines),
        state=State.EFFECTIVE,
    )
    AGREEMENTS.put(ctx, (agreement_id,), row)
    TERMS.put(ctx, (agreement_id,), terms)
    _add_to_positions(ctx, terms)
    ctx.emit(
        AgreementBorn(
            deed=_deed(agreement_id),
            parties=(terms.seller_id, terms.buyer_id),
            also=also,
            agreement_id=agreement_id,
            terms_hash=terms_hash,
            terms=terms,
        )
    )
    return agreement_id


def _add_to_positions(ctx: BlockContext, terms: Terms) -> None:
    for day in clock.days(terms.first_day, terms.last_day):
        delivered_kwh = _by_segment(terms, _lines_kwh(terms, day))
        buyer, seller = _position(ctx, terms.buyer_id, day), _position(ctx, terms.seller_id, day)
        bought_kwh, sold_kwh = _plus(buyer.bought_kwh, delivered_kwh), _plus(seller.sold_kwh, delivered_kwh)
        POSITIONS.put(ctx, (terms.buyer_id, day), Position(bought_kwh, buyer.sold_kwh))
        POSITIONS.put(ctx, (terms.seller_id, day), Position(seller.bought_kwh, sold_kwh))


def _position(at: HasStore, member_id: int, day: int) -> Position:
    return POSITIONS.get(at, member_id, day) or Position(_NO_ENERGY, _NO_ENERGY)


def _plus(left: Sequence[int], right: Sequence[int]) -> tuple[int, ...]:
    return tuple(map(int.__add__, left, right))


def _lines_kwh(terms: Terms, day: int) -> tuple[int, ...]:
    if not terms.first_day <= day <= terms.last_day:
        return (0,) * len(terms.lines)
    day_count = clock.days_between(terms.first_day, terms.last_day) + 1
    day_no = clock.days_between(terms.first_day, day)
    return tuple(share_of_day_kwh(line.quantity_kwh, day_count, day_no) for line in terms.lines)


def _by_segment(terms: Terms, lines_kwh: Sequence[int]) -> tuple[int, ...]:
    segments_kwh = list(_NO_ENERGY)
    for line, energy_kwh in zip(terms.lines, lines_kwh, strict=True):
        segments_kwh[line.segment] += energy_kwh
    return tuple(segments_kwh)


def _deed(agreement_id: int) -> str:
    return f"agreement:{agreement_id}"


def agreement(at: HasStore, agreement_id: int) -> Agreement:
    """An agreement as it stands. Refuses: 8001."""
    row = AGREEMENTS.get(at, agreement_id)
    if row is None:
        raise AGREEMENT_UNKNOWN("agreement_id", agreement_id)
    return row


def terms(at: HasStore, agreement_id: int) -> Terms:
    """What an agreement binds its sides to. Refuses: 8001."""
    row = TERMS.get(at, agreement_id)
    if row is None:
        raise AGREEMENT_UNKNOWN("agreement_id", agreement_id)
    return row


def day_lines_kwh(at: HasStore, agreement_id: int, day: int) -> tuple[int, ...]:
    """Energy of each line on a day: equal days, the residue on the first (domain 3.10); 0 outside the period.

    The sum over the days of the period is the line's quantity. Refuses: 8001.
    """
    return _lines_kwh(terms(at, agreement_id), day)


def day_segments_kwh(at: HasStore, agreement_id: int, day: int) -> tuple[int, ...]:
    """Energy of each of the 24 segments on a day. Refuses: 8001."""
    bound = terms(at, agreement_id)
    return _by_segment(bound, _lines_kwh(bound, day))


def price(bound: Terms, facts: SlotFacts) -> tuple[int, Explanation]:
    """What the energy of one line on one day costs the buyer, in fen, and why.

    The only place where agreements are priced. Fixed price: fen = kWh x price / 10,000, half away from zero, once per
    line and day; negative where the price is.

    >>> from shudian.contracts.agreements.messages import Line, Method
    >>> bound = Terms(1, 1, 2, Method.ROLLING, 1, "daily", 20260703, 20260703, "SC", (Line(14, 5_000, 210_000),))
    >>> price(bound, SlotFacts(20260703, 0, 5_000))[0]
    105000
    """
    line = bound.lines[facts.line_no]
    amount_fen = energy_fen(facts.energy_kwh, line.price_myuan_mwh)
    return amount_fen, Explanation("fixed", facts.energy_kwh, line.price_myuan_mwh, amount_fen, "half_away_from_zero")


def delivering_on(at: HasStore, day: int) -> list[int]:
    """Agreements whose period holds a day and that are not settled yet, by id."""
    return sorted(int(key[0]) for key, row in AGREEMENTS.due(at, "by_first_day", day) if row.last_day >= day)


def agreements_of(at: HasStore, member_id: int, day: int) -> list[int]:
    """Agreements in which a member sells or buys on a day and that are not settled yet, by id."""
    return sorted(
        int(key[0])
        for index in ("by_seller", "by_buyer")
        for key, row in AGREEMENTS.find(at, index, member_id)
        if row.first_day <= day <= row.last_day
    )


def position_kwh(at: HasStore, member_id: int, day: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What a member has bought and sold for a day by agreements, 24 segments each."""
    row = _position(at, member_id, day)
    return row.bought_kwh, row.sold_kwh


def mark_settled(ctx: BlockContext, agreement_id: int, deeds: tuple[str, ...] = ()) -> None:
    """Every bill line of a delivered agreement is paid; ``deeds`` are those that paid it.

    Emits: AgreementSettled. Refuses: 8001.
    """
    row = agreement(ctx, agreement_id)
    check.that(row.state is State.DELIVERED, "only what is delivered is settled")
    _move(ctx, agreement_id, row, State.SETTLED)
    ctx.emit(
        AgreementSettled(
            deed=_deed(agreement_id), parties=(row.seller_id, row.buyer_id), also=deeds, agreement_id=agreement_id
        )
    )


def _move(ctx: BlockContext, agreement_id: int, row: Agreement, state: State) -> None:
    AGREEMENTS.put(ctx, (agreement_id,), replace(row, state=state))


_NEXT: dict[State, tuple[State, type[AgreementDelivering | AgreementDelivered]]] = {
    State.EFFECTIVE: (State.DELIVERING, AgreementDelivering),
    State.DELIVERING: (State.DELIVERED, AgreementDelivered),
}


def move_on(ctx: BlockContext) -> None:
    """Block hook: agreements whose next day has come begin or end delivery.

    Emits: AgreementDelivering, AgreementDelivered.
    """
    today = clock.day_of(ctx.market_ms)
    # Twice, because one step of the clock may pass over a whole period.
    for _ in range(len(_NEXT)):
        for key, row in AGREEMENTS.due(ctx, "by_next_day", today):
            state, event = _NEXT[row.state]
            agreement_id = int(key[0])
            _move(ctx, agreement_id, row, state)
            parties = (row.seller_id, row.buyer_id)
            ctx.emit(event(deed=_deed(agreement_id), parties=parties, agreement_id=agreement_id))


CONTRACT = Contract(
    name="agreements",
    number=8,
    tables=TABLES,
    handlers={},
    events=EVENTS,
    refusals=REFUSALS,
    hooks=(move_on,),
    invariants=INVARIANTS,
)
