"""The lines of a month 月结: who owes whom how much and why, each exactly once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shudian.contracts.governance import rules as governance
from shudian.contracts.identity import rules as identity
from shudian.contracts.resources import rules as resources
from shudian.contracts.resources.messages import Resource, ResourceState, TariffClass
from shudian.contracts.roles import Kind
from shudian.contracts.settlement.messages_facts import (
    BillLine,
    CertifiedBy,
    Formula,
    LineExplanation,
    LineKind,
    RuleCode,
)
from shudian.contracts.settlement.messages_refusals import (
    REGULATION_PRICES_MISSING,
)
from shudian.contracts.settlement.rules_formulas import amount_fen, explain, f4_band
from shudian.contracts.settlement.rules_green import GreenMonth, green_months
from shudian.contracts.settlement.rules_market_day import rules_of_month
from shudian.contracts.settlement.state import (
    ACCRUALS,
    DAY_BILLS,
    LOAD_ACCRUALS,
    REGULATION_PRICES,
    Accrual,
    DayBill,
)
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext
from shudian.kernel.units import round_half_away, split_largest_remainder


@dataclass(frozen=True)
class _Month:
    """What all lines of a month have in common."""

    month: int
    first_day: int
    grid_id: int
    rules: Mapping[Kind, RuleCode]


def lines_of_month(at: BlockContext, month: int) -> Iterator[BillLine]:
    """All lines of a month whose days are cleared: energy and green value by buyer, deviation and grid fees by member.

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
        purchases.setdefault(accrual.buyer_id, []).append((int(key[-1]), accrual))
    green = green_months(at, month)
    for member_id, days in bills.items():
        bought, loads = purchases.get(member_id, []), _loads(at, month, member_id)
        rule = common.rules.get(identity.member(at, member_id).kind)
        if rule is RuleCode.MONTHLY_BAND:
            yield from _band_lines(at, common, member_id, bought, days, loads)
        else:
            yield from (_energy_line(common, agreement_id, accrual) for agreement_id, accrual in bought)
            yield from _deviation_lines(common, member_id, days)
        for agreement_id, _ in bought:
            if agreement_id in green:
                yield from _green_lines(common, agreement_id, green[agreement_id])
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
    """F1, F2 and F5: the month's deviation is the sum of its day bills; the other side is the grid company."""
    if member_id == common.grid_id:
        return
    to_grid = (member_id, common.grid_id)
    for kind, sides, sign, energy, money in (
        (LineKind.DAY_AHEAD, to_grid, 1, "day_ahead_kwh", "day_ahead_fen"),
        (LineKind.DEVIATION, to_grid, 1, "deviation_kwh", "deviation_fen"),
        (LineKind.RECOVERY, to_grid, 1, "", "recovery_fen"),
        (LineKind.RECOVERY_RETURN, to_grid[::-1], -1, "", "returned_fen"),
    ):
        by_day = {day: sign * getattr(bill, money) for day, bill in days}
        if any(by_day.values()):
            month_days = clock.days(common.first_day, clock.month_last_day(common.month))
            daily_fen = (by_day.get(day, 0) for day in month_days)
            explanation = explain(Formula.SUM_OF_DAYS, (common.first_day, *daily_fen))
            energy_kwh = sum(getattr(bill, energy) for _, bill in days) if energy else 0
            yield _new(common.month, kind, sides, energy_kwh, explanation)


def _green_lines(common: _Month, agreement_id: int, month: GreenMonth) -> Iterator[BillLine]:
    """The environmental value of what is certified, and what the seller owes for what its devices did not generate."""
    terms, green = month.terms, month.green
    if month.rule is CertifiedBy.HOUR:
        hours = (green.environmental_myuan_mwh, common.first_day, *month.daily_kwh)
        explanation = explain(Formula.GREEN_HOURS, hours)
    else:
        least = (month.contract_kwh, month.generated_kwh, month.used_kwh, green.environmental_myuan_mwh)
        explanation = explain(Formula.GREEN_MONTH, least)
    to_seller, kind = (terms.buyer_id, terms.seller_id), LineKind.ENVIRONMENTAL
    yield _new(common.month, kind, to_seller, month.certified_kwh, explanation, agreement_id=agreement_id)
    short_kwh = month.contract_kwh - month.generated_kwh
    if short_kwh > 0:
        values = (month.contract_kwh, month.generated_kwh, green.compensation_myuan_mwh)
        explanation, kind = explain(Formula.GREEN_SHORT, values), LineKind.COMPENSATION
        yield _new(common.month, kind, to_seller[::-1], short_kwh, explanation, agreement_id=agreement_id)


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
            found.append((resource_id, resource, 0 if accrued is None else sum(accrued.daily_kwh)))
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
