"""The power plants of the sandbox: real capacities and positions."""

from dataclasses import dataclass

from shudian.sandbox.packaged import PPM, table

# Least output as a share of capacity. Coal: in the wet season one unit of a station stays on at its technical minimum.
_COAL_MIN_OUTPUT_PPM = 120_000
_RESERVOIR_MIN_OUTPUT_PPM = 150_000  # water that must pass for the river
_HEAT_RATE_PPM = {"ultra-supercritical": 940_000, "subcritical": 1_060_000}  # against a supercritical unit (assumption)
_VOLTAGES = ((500_000, 500), (100_000, 220), (30_000, 110), (0, 35))


@dataclass(frozen=True)
class Plant:
    """A power plant. Capacity and position are real, the owner is invented.

    ``fuel`` is hydro, wind, solar, coal, gas or biomass; ``regulation`` of hydro is run_of_river, daily, seasonal, annual
    or multi_year, else empty. ``annual_gwh`` is hydro's yearly energy, 0 elsewhere. ``commissioning_day`` is 1 January of
    the first year, as only years are known; None is unknown, as for ``unit_count``. ``marginal_cost_myuan_mwh`` holds fuel,
    operation and carbon of the technology. ``voltage_kv`` follows from the capacity (500, 220, 110 or 35).
    """

    key: str
    company_key: str
    name_zh: str
    name_en: str
    fuel: str
    technology: str
    river: str
    regulation: str
    capacity_kw: int
    min_output_kw: int
    annual_gwh: int
    unit_count: int | None
    lat_e6: int
    lon_e6: int
    commissioning_day: int | None
    voltage_kv: int
    marginal_cost_myuan_mwh: int
    note: str

    @property
    def is_reservoir(self) -> bool:
        """Whether water can be kept for a better hour of the day."""
        return self.fuel == "hydro" and self.regulation != "run_of_river"

    @property
    def is_thermal(self) -> bool:
        """Whether output follows need by marginal cost."""
        return self.fuel in ("coal", "gas")


def plants() -> tuple[Plant, ...]:
    """All plants, in the order of the packaged table."""
    costs = {
        row["fuel"]: int(row["fuel_cost_myuan_mwh"]) + int(row["carbon_cost_myuan_mwh"]) for row in table("costs.csv")
    }
    return tuple(_plant(row, costs[row["fuel"]]) for row in table("plants.csv"))


def _plant(row: dict[str, str], marginal_cost_myuan_mwh: int) -> Plant:
    capacity_kw = int(row["capacity_kw"])
    reservoir = row["fuel"] == "hydro" and row["regulation"] != "run_of_river"
    least_ppm = _RESERVOIR_MIN_OUTPUT_PPM if reservoir else _COAL_MIN_OUTPUT_PPM if row["fuel"] == "coal" else 0
    return Plant(
        key=row["key"],
        company_key=row["company_key"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        fuel=row["fuel"],
        technology=row["technology"],
        river=row["river"],
        regulation=row["regulation"],
        capacity_kw=capacity_kw,
        min_output_kw=capacity_kw * least_ppm // PPM,
        annual_gwh=int(row["annual_gwh"] or 0),
        unit_count=int(row["unit_count"]) if row["unit_count"] else None,
        lat_e6=int(row["lat_e6"]),
        lon_e6=int(row["lon_e6"]),
        commissioning_day=int(row["commissioning_year"]) * 10_000 + 101 if row["commissioning_year"] else None,
        voltage_kv=next(kv for least_kw, kv in _VOLTAGES if capacity_kw >= least_kw),
        marginal_cost_myuan_mwh=marginal_cost_myuan_mwh * _HEAT_RATE_PPM.get(row["technology"], PPM) // PPM,
        note=row["note"],
    )
