"""The loads of the forty buyers: real shapes, invented sizes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from shudian.sandbox.companies import Company, companies
from shudian.sandbox.packaged import JULY_DAYS, PPM, SLOTS, IntArray, profiles, table

_DEMAND_MARGIN_PPM = 1_150_000  # contract demand over the shape's peak: room for the day's own swing
_DEMAND_STEP_KW = 1_000


@dataclass(frozen=True)
class Load:
    """What one buyer uses at its one settlement meter (a retailer: its whole portfolio).

    ``tariff_class`` is single_rate 单一制 or two_part 两部制, ``voltage_kv`` 10 (for 1-10 kV), 35, 110 or 220;
    ``contract_demand_kw`` lies above the highest quarter hour. ``willingness`` is low, middle or high.
    """

    key: str
    company_key: str
    name_zh: str
    name_en: str
    industry_zh: str
    industry_en: str
    tariff_class: str
    voltage_kv: int
    peak_kw: int
    contract_demand_kw: int
    customer_count: int
    shape: str
    willingness: str
    lat_e6: int
    lon_e6: int


def loads() -> tuple[Load, ...]:
    """The loads of the forty buyers."""
    members = {company.key: company for company in companies()}
    cities = {row["region_code"]: row for row in table("cities.csv")}
    portfolios = _portfolios()
    return tuple(_load(row, members[row["company_key"]], cities, portfolios) for row in table("loads.csv"))


def load_shapes() -> Mapping[str, IntArray]:
    """Each load's July shape by load key: ppm of its own highest quarter hour, shape (31, 96)."""
    single, portfolios = profiles(), _portfolios()
    return {
        load.key: single[load.shape] if load.shape in single else _sum_of(single, portfolios[_area(load.shape)])
        for load in loads()
    }


def _sum_of(single: Mapping[str, IntArray], customers: list[tuple[str, int, int]]) -> IntArray:
    """A portfolio's shape: its customers' profiles by rated load, again as ppm of the highest quarter hour."""
    total = np.zeros((JULY_DAYS, SLOTS), dtype=np.int64)
    for profile, _, rated_w in customers:
        total += single[profile] * rated_w
    thousandth = -(-int(total.max()) // 1_000)
    return total * (PPM // 1_000) // thousandth


def _area(shape: str) -> str:
    return shape.removeprefix("area:")


def _portfolios() -> dict[str, list[tuple[str, int, int]]]:
    """Area -> (profile, customer count, rated W) of a retailer's customers."""
    areas: dict[str, list[tuple[str, int, int]]] = {}
    for row in table("retail_portfolios.csv"):
        areas.setdefault(row["area"], []).append((row["profile"], int(row["customer_count"]), int(row["rated_w"])))
    return areas


def _load(
    row: dict[str, str],
    company: Company,
    cities: Mapping[str, dict[str, str]],
    portfolios: Mapping[str, list[tuple[str, int, int]]],
) -> Load:
    city = cities[company.region_code]
    parts = portfolios.get(_area(row["shape"]), [])
    peak_kw = int(row["peak_kw"])
    return Load(
        key=row["company_key"],
        company_key=row["company_key"],
        name_zh=f"{company.name_zh}用电户",
        name_en=f"{company.name_en} supply point",
        industry_zh=row["industry_zh"],
        industry_en=row["industry_en"],
        tariff_class=row["tariff_class"],
        voltage_kv=int(row["voltage_kv"]),
        peak_kw=peak_kw,
        contract_demand_kw=-(-peak_kw * _DEMAND_MARGIN_PPM // (PPM * _DEMAND_STEP_KW)) * _DEMAND_STEP_KW,
        customer_count=sum(count for _, count, _ in parts) or 1,
        shape=row["shape"],
        willingness=row["willingness"],
        lat_e6=int(city["lat_e6"]),
        lon_e6=int(city["lon_e6"]),
    )
