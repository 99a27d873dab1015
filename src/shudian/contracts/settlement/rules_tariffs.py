"""The published tariff table 代理购电价格表 and time-of-use periods 分时电价 as pure functions over dated settings.

Sources: the agency-purchase table of Sichuan (domain 1.6) and 川发改价格〔2025〕185号 (domain 1.7). Market members are billed by F6 at the
components alone; the floating of this table is what agency-purchase users see.
"""

from collections.abc import Container, Sequence
from enum import IntEnum

from shudian.contracts.settlement.messages_facts import Period
from shudian.kernel.clock import day_after, month_of
from shudian.kernel.units import PPM, SEGMENTS_PER_DAY, remainder, round_half_away

HOT_DAYS_IN_A_ROW = 3


class Season(IntEnum):
    """Seasons of the time-of-use table, as coded in ``settlement.season_code``."""

    SPRING_AUTUMN = 1
    SUMMER = 2
    WINTER = 3


def price_e8yuan_kwh(
    purchase_e8yuan_kwh: int,
    loss_e8yuan_kwh: int,
    transmission_e8yuan_kwh: int,
    system_e8yuan_kwh: int,
    levy_e8yuan_kwh: int,
    k_ppm: int,
) -> int:
    """End price of a period: (purchase + loss + T&D) x k + system + levy, half away from zero at 1e-8 yuan.

    Funds and system operation do not float. Single-rate below 1 kV in August 2026, flat 0.623744 and peak 0.943124 yuan/kWh:

    >>> [price_e8yuan_kwh(26_043_400, 1_556_600, 25_630_000, 4_427_500, 4_716_875, k) for k in (PPM, 1_600_000)]
    [62374375, 94312375]
    """
    floating = purchase_e8yuan_kwh + loss_e8yuan_kwh + transmission_e8yuan_kwh
    return round_half_away(floating * k_ppm, PPM) + system_e8yuan_kwh + levy_e8yuan_kwh


def season_of(day: int, season_code: Sequence[int]) -> Season:
    """The season of a day; ``season_code``: one code per month from January."""
    return Season(season_code[remainder(month_of(day), 100) - 1])


def tip_applies(
    day: int, tip_month: Container[int], hot_day: Container[int], region_code: int, exempt: Container[int]
) -> bool:
    """Whether the tip period 尖峰 holds for big industry on a day.

    It holds in the tip months and, in other months, on days within three hot days in a row (high >= 35 C, as declared); never in the
    exempt regions 攀枝花, 凉山, 甘孜, 阿坝.

    >>> tip_applies(20260715, (7, 8), (), 510100, (510400,)), tip_applies(20260715, (7, 8), (), 510400, (510400,))
    (True, False)
    >>> [tip_applies(day, (7, 8), (20260602, 20260603, 20260604), 510100, ()) for day in (20260601, 20260602, 20260604)]
    [False, True, True]
    """
    if region_code in exempt:
        return False
    if remainder(month_of(day), 100) in tip_month:
        return True
    windows = [
        [day_after(day, back + step) for step in range(HOT_DAYS_IN_A_ROW)] for back in range(1 - HOT_DAYS_IN_A_ROW, 1)
    ]
    return any(all(hot in hot_day for hot in window) for window in windows)


def periods_of_day(period_code: Sequence[int], tip_segment: Container[int], *, with_tip: bool) -> tuple[Period, ...]:
    """The period of each of the 24 segments: the season's table, with the tip window laid over it where it applies."""
    return tuple(
        Period.TIP if with_tip and segment in tip_segment else Period(period_code[segment])
        for segment in range(SEGMENTS_PER_DAY)
    )
