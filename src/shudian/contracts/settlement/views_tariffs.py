"""The tariff table and the time-of-use table, computed from the dated settings that governance shows."""

from shudian.contracts.governance.views import SETTINGS
from shudian.contracts.resources.messages import TariffClass, Voltage
from shudian.contracts.settlement.messages_facts import Period
from shudian.contracts.settlement.rules_tariffs import periods_of_day, price_e8yuan_kwh, season_of, tip_applies
from shudian.reading.reader import Reader, Viewer
from shudian.reading.tables import Row

Settings = dict[tuple[str, str], tuple[int, ...]]

BASE = ("purchase_e8yuan_kwh", "loss_e8yuan_kwh", "system_e8yuan_kwh", "levy_e8yuan_kwh")
CHENGDU_CODE = 510_100


def settings_on(reader: Reader, viewer: Viewer, day: int) -> Settings:
    """Settlement's settings that hold on a day by (name without contract, scope)."""
    rows = reader.select(viewer, SETTINGS, {"name": ("LIKE", "settlement.%"), "from_day": ("<=", day)})
    return {
        (row["name"].removeprefix("settlement."), row["scope"]): tuple(map(int, row["numbers"].split())) for row in rows
    }


def tariff_table(reader: Reader, viewer: Viewer, *, day: int) -> list[Row]:
    """End prices by user class and voltage on a day, in 1e-8 yuan per kWh, with their components and demand charges.

    The tip price 尖峰 is big industry's (two-part) alone. Empty if no tariff holds on the day.
    """
    held = settings_on(reader, viewer, day)
    if not all((name, "") in held for name in (*BASE, "tou_k_ppm")):
        return []
    purchase, loss, system, levy = (held[name, ""][0] for name in BASE)
    found = []
    for tariff_class in (TariffClass.SINGLE_RATE, TariffClass.TWO_PART):
        for voltage in Voltage:
            transmission = held.get(("transmission_e8yuan_kwh", f"{tariff_class}/{voltage}"))
            if transmission is None:
                continue
            prices = [
                price_e8yuan_kwh(purchase, loss, transmission[0], system, levy, k_ppm)
                for k_ppm in held["tou_k_ppm", ""]
            ]
            two_part = tariff_class is TariffClass.TWO_PART
            found.append(
                {
                    "tariff_class": tariff_class.value,
                    "voltage": voltage.value,
                    "purchase_e8yuan_kwh": purchase,
                    "loss_e8yuan_kwh": loss,
                    "transmission_e8yuan_kwh": transmission[0],
                    "system_e8yuan_kwh": system,
                    "levy_e8yuan_kwh": levy,
                    "demand_fen_kw": held["demand_fen_kw", voltage][0] if two_part else None,
                    "capacity_fen_kva": held["capacity_fen_kva", voltage][0] if two_part else None,
                    "flat_e8yuan_kwh": prices[Period.FLAT],
                    "peak_e8yuan_kwh": prices[Period.PEAK],
                    "valley_e8yuan_kwh": prices[Period.VALLEY],
                    "tip_e8yuan_kwh": prices[Period.TIP] if two_part else None,
                }
            )
    return found


def tou_table(reader: Reader, viewer: Viewer, *, day: int, region_code: int = CHENGDU_CODE) -> list[Row]:
    """The period of each segment on a day: for everybody, and for big industry where the tip window may apply in the region."""
    held = settings_on(reader, viewer, day)
    if ("season_code", "") not in held:
        return []
    season = season_of(day, held["season_code", ""])
    period_code, tip_segment = held["period_code", season.name.lower()], held["tip_segment", ""]
    with_tip = tip_applies(
        day, held["tip_month", ""], held["tip_hot_day", ""], region_code, held["tip_exempt_region_code", ""]
    )
    general = periods_of_day(period_code, tip_segment, with_tip=False)
    industry = periods_of_day(period_code, tip_segment, with_tip=with_tip)
    return [
        {
            "segment": segment,
            "season": season.name.lower(),
            "period": general[segment].name.lower(),
            "industry_period": industry[segment].name.lower(),
        }
        for segment in range(len(general))
    ]
