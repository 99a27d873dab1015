"""What people and weather do in the month: use of every load, wind, sun and water, and what is foreseen the day before.

Load noise has a day part and a quarter-hour part; water follows its river day by day; wind and sun follow the province's
hourly factors with a site factor. Every number comes from the seed and its own labels.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from shudian.sandbox.dice import Dice
from shudian.sandbox.loads import Load
from shudian.sandbox.packaged import (
    JULY_DAYS,
    PPM,
    SEGMENTS,
    SLOTS,
    SLOTS_PER_SEGMENT,
    WH_PER_KW_SLOT,
    IntArray,
    Province,
)
from shudian.sandbox.plants import Plant

# Share of the province's load curve of 2018 that the grid company serves here: homes and small shops, agency purchase.
AGENCY_SHARE_PPM = 440_000
# July's share of a normal year's hydro energy (domain 1.3).
HYDRO_JULY_PPM = 128_000
WH_PER_GWH = 1_000_000_000

_LOAD_DAY_PPM, _LOAD_SLOT_PPM = 18_000, 10_000
_FORESEEN_LOAD_DAY_PPM, _FORESEEN_LOAD_HOUR_PPM = 12_000, 10_000
_AGENCY_DAY_PPM, _FORESEEN_AGENCY_PPM = 25_000, 15_000
_RIVER_PPM, _RIVER_MEMORY_PPM = 45_000, 700_000
_WIND_PPM, _FORESEEN_WIND_PPM = 120_000, 150_000
_SUN_PPM, _FORESEEN_SUN_PPM = 100_000, 120_000
_STEADY_WASTE_PPM = 880_000


@dataclass(frozen=True)
class Nature:
    """One view of the month, as it happens or as foreseen. All Wh; shapes (days, 96), budgets (days,)."""

    load_wh: Mapping[str, IntArray]
    agency_wh: IntArray
    available_wh: Mapping[str, IntArray]
    budget_wh: Mapping[str, IntArray]


def happening(
    dice: Dice,
    days: int,
    loads: tuple[Load, ...],
    shapes: Mapping[str, IntArray],
    plants: tuple[Plant, ...],
    province: Province,
) -> Nature:
    """The month as it happens."""
    rivers = {
        river: _river_ppm(dice, river, days) for river in sorted({plant.river for plant in plants if plant.river})
    }
    available = {}
    for plant in plants:
        if plant.fuel in ("wind", "solar"):
            available[plant.key] = _weather_wh(dice, plant, province, days)
        elif plant.fuel == "biomass":
            steady_wh = plant.capacity_kw * WH_PER_KW_SLOT * _STEADY_WASTE_PPM // PPM
            available[plant.key] = np.full((days, SLOTS), steady_wh, dtype=np.int64)
        elif plant.fuel == "hydro" and not plant.is_reservoir:
            per_slot = _water_wh(plant, rivers[plant.river]) // SLOTS
            available[plant.key] = np.repeat(per_slot[:, np.newaxis], SLOTS, axis=1)
    return Nature(
        load_wh={load.key: _load_wh(dice, load, shapes[load.key][:days]) for load in loads},
        agency_wh=_agency_wh(dice, province, days),
        available_wh=available,
        budget_wh={plant.key: _water_wh(plant, rivers[plant.river]) for plant in plants if plant.is_reservoir},
    )


def foreseen(dice: Dice, days: int, plants: tuple[Plant, ...], truth: Nature) -> Nature:
    """The month as the dispatch centre foresees each day the day before: truth with errors; water budgets are known."""
    fuels = {plant.key: plant.fuel for plant in plants}
    spreads = {"wind": _FORESEEN_WIND_PPM, "solar": _FORESEEN_SUN_PPM, "hydro": 10_000, "biomass": 5_000}
    capacity = {plant.key: plant.capacity_kw * WH_PER_KW_SLOT for plant in plants}
    return Nature(
        load_wh={
            key: _scaled(wh, _errors(dice, days, _FORESEEN_LOAD_DAY_PPM, _FORESEEN_LOAD_HOUR_PPM, "foreseen", key))
            for key, wh in truth.load_wh.items()
        },
        agency_wh=_scaled(truth.agency_wh, _errors(dice, days, _FORESEEN_AGENCY_PPM, 0, "foreseen agency")),
        available_wh={
            key: np.minimum(_scaled(wh, _errors(dice, days, spreads[fuels[key]], 0, "foreseen", key)), capacity[key])
            for key, wh in truth.available_wh.items()
        },
        budget_wh=truth.budget_wh,
    )


def _load_wh(dice: Dice, load: Load, shape_ppm: IntArray) -> IntArray:
    days = len(shape_ppm)
    noise = [
        [dice.error_ppm(_LOAD_SLOT_PPM, "load", load.key, day, slot) for slot in range(SLOTS)] for day in range(days)
    ]
    day_noise = [[dice.error_ppm(_LOAD_DAY_PPM, "load", load.key, day)] for day in range(days)]
    factor = PPM + np.array(noise, dtype=np.int64) + np.array(day_noise, dtype=np.int64)
    return _scaled(shape_ppm * load.peak_kw * WH_PER_KW_SLOT // PPM, factor)


def _agency_wh(dice: Dice, province: Province, days: int) -> IntArray:
    kw = _quarter_hours(province.load_kw)[:days]
    share = AGENCY_SHARE_PPM * _errors(dice, days, _AGENCY_DAY_PPM, 0, "agency") // PPM
    return _scaled(kw * WH_PER_KW_SLOT, share)


def _weather_wh(dice: Dice, plant: Plant, province: Province, days: int) -> IntArray:
    is_wind = plant.fuel == "wind"
    factor = _quarter_hours(province.wind_factor_ppm if is_wind else province.solar_factor_ppm)[:days]
    site_ppm = dice.between(900_000, 1_700_000, "site", plant.key) if is_wind else PPM
    errors = _errors(dice, days, _WIND_PPM if is_wind else _SUN_PPM, _WIND_PPM if is_wind else 0, "weather", plant.key)
    output_ppm = np.clip(_scaled(factor * site_ppm // PPM, errors), 0, 950_000)
    return plant.capacity_kw * WH_PER_KW_SLOT * output_ppm // PPM


def _water_wh(plant: Plant, river_ppm: IntArray) -> IntArray:
    """Energy of a day's water: the month's share of the plant's year, by the river's day."""
    mean_wh = plant.annual_gwh * WH_PER_GWH // JULY_DAYS * HYDRO_JULY_PPM // PPM
    return np.minimum(mean_wh // PPM * river_ppm, plant.capacity_kw * WH_PER_KW_SLOT * SLOTS)


def _river_ppm(dice: Dice, river: str, days: int) -> IntArray:
    """The river's day against its July mean: rising through the month, with floods and lulls that last some days."""
    swing = 0
    result = []
    for day in range(days):
        swing = swing * _RIVER_MEMORY_PPM // PPM + dice.error_ppm(_RIVER_PPM, "river", river, day)
        result.append(960_000 + 80_000 * day // (JULY_DAYS - 1) + swing)
    return np.array(result, dtype=np.int64)


def _errors(dice: Dice, days: int, day_ppm: int, hour_ppm: int, *labels: str) -> IntArray:
    """Factors around one, shape (days, 96): one error a day plus one an hour."""
    day_part = [[dice.error_ppm(day_ppm, *labels, day)] for day in range(days)]
    hour_part = [
        [dice.error_ppm(hour_ppm, *labels, day, hour) if hour_ppm else 0 for hour in range(SEGMENTS)]
        for day in range(days)
    ]
    hourly = PPM + np.array(day_part, dtype=np.int64) + np.array(hour_part, dtype=np.int64)
    return np.repeat(hourly, SLOTS_PER_SEGMENT, axis=1)


def _quarter_hours(hourly: IntArray) -> IntArray:
    """Straight lines between the hours' starts, rounded down; the last hour stays flat."""
    line = hourly.reshape(-1)
    ahead = np.append(line[1:], line[-1])
    parts = [
        (line * (SLOTS_PER_SEGMENT - part) + ahead * part) // SLOTS_PER_SEGMENT for part in range(SLOTS_PER_SEGMENT)
    ]
    return np.stack(parts, axis=1).reshape(len(hourly), SLOTS)


def _scaled(values: IntArray, factor_ppm: IntArray) -> IntArray:
    return values * factor_ppm // PPM
