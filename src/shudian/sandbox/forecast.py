"""What each member believes: the month before it starts, and each delivery day two days ahead. Truth with seeded errors.

Energies are whole kWh by segment h1-h24 (index 0 is h1): what a buyer will use, what a generator will generate.
"""

from dataclasses import dataclass

from shudian.sandbox.packaged import PPM
from shudian.sandbox.world import World

_MONTH_PPM = {"generator": 35_000, "retailer": 30_000, "user": 18_000}
_MONTH_SEGMENT_PPM = 12_000
_DAY_PPM = {"generator": 30_000, "retailer": 25_000, "user": 20_000}
_DAY_SEGMENT_PPM = 15_000

# Grid agency purchase price 代理购电, Sichuan, August 2026: 0.260434 yuan/kWh (domain 1.6).
AGENCY_PRICE_MYUAN_MWH = 260_434
AGENCY_LOT_KWH = 1_000


@dataclass(frozen=True)
class AgencyContract:
    """What the grid company buys from a generator for homes and small shops 优先发电: kWh of the month by segment."""

    generator_key: str
    energy_kwh: tuple[int, ...]
    price_myuan_mwh: int


def month_forecast_kwh(world: World, company_key: str) -> tuple[int, ...]:
    """What a buyer or generator expects for the whole month, by segment.

    Raises:
        KeyError: if the company neither buys nor generates.
    """
    month = [int(energy) for energy in world.energy_kwh[company_key].sum(axis=0)]
    return _with_errors(world, company_key, month, (_MONTH_PPM, _MONTH_SEGMENT_PPM), "month")


def day_forecast_kwh(world: World, company_key: str, delivery_day: int) -> tuple[int, ...]:
    """What a buyer or generator expects two days before ``delivery_day`` (yyyymmdd), by segment.

    Raises:
        KeyError: if the company neither buys nor generates.
        ValueError: if the day is outside the world.
    """
    index = world.index_of(delivery_day)
    day = [int(energy) for energy in world.energy_kwh[company_key][index]]
    return _with_errors(world, company_key, day, (_DAY_PPM, _DAY_SEGMENT_PPM), f"day {index}")


def market_part_kwh(world: World, energy_kwh: tuple[int, ...]) -> tuple[int, ...]:
    """The part of a generator's energy by segment that is free for the market: the published market space, rounded down."""
    return tuple(energy * space // PPM for energy, space in zip(energy_kwh, world.market_space_ppm, strict=True))


def agency_contracts(world: World) -> tuple[AgencyContract, ...]:
    """The grid company's purchases for its agency users, one per generator: all that the market does not need, whole lots."""
    contracts = []
    for company in world.companies_of("generator"):
        expected = month_forecast_kwh(world, company.key)
        free = market_part_kwh(world, expected)
        energy = tuple(
            (whole - part) // AGENCY_LOT_KWH * AGENCY_LOT_KWH for whole, part in zip(expected, free, strict=True)
        )
        contracts.append(AgencyContract(company.key, energy, AGENCY_PRICE_MYUAN_MWH))
    return tuple(contracts)


def _with_errors(
    world: World, company_key: str, energy_kwh: list[int], spreads: tuple[dict[str, int], int], label: str
) -> tuple[int, ...]:
    by_kind, by_segment = spreads
    own = world.dice.error_ppm(by_kind[world.company_by_key[company_key].kind], "forecast", label, company_key)
    errors = (
        own + world.dice.error_ppm(by_segment, "forecast", label, company_key, segment)
        for segment in range(len(energy_kwh))
    )
    return tuple(energy * (PPM + error) // PPM for energy, error in zip(energy_kwh, errors, strict=True))
