"""What agreements decide: what one costs, who has which, and when its life moves on; birth, days and transfers stand beside it."""

from msgspec.structs import replace

from shudian.contracts.agreements.messages import (
    EVENTS,
    REFUSALS,
    Agreement,
    AgreementDelivered,
    AgreementDelivering,
    AgreementSettled,
    Explanation,
    GreenTerms,
    SlotFacts,
    State,
    Terms,
)
from shudian.contracts.agreements.rules_birth import bear as bear
from shudian.contracts.agreements.rules_birth import deed_of
from shudian.contracts.agreements.rules_birth import hash_of as hash_of
from shudian.contracts.agreements.rules_curves import decompose as decompose
from shudian.contracts.agreements.rules_curves import slots_kwh as slots_kwh
from shudian.contracts.agreements.rules_days import agreement as agreement
from shudian.contracts.agreements.rules_days import day_lines_kwh as day_lines_kwh
from shudian.contracts.agreements.rules_days import day_segments_kwh as day_segments_kwh
from shudian.contracts.agreements.rules_days import day_slots_kwh as day_slots_kwh
from shudian.contracts.agreements.rules_days import position_kwh as position_kwh
from shudian.contracts.agreements.rules_days import terms as terms
from shudian.contracts.agreements.rules_transfers import child_terms as child_terms
from shudian.contracts.agreements.rules_transfers import movable_kwh as movable_kwh
from shudian.contracts.agreements.rules_transfers import open_kwh as open_kwh
from shudian.contracts.agreements.rules_transfers import transfer as transfer
from shudian.contracts.agreements.state import AGREEMENTS, INVARIANTS, TABLES
from shudian.kernel import check, clock
from shudian.kernel.contract import BlockContext, Contract
from shudian.kernel.tables import HasStore
from shudian.kernel.units import energy_fen


def green_of(at: HasStore, agreement_id: int) -> GreenTerms | None:
    """The green terms of an agreement, None if it is no green one. Refuses: 8001."""
    return terms(at, agreement_id).green


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


def mark_settled(ctx: BlockContext, agreement_id: int, deeds: tuple[str, ...] = ()) -> None:
    """Every bill line of a delivered agreement is paid; ``deeds`` are those that paid it.

    Emits: AgreementSettled. Refuses: 8001.
    """
    row = agreement(ctx, agreement_id)
    check.that(row.state is State.DELIVERED, "only what is delivered is settled")
    _move(ctx, agreement_id, row, State.SETTLED)
    ctx.emit(
        AgreementSettled(
            deed=deed_of(agreement_id), parties=(row.seller_id, row.buyer_id), also=deeds, agreement_id=agreement_id
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

    Emits: AgreementDelivering, AgreementDelivered, and AgreementSettled where transfers have left nothing to bill.
    """
    today = clock.day_of(ctx.market_ms)
    # Twice, because one step of the clock may pass over a whole period.
    for _ in range(len(_NEXT)):
        for key, row in AGREEMENTS.due(ctx, "by_next_day", today):
            state, event = _NEXT[row.state]
            agreement_id = int(key[0])
            _move(ctx, agreement_id, row, state)
            parties = (row.seller_id, row.buyer_id)
            ctx.emit(event(deed=deed_of(agreement_id), parties=parties, agreement_id=agreement_id))
            if state is State.DELIVERED and not any(open_kwh(ctx, agreement_id)):
                mark_settled(ctx, agreement_id)


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
