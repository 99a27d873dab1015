"""The lines of a month 月结: who owes whom how much and why; and the verbs by which lines and statements are looked up."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import Code
from shudian.contracts.governance import rules as governance
from shudian.contracts.identity import rules as identity
from shudian.contracts.resources import rules as resources
from shudian.contracts.resources.messages import Resource, ResourceState, TariffClass
from shudian.contracts.roles import Kind
from shudian.contracts.settlement.messages import LINE_UNKNOWN, REGULATION_PRICES_MISSING, STATEMENT_UNKNOWN
from shudian.contracts.settlement.messages_facts import (
    BillLine,
    Formula,
    LineExplanation,
    LineKind,
    LineState,
    RuleCode,
    Statement,
)
from shudian.contracts.settlement.rules_days import rules_of_month
from shudian.contracts.settlement.rules_formulas import amount_fen, explain, f4_band
from shudian.contracts.settlement.state import (
    ACCRUALS,
    DAY_BILLS,
    LINES,
    LOAD_ACCRUALS,
    REGULATION_PRICES,
    STATEMENTS,
    Accrual,
    DayBill,
)
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext
from shudian.kernel.tables import HasStore, Key
from shudian.kernel.units import round_half_away, split_largest_remainder

_LEDGERS = {LineKind.LEVY: Code.LEVY, LineKind.OVER_USE: Code.DEVIATION, LineKind.ASSESSMENT: Code.DEVIATION}
"""Lines whose money goes to a ledger of the grid company instead of its cash."""


def line(at: HasStore, line_id: int) -> BillLine:
    """A line as it stands. Refuses: 10016."""
    row = LINES.get(at, line_id)
    if row is None:
        raise LINE_UNKNOWN("line_id", line_id)
    return row


def statement(at: HasStore, statement_id: int) -> Statement:
    """A statement as it stands. Refuses: 10012."""
    row = STATEMENTS.get(at, statement_id)
    if row is None:
        raise STATEMENT_UNKNOWN("statement_id", statement_id)
    return row


def statement_of(at: HasStore, member_id: int, month: int) -> tuple[int, Statement] | None:
    """The id and the statement of a member's month, or None if it is not issued."""
    for key, row in STATEMENTS.find(at, "by_member", member_id, month):
        return _id(key), row
    return None


def lines_of(at: HasStore, member_id: int, month: int) -> list[tuple[int, BillLine]]:
    """(line_id, line) of a member's month on either side, corrected ones too, by id."""
    found = [
        (_id(key), row) for side in ("by_payer", "by_payee") for key, row in LINES.find(at, side, member_id, month)
    ]
    return sorted(found, key=lambda item: item[0])


def payee(at: HasStore, row: BillLine) -> int:
    """The account that a line's money goes to: a ledger of the grid company for levies and F4 deviation, else cash. Refuses: 4001."""
    return funds.account_of(at, row.payee_id, _LEDGERS.get(row.kind, Code.CASH))


def _id(key: Key) -> int:
    return key[-1]  # type: ignore[return-value] # line_id and statement_id are integer columns


@dataclass(frozen=True)
class _Month:
    """What all lines of a month have in common."""

    month: int
    first_day: int
    grid_id: int
    rules: Mapping[Kind, RuleCode]


def lines_of_month(at: BlockContext, month: int) -> Iterator[BillLine]:
    """All lines of a month whose days are cleared: energy by buyer, deviation and grid fees by member, each exactly once.

    Refuses: 2003, 3005, 10006, 10008.
    """
    common = _Month(
        month, clock.month_first_day(month), identity.the_only(at, Kind.GRID_COMPANY), rules_of_month(at, month)
    )
    bills: dict[int, list[tuple[int, DayBill]]] = {}
    for key, bill in DAY_BILLS.range(at, month):
        bills.setdefault(int(key[1]), []).append((int(key[2]), bill))
    purchases: dict[int, list[tuple[int, Accrual]]] = {}
    for key, accrual in ACCRUALS.range(at, month):
        purchases.setdefault(accrual.buyer_id, []).append((_id(key), accrual))
    for member_id, days in bills.items():
        bought, loads = purchases.get(member_id, []), _loads(at, month, member_id)
        rule = common.rules.get(identity.member(at, member_id).kind)
        if rule is RuleCode.MONTHLY_BAND:
            yield from _band_lines(at, common, member_id, bought, days, loads)
        else:
            yield from (_energy_line(common, agreement_id, accrual) for agreement_id, accrual in bought)
            yield from _deviation_lines(common, member_id, days)
        yield from _fee_lines(at, common, member_id, loads)


def _new(
    month: int,
    kind: LineKind,
    sides: tuple[int, int],
    energy_kwh: int,
    explanation: LineExplanation,
    *,
    agreement_id: int = 0,
    resource_id: int = 0,
) -> BillLine:
    """A line whose amount comes from its explanation; a negative one is owed the other way round, so its energy turns too."""
    owed_fen = amount_fen(explanation)
    if owed_fen < 0:
        sides, energy_kwh = sides[::-1], -energy_kwh
    return BillLine(month, kind, *sides, abs(owed_fen), energy_kwh, agreement_id, resource_id, explanation)


def _energy_line(common: _Month, agreement_id: int, accrual: Accrual) -> BillLine:
    explanation = explain(Formula.SUM_OF_DAYS, (common.first_day, *accrual.daily_fen))
    sides = (accrual.buyer_id, accrual.seller_id)
    return _new(common.month, LineKind.ENERGY, sides, accrual.energy_kwh, explanation, agreement_id=agreement_id)


def _deviation_lines(common: _Month, member_id: int, days: Sequence[tuple[int, DayBill]]) -> Iterator[BillLine]:
    """F1 and F2: the month's deviation is the sum of its day bills; the other side is the grid company."""
    if member_id == common.grid_id:
        return
    for kind, energy, money in (
        (LineKind.DAY_AHEAD, "day_ahead_kwh", "day_ahead_fen"),
        (LineKind.DEVIATION, "deviation_kwh", "deviation_fen"),
    ):
        by_day = {day: getattr(bill, money) for day, bill in days}
        if any(by_day.values()):
            month_days = clock.days(common.first_day, clock.month_last_day(common.month))
            daily_fen = (by_day.get(day, 0) for day in month_days)
            explanation = explain(Formula.SUM_OF_DAYS, (common.first_day, *daily_fen))
            energy_kwh = sum(getattr(bill, energy) for _, bill in days)
            yield _new(common.month, kind, (member_id, common.grid_id), energy_kwh, explanation)


def _band_lines(
    at: BlockContext,
    common: _Month,
    member_id: int,
    bought: Sequence[tuple[int, Accrual]],
    days: Sequence[tuple[int, DayBill]],
    loads: Sequence[tuple[int, Resource, int]],
) -> Iterator[BillLine]:
    """F4: metered energy within the band goes to the agreements by contract quantity, the rest to the deviation ledger."""
    metered_kwh = sum(bill.load_kwh for _, bill in days)
    contract_kwh = sum(accrual.energy_kwh for _, accrual in bought)
    contract_fen = sum(sum(accrual.daily_fen) for _, accrual in bought)
    over_ppm, under_ppm, assessment_ppm = (
        governance.setting(at, f"settlement.f4_{name}_ppm", common.first_day)
        for name in ("over", "under", "assessment")
    )
    band = f4_band(contract_kwh, metered_kwh, over_ppm, under_ppm)
    weights = [accrual.energy_kwh for _, accrual in bought]
    shares_kwh = split_largest_remainder(band.at_contract_kwh, weights) if contract_kwh else weights
    for (agreement_id, accrual), settled_kwh in zip(bought, shares_kwh, strict=True):
        values = (settled_kwh, accrual.energy_kwh, sum(accrual.daily_fen))
        sides = (member_id, accrual.seller_id)
        explanation = explain(Formula.F4_CONTRACT, values)
        yield _new(common.month, LineKind.ENERGY, sides, settled_kwh, explanation, agreement_id=agreement_id)
    if not band.over_kwh and not band.short_kwh:
        return
    prices = REGULATION_PRICES.get(at, common.month)
    if prices is None:
        raise REGULATION_PRICES_MISSING("month", common.month)
    to_grid = (member_id, common.grid_id)
    if band.over_kwh:
        values = (band.over_kwh, prices.up_myuan_mwh, prices.increment_top_myuan_mwh)
        yield _new(common.month, LineKind.OVER_USE, to_grid, band.over_kwh, explain(Formula.F4_OVER, values))
    elif not prices.down_called:
        transmission_e8yuan_kwh = _mean_transmission_e8yuan_kwh(at, common, loads)
        short = (band.short_kwh, assessment_ppm, contract_kwh, contract_fen, transmission_e8yuan_kwh)
        yield _new(common.month, LineKind.ASSESSMENT, to_grid, band.short_kwh, explain(Formula.F4_SHORT, short))


def _loads(at: BlockContext, month: int, owner_id: int) -> list[tuple[int, Resource, int]]:
    """(resource_id, load, energy_kwh) of a member: those active now and those that used energy in the month."""
    found = []
    for resource_id, resource in resources.resources_of(at, owner_id):
        accrued = LOAD_ACCRUALS.get(at, month, resource_id)
        is_billed = resource.state is ResourceState.ACTIVE or accrued is not None
        if resource.tariff_class and is_billed:
            found.append((resource_id, resource, 0 if accrued is None else accrued.energy_kwh))
    return found


def _transmission_e8yuan_kwh(at: BlockContext, common: _Month, load: Resource) -> int:
    scope = f"{load.tariff_class}/{load.voltage}"
    return governance.setting(at, "settlement.transmission_e8yuan_kwh", common.first_day, scope)


def _mean_transmission_e8yuan_kwh(at: BlockContext, common: _Month, loads: Sequence[tuple[int, Resource, int]]) -> int:
    """T&D price of a member's loads, weighted by energy (alike if none was used), half away from zero; 0 without a load."""
    if not loads:
        return 0
    is_used = any(energy_kwh for _, _, energy_kwh in loads)
    weights = [energy_kwh if is_used else 1 for _, _, energy_kwh in loads]
    prices = [_transmission_e8yuan_kwh(at, common, load) for _, load, _ in loads]
    return round_half_away(sum(map(int.__mul__, weights, prices)), sum(weights))


def _fee_lines(
    at: BlockContext, common: _Month, member_id: int, loads: Sequence[tuple[int, Resource, int]]
) -> Iterator[BillLine]:
    """F6: loss, T&D, system operation, funds and demand of each load; the grid company's own loads owe it nothing."""
    if member_id == common.grid_id:
        return
    to_grid = (member_id, common.grid_id)
    for resource_id, load, energy_kwh in loads:
        tariffs = (
            (LineKind.LOSS, governance.setting(at, "settlement.loss_e8yuan_kwh", common.first_day)),
            (LineKind.TRANSMISSION, _transmission_e8yuan_kwh(at, common, load)),
            (LineKind.SYSTEM, governance.setting(at, "settlement.system_e8yuan_kwh", common.first_day)),
            (LineKind.LEVY, governance.setting(at, "settlement.levy_e8yuan_kwh", common.first_day)),
        )
        for kind, tariff_e8yuan_kwh in tariffs if energy_kwh else ():
            explanation = explain(Formula.TARIFF, (energy_kwh, tariff_e8yuan_kwh))
            yield _new(common.month, kind, to_grid, energy_kwh, explanation, resource_id=resource_id)
        if load.tariff_class is TariffClass.TWO_PART:
            demand_fen_kw = governance.setting(at, "settlement.demand_fen_kw", common.first_day, load.voltage)
            explanation = explain(Formula.DEMAND, (load.contract_demand_kw, demand_fen_kw))
            yield _new(common.month, LineKind.DEMAND, to_grid, 0, explanation, resource_id=resource_id)


def open_ledgers(ctx: BlockContext, grid_id: int) -> None:
    """Open the grid company's ledgers that lines pay to; those that are open are left alone."""
    for code in dict.fromkeys(_LEDGERS.values()):
        funds.open_account(ctx, grid_id, code)


def is_paid(row: BillLine) -> bool:
    """Whether the money has moved."""
    return row.state in (LineState.PAID, LineState.PAID_LATE)
