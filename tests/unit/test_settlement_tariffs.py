"""The tariff formula against the 31 published prices, and the time-of-use table against 川发改价格〔2025〕185号."""

import pytest

from shudian.contracts.governance import rules as governance
from shudian.contracts.governance import views as governance_views
from shudian.contracts.roles import OVERSIGHT
from shudian.contracts.settlement import rules as settlement
from shudian.contracts.settlement.messages_facts import Period
from shudian.contracts.settlement.rules_tariffs import Season, periods_of_day, season_of
from shudian.contracts.settlement.views_tariffs import tariff_table, tou_table
from shudian.kernel.contract import Contract
from shudian.kernel.units import round_half_away
from shudian.node.genesis import default_settings
from shudian.reading.projector import Projector
from shudian.reading.reader import THE_PUBLIC
from tests.support.ledger import Ledger

# Sichuan, August 2026, yuan/kWh with six decimals: class, voltage, flat, peak, valley, tip (domain 1.6).
PUBLISHED = [
    ("single_rate", "lt1kv", 623744, 943124, 304364, None),
    ("single_rate", "kv1_10", 597344, 900884, 293804, None),
    ("single_rate", "kv35", 566644, 851764, 281524, None),
    ("single_rate", "kv110", 480044, 713204, 246884, None),
    ("single_rate", "kv220", 460844, 682484, 239204, None),
    ("two_part", "kv1_10", 506544, 755604, 257484, 888436),
    ("two_part", "kv35", 479944, 713044, 246844, 837364),
    ("two_part", "kv110", 431844, 636084, 227604, 745012),
    ("two_part", "kv220", 414044, 607604, 220484, 710836),
]
# Class, voltage -> demand in fen/kW, capacity in fen/kVA.
MONTHLY = {"kv1_10": (3_500, 2_200), "kv35": (3_000, 1_900), "kv110": (2_700, 1_700), "kv220": (2_400, 1_500)}


@pytest.fixture(scope="module")
def reading() -> Projector:
    """The read model of a ledger that has settlement's default settings alone."""
    contract = Contract("settlement", 10, (), {}, (), (), settings=settlement.CONTRACT.settings)
    held = [entry for entry in default_settings() if entry["name"].startswith("settlement.")]
    book = Ledger([governance.CONTRACT, contract], {"governance": {"settings": held}})
    projector = Projector(None, (governance_views.VIEWS,), OVERSIGHT)
    projector.project(1, book.now_ms, [], book.last.events)
    return projector


@pytest.mark.parametrize(("tariff_class", "voltage", "flat", "peak", "valley", "tip"), PUBLISHED)
def test_published_prices(
    reading: Projector, tariff_class: str, voltage: str, flat: int, peak: int, valley: int, tip: int | None
) -> None:
    rows = tariff_table(reading.reader, THE_PUBLIC, day=20260801)
    row = next(row for row in rows if (row["tariff_class"], row["voltage"]) == (tariff_class, voltage))
    six_decimals = {
        name: None if row[f"{name}_e8yuan_kwh"] is None else round_half_away(row[f"{name}_e8yuan_kwh"], 100)
        for name in ("flat", "peak", "valley", "tip")
    }
    assert six_decimals == {"flat": flat, "peak": peak, "valley": valley, "tip": tip}
    monthly = MONTHLY[voltage] if tariff_class == "two_part" else (None, None)
    assert (row["demand_fen_kw"], row["capacity_fen_kva"]) == monthly


def test_the_table_has_nothing_else(reading: Projector) -> None:
    assert len(tariff_table(reading.reader, THE_PUBLIC, day=20260801)) == len(PUBLISHED)
    assert tariff_table(reading.reader, THE_PUBLIC, day=20251231) == []
    assert tou_table(reading.reader, THE_PUBLIC, day=20251231) == []


# Season's day, count of peak, flat and valley hours, the peak hours.
HOURS = [
    (20260401, "spring_autumn", (7, 7, 10), [10, 11, 17, 18, 19, 20, 21]),
    (20260901, "summer", (10, 8, 6), [11, 12, 13, 14, 15, 16, 17, 20, 21, 22]),
    (20260101, "winter", (8, 8, 8), [10, 11, 16, 17, 18, 19, 20, 21]),
]


@pytest.mark.parametrize(("day", "season", "counts", "peak_hours"), HOURS)
def test_hours_of_a_season(
    reading: Projector, day: int, season: str, counts: tuple[int, int, int], peak_hours: list[int]
) -> None:
    rows = tou_table(reading.reader, THE_PUBLIC, day=day)
    periods = [row["period"] for row in rows]
    assert {row["season"] for row in rows} == {season}
    assert tuple(periods.count(name) for name in ("peak", "flat", "valley")) == counts
    assert [row["segment"] for row in rows if row["period"] == "peak"] == peak_hours
    assert [row["industry_period"] for row in rows] == periods


@pytest.mark.parametrize(
    ("day", "region_code", "tip_hours"),
    [(20260715, 510_100, [13, 21, 22]), (20260715, 510_400, []), (20260715, 513_200, []), (20260915, 510_100, [])],
)
def test_tip_window(reading: Projector, day: int, region_code: int, tip_hours: list[int]) -> None:
    rows = tou_table(reading.reader, THE_PUBLIC, day=day, region_code=region_code)
    assert [row["segment"] for row in rows if row["industry_period"] == "tip"] == tip_hours
    assert not [row for row in rows if row["period"] == "tip"]


@pytest.mark.parametrize(("month", "season"), [(2, 3), (3, 1), (6, 1), (7, 2), (9, 2), (10, 1), (11, 1), (12, 3)])
def test_season_of_each_month(month: int, season: int) -> None:
    codes = next(entry["values"] for entry in default_settings() if entry["name"] == "settlement.season_code")
    assert season_of(20260001 + month * 100, codes) is Season(season)


def test_tip_covers_only_its_window() -> None:
    assert periods_of_day([3] * 24, (23,), with_tip=True) == (Period.VALLEY,) * 23 + (Period.TIP,)
