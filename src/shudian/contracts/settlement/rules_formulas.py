"""The settlement formulas F1, F2, F4, F5, F6 and those of green agreements (docs: README) in integers; each amount is rounded once, half away from zero.

Pure functions: quantities in kWh, prices in milli-yuan per MWh, tariffs in 1e-8 yuan per kWh, money in fen. Energy taken from the grid
and money owed by the member are positive; what is delivered or earned is negative, so one formula serves both sides of the market.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from shudian.contracts.settlement.messages_facts import Formula, LineExplanation
from shudian.kernel.units import (
    PPM,
    PRICE_KWH_PER_FEN,
    TARIFF_KWH_PER_FEN,
    energy_fen,
    round_half_away,
    share,
    tariff_fen,
)


def f2_deviation_fen(contract_kwh: int, metered_kwh: int, real_time_myuan_mwh: int) -> int:
    """F2 单结算, the deviation of one segment: (Q - Qc) x Prt (Sichuan 2026 as reported).

    Worked example A3, three hours; with the contract amounts the cost is 8,815.00 yuan:

    >>> hours = [(10_000, 200_000, 8_000, 140_000), (12_000, 220_000, 15_000, -35_000), (14_000, 260_000, 16_000, 460_000)]
    >>> costs = [energy_fen(qc, pc) + f2_deviation_fen(qc, q, prt) for qc, pc, q, prt in hours]
    >>> costs, sum(costs)
    ([172000, 253500, 456000], 881500)
    """
    return energy_fen(metered_kwh - contract_kwh, real_time_myuan_mwh)


class TwoSettlement(NamedTuple):
    """The two legs of F1 in fen: day-ahead position against contract, metered energy against day-ahead position."""

    day_ahead_fen: int
    real_time_fen: int


def f1_deviation_fen(
    contract_kwh: int, day_ahead_kwh: int, metered_kwh: int, day_ahead_myuan_mwh: int, real_time_myuan_mwh: int
) -> TwoSettlement:
    """F1 双结算, one segment: (Qda - Qc) x Pda and (Q - Qda) x Prt (电力现货市场基本规则, 发改能源规〔2023〕1217号).

    Worked example A3; with the contract amounts the cost is 8,780.00 yuan:

    >>> hours = [
    ...     (10_000, 200_000, 9_000, 150_000, 8_000, 140_000),
    ...     (12_000, 220_000, 13_000, -20_000, 15_000, -35_000),
    ...     (14_000, 260_000, 15_000, 420_000, 16_000, 460_000),
    ... ]
    >>> costs = [energy_fen(qc, pc) + sum(f1_deviation_fen(qc, qda, q, pda, prt)) for qc, pc, qda, pda, q, prt in hours]
    >>> costs, sum(costs)
    ([171000, 255000, 452000], 878000)
    """
    return TwoSettlement(
        energy_fen(day_ahead_kwh - contract_kwh, day_ahead_myuan_mwh),
        energy_fen(metered_kwh - day_ahead_kwh, real_time_myuan_mwh),
    )


class MonthlyBand(NamedTuple):
    """How F4 divides a month: settled at contract prices, used beyond the band, short beyond the band (all kWh)."""

    at_contract_kwh: int
    over_kwh: int
    short_kwh: int


def f4_band(contract_kwh: int, metered_kwh: int, over_ppm: int, under_ppm: int) -> MonthlyBand:
    """F4 月度偏差 (Sichuan 2018): divide metered energy by the band; the bands' edges in kWh, half away from zero.

    >>> f4_band(10_000_000, 9_300_000, 80_000, 40_000)
    MonthlyBand(at_contract_kwh=9300000, over_kwh=0, short_kwh=300000)
    >>> f4_band(10_000_000, 11_000_000, 80_000, 40_000)
    MonthlyBand(at_contract_kwh=10800000, over_kwh=200000, short_kwh=0)
    """
    at_contract_kwh = min(metered_kwh, contract_kwh + share(contract_kwh, over_ppm))
    least_kwh = contract_kwh - share(contract_kwh, under_ppm)
    return MonthlyBand(at_contract_kwh, metered_kwh - at_contract_kwh, max(0, least_kwh - metered_kwh))


def f4_contract_fen(settled_kwh: int, contract_kwh: int, contract_fen: int) -> int:
    """F4: energy at the agreement's weighted price contract_fen / contract_kwh; A1 1,953,000.00 and A2 2,268,000.00 yuan.

    >>> f4_contract_fen(9_300_000, 10_000_000, 210_000_000), f4_contract_fen(10_800_000, 10_000_000, 210_000_000)
    (195300000, 226800000)

    An agreement with no energy in the month costs nothing.
    """
    return round_half_away(settled_kwh * contract_fen, contract_kwh) if contract_kwh else 0


def f4_over_fen(over_kwh: int, up_myuan_mwh: int, increment_top_myuan_mwh: int) -> int:
    """F4: energy beyond the band at the dearer of up-regulation and top increment price; A2 60,000.00 yuan.

    >>> f4_over_fen(200_000, 300_000, 280_000)
    6000000
    """
    return energy_fen(over_kwh, max(up_myuan_mwh, increment_top_myuan_mwh))


def f4_short_fen(
    short_kwh: int, assessment_ppm: int, contract_kwh: int, contract_fen: int, transmission_e8yuan_kwh: int
) -> int:
    """F4: assessment of energy short beyond the band, a share of (weighted contract price + T&D); never below zero.

    A1, 300 MWh x 10 % x (210 + 64.4) = 8,232.00 yuan:

    >>> f4_short_fen(300_000, 100_000, 10_000_000, 210_000_000, 6_440_000)
    823200
    """
    price = contract_fen * TARIFF_KWH_PER_FEN + transmission_e8yuan_kwh * contract_kwh
    return max(0, round_half_away(short_kwh * assessment_ppm * price, PPM * TARIFF_KWH_PER_FEN * contract_kwh))


class RecoveryRates(NamedTuple):
    """Factor and band of F5; a factor of 0 switches it off."""

    factor_ppm: int
    over_ppm: int
    under_ppm: int


def f5_recovery_fen(
    contract_kwh: int,
    contract_fen: int,
    metered_kwh: int,
    real_time_myuan_mwh: int,
    market_myuan_mwh: int,
    rates: RecoveryRates,
    *,
    generates: bool,
) -> int:
    """F5 偏差回收, one segment: what a member gained by leaving the band around its contract, times a factor; never negative.

    Use above the band 1.15 is charged at market price - Prt, use below 0.85 at Prt - the member's own contract price (contract_fen /
    contract_kwh); for generation the price differences turn round. Quantities of the member's side, not negative (domain 4.3, the
    official formula is not published). Rounded once. Worked example A3: hour 13 pays 336.60 yuan, hours 3 and 20 nothing:

    >>> rates = RecoveryRates(1_100_000, 1_150_000, 850_000)
    >>> hours = [
    ...     (10_000, 200_000, 8_000, 140_000, 140_000),
    ...     (12_000, 264_000, 15_000, -35_000, 220_000),
    ...     (14_000, 364_000, 16_000, 460_000, 460_000),
    ... ]
    >>> [f5_recovery_fen(*hour, rates, generates=False) for hour in hours]
    [0, 33660, 0]
    """
    sign = -1 if generates else 1
    over = metered_kwh * PPM - contract_kwh * rates.over_ppm
    if over > 0:
        gain = sign * (market_myuan_mwh - real_time_myuan_mwh)
        return round_half_away(rates.factor_ppm * over * max(0, gain), PPM * PPM * PRICE_KWH_PER_FEN)
    under = contract_kwh * rates.under_ppm - metered_kwh * PPM
    if under <= 0:
        return 0
    gain = sign * (real_time_myuan_mwh * contract_kwh - contract_fen * PRICE_KWH_PER_FEN)
    return round_half_away(rates.factor_ppm * under * max(0, gain), PPM * PPM * PRICE_KWH_PER_FEN * contract_kwh)


def green_month_fen(contract_kwh: int, generated_kwh: int, used_kwh: int, environmental_myuan_mwh: int) -> int:
    """Environmental value 绿电环境价值 of the smallest of contract, generation and use of a month (三者取小, domain 3.7).

    Worked example: 1,000, 940 and 975 MWh at 12 yuan give 11,280.00 yuan:

    >>> green_month_fen(1_000_000, 940_000, 975_000, 12_000)
    1128000
    """
    return energy_fen(max(0, min(contract_kwh, generated_kwh, used_kwh)), environmental_myuan_mwh)


def green_hours_fen(environmental_myuan_mwh: int, _first_day: int, *certified_kwh: int) -> int:
    """Environmental value where the smallest of the three is taken hour by hour: daily sums of certified volume, from a first day on."""
    return energy_fen(sum(certified_kwh), environmental_myuan_mwh)


def green_short_fen(contract_kwh: int, generated_kwh: int, compensation_myuan_mwh: int) -> int:
    """Compensation for contracted green volume that the seller's devices did not generate.

    >>> green_short_fen(1_000_000, 940_000, 5_000)
    30000
    """
    return energy_fen(max(0, contract_kwh - generated_kwh), compensation_myuan_mwh)


def f6_tariff_fen(energy_kwh: int, tariff_e8yuan_kwh: int) -> int:
    """F6, one of upstream loss, T&D energy, system operation, funds: metered energy x tariff.

    The four fees of A1 in fen, 1,594,110.68 yuan together; with energy, demand and assessment the bill is 3,960,342.68 yuan:

    >>> fees = [f6_tariff_fen(9_300_000, tariff) for tariff in (1_556_600, 6_440_000, 4_427_500, 4_716_875)]
    >>> fees, sum(fees) + 195_300_000 + f6_demand_fen(15_000, 2_700) + 823_200
    ([14476380, 59892000, 41175750, 43866938], 396034268)

    The bill of A2, 4,618,507.25 yuan:

    >>> fees = [f6_tariff_fen(11_000_000, tariff) for tariff in (1_556_600, 6_440_000, 4_427_500, 4_716_875)]
    >>> 226_800_000 + 6_000_000 + sum(fees) + f6_demand_fen(15_000, 2_700)
    461850725
    """
    return tariff_fen(energy_kwh, tariff_e8yuan_kwh)


def f6_demand_fen(contract_demand_kw: int, demand_fen_kw: int) -> int:
    """F6, demand charge 需量电费 of a two-part user for one month.

    >>> f6_demand_fen(15_000, 2_700)
    40500000
    """
    return contract_demand_kw * demand_fen_kw


def sum_of_days_fen(_first_day: int, *daily_fen: int) -> int:
    """What was booked day by day from a first day on: the month is the sum of its rounded days."""
    return sum(daily_fen)


def corrected_fen(_corrects_line_id: int, _before_fen: int, corrected_to_fen: int) -> int:
    """What an upheld objection set the amount to."""
    return corrected_to_fen


_FORMULAS: Mapping[Formula, Callable[..., int]] = {
    Formula.SUM_OF_DAYS: sum_of_days_fen,
    Formula.GREEN_HOURS: green_hours_fen,
    Formula.GREEN_MONTH: green_month_fen,
    Formula.GREEN_SHORT: green_short_fen,
    Formula.F4_CONTRACT: f4_contract_fen,
    Formula.F4_OVER: f4_over_fen,
    Formula.F4_SHORT: f4_short_fen,
    Formula.TARIFF: f6_tariff_fen,
    Formula.DEMAND: f6_demand_fen,
    Formula.CORRECTED: corrected_fen,
}

_NAMES: Mapping[Formula, tuple[str, ...]] = {
    Formula.SUM_OF_DAYS: ("first_day", "daily_fen"),
    Formula.GREEN_HOURS: ("environmental_myuan_mwh", "first_day", "certified_kwh"),
    Formula.GREEN_MONTH: ("contract_kwh", "generated_kwh", "used_kwh", "environmental_myuan_mwh"),
    Formula.GREEN_SHORT: ("contract_kwh", "generated_kwh", "compensation_myuan_mwh"),
    Formula.F4_CONTRACT: ("settled_kwh", "contract_kwh", "contract_fen"),
    Formula.F4_OVER: ("over_kwh", "up_myuan_mwh", "increment_top_myuan_mwh"),
    Formula.F4_SHORT: ("short_kwh", "assessment_ppm", "contract_kwh", "contract_fen", "transmission_e8yuan_kwh"),
    Formula.TARIFF: ("energy_kwh", "tariff_e8yuan_kwh"),
    Formula.DEMAND: ("contract_demand_kw", "demand_fen_kw"),
    Formula.CORRECTED: ("corrects_line_id", "before_fen", "corrected_to_fen"),
}


def explain(formula: Formula, values: Sequence[int], billed_fen: int = 0) -> LineExplanation:
    """The explanation of an amount: the formula, its inputs by name (the last name stands for all values that remain), what is billed."""
    return LineExplanation(formula, _NAMES[formula], tuple(values), billed_fen)


def amount_fen(explanation: LineExplanation) -> int:
    """Compute the amount anew from its explanation, positive where the nominal payer owes.

    >>> amount_fen(explain(Formula.TARIFF, (9_300_000, 6_440_000))), amount_fen(explain(Formula.TARIFF, (9_300_000, 6_440_000), 59_892_100))
    (59892000, -100)
    """
    return _FORMULAS[explanation.formula](*explanation.values) - explanation.billed_fen
