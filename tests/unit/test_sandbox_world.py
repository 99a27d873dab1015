"""The sandbox month: real figures, energy that balances to the Wh, water that is never overdrawn."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from shudian.sandbox.dispatch import Shortage, dispatch
from shudian.sandbox.packaged import WH_PER_KW_SLOT
from shudian.sandbox.prices import SPOT_CAP_MYUAN_MWH, SPOT_FLOOR_MYUAN_MWH
from shudian.sandbox.world import FIRST_DAY, Balance, World, build_world

DIGEST_SCRIPT = """
import hashlib
from shudian.sandbox import bidding, finances, forecast, metering
from shudian.sandbox.world import build_world
world = build_world(3, 2)
digest = hashlib.sha256()
for balance in (world.actual, world.day_ahead):
    for table in (balance.load_wh, balance.generation_wh, balance.spilled_wh, balance.cut_wh, balance.budget_wh):
        for key, values in table.items():
            digest.update(key.encode() + values.astype("<i8").tobytes())
    digest.update(repr(balance.prices).encode())
digest.update(repr((world.companies, world.applicants, world.plants, world.loads)).encode())
for company in world.companies_of("generator", "retailer", "user"):
    digest.update(repr(forecast.month_forecast_kwh(world, company.key)).encode())
    digest.update(repr(bidding.auction_bids(world, company.key)).encode())
    digest.update(repr(bidding.rolling_intents(world, company.key, 20260702, (0,) * 24)).encode())
digest.update(repr((forecast.agency_contracts(world), metering.faults(world), finances.deposits(world))).encode())
print(digest.hexdigest())
"""


# Changes with the model or its data, and with nothing else: not with the machine, the Python build or the hash seed.
KNOWN_DIGEST = "f801db2a5f5677b5f916cfc3c79b94ad4cba23f98caf36d6cbcd59ee3ed28491\n"


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(7)


@pytest.fixture(params=["actual", "day_ahead"])
def balance(world: World, request: pytest.FixtureRequest) -> Balance:
    return world.actual if request.param == "actual" else world.day_ahead


def test_energy_balances_in_every_quarter_hour_to_the_wh(world: World, balance: Balance) -> None:
    use = sum(balance.load_wh.values()) + balance.agency_wh
    generation = sum(balance.generation_wh.values())
    assert np.array_equal(generation, use + balance.loss_wh)
    assert np.array_equal(balance.loss_wh, use * 30_000 // 1_000_000)
    assert use.shape == (world.days, 96)
    assert int(use.min()) > 0


def test_no_plant_leaves_its_limits(world: World, balance: Balance) -> None:
    for plant in world.plants:
        output = balance.generation_wh[plant.key]
        assert int(output.min()) >= plant.min_output_kw * WH_PER_KW_SLOT, plant.key
        assert int(output.max()) <= plant.capacity_kw * WH_PER_KW_SLOT, plant.key


def test_reservoirs_keep_to_their_daily_water(world: World, balance: Balance) -> None:
    for plant in world.plants:
        if plant.is_reservoir:
            used = balance.generation_wh[plant.key].sum(axis=1)
            assert np.array_equal(used + balance.spilled_wh[plant.key], balance.budget_wh[plant.key]), plant.key
            assert int(balance.spilled_wh[plant.key].min()) >= 0, plant.key


def test_wet_july_looks_like_one(world: World) -> None:
    hydro = [plant for plant in world.plants if plant.fuel == "hydro"]
    energy_wh = sum(int(world.actual.generation_wh[plant.key].sum()) for plant in hydro)
    hours = sum(plant.capacity_kw for plant in hydro) * 1_000 * 24 * world.days
    assert 60 <= energy_wh * 100 // hours <= 80
    coal = sum(int(world.actual.generation_wh[plant.key].sum()) for plant in world.plants if plant.fuel == "coal")
    assert coal * 5 < energy_wh
    night = sum(int(wh[:, :24].sum()) for wh in world.actual.cut_wh.values())
    evening = sum(int(wh[:, 72:88].sum()) for wh in world.actual.cut_wh.values())
    assert night > 0
    assert night > 10 * evening


def test_spot_prices_stay_in_their_band_and_peak_in_the_evening(balance: Balance) -> None:
    prices = np.array(balance.prices.price_myuan_mwh)
    assert int(prices.min()) >= SPOT_FLOOR_MYUAN_MWH
    assert int(prices.max()) <= SPOT_CAP_MYUAN_MWH
    assert int(prices.min()) < 0
    by_hour = prices.mean(axis=0)
    assert by_hour[17:22].min() > by_hour[9:17].max() > by_hour[2:6].max()


def test_spot_prices_are_set_by_a_plant_that_runs(world: World) -> None:
    for day, names in enumerate(world.actual.prices.set_by):
        for hour, name in enumerate(names):
            assert int(world.actual.generation_wh[name][day, 4 * hour : 4 * hour + 4].sum()) > 0


def test_day_ahead_differs_from_what_happens_but_not_by_much(world: World) -> None:
    for load in world.loads:
        actual, foreseen = world.actual.load_wh[load.key].sum(), world.day_ahead.load_wh[load.key].sum()
        assert actual != foreseen
        assert abs(int(actual - foreseen)) * 100 < 3 * int(actual)


def test_contract_demand_covers_the_highest_quarter_hour(world: World) -> None:
    for load in world.loads:
        assert int(world.actual.load_wh[load.key].max()) <= load.contract_demand_kw * WH_PER_KW_SLOT, load.key
        assert int(world.actual.load_wh[load.key].min()) >= 0


def test_weekends_fall_on_weekends(world: World) -> None:
    """July 2026 starts on a Wednesday: days 3, 4, 10, 11 ... are weekends, on which an office-hours factory rests."""
    assert FIRST_DAY == 20260701
    daily = world.actual.load_wh["turbine_deyang"].sum(axis=1)
    weekend = [index for index in range(world.days) if index % 7 in (3, 4)]
    working = [index for index in range(world.days) if index % 7 not in (3, 4)]
    assert max(daily[weekend]) < min(daily[working])


def test_shorter_worlds_are_the_same_days() -> None:
    short, longer = build_world(7, 2), build_world(7, 4)
    assert np.array_equal(short.actual.load_wh["alu_guangyuan"], longer.actual.load_wh["alu_guangyuan"][:2])
    assert np.array_equal(short.actual.generation_wh["ertan"], longer.actual.generation_wh["ertan"][:2])


@pytest.mark.parametrize("days", [0, 32])
def test_days_outside_the_month_are_refused(days: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 31"):
        build_world(1, days)


@pytest.mark.parametrize("seed", range(6))
def test_other_seeds_balance_too(seed: int) -> None:
    world = build_world(seed)
    use = sum(world.actual.load_wh.values()) + world.actual.agency_wh + world.actual.loss_wh
    assert np.array_equal(sum(world.actual.generation_wh.values()), use)


def test_shortage_is_said(world: World) -> None:
    none = np.zeros((1, 96), dtype=np.int64)
    water = {key: budget[:1] for key, budget in world.actual.budget_wh.items()}
    nature = {plant.key: none for plant in world.plants if not plant.is_reservoir and not plant.is_thermal}
    with pytest.raises(Shortage, match="uncovered"):
        dispatch(world.plants, none + 60_000_000_000, nature, water)
    with pytest.raises(Shortage, match="least output"):
        dispatch(world.plants, none, nature, water)


def test_same_bytes_in_any_process() -> None:
    root = Path(__file__).parents[2] / "src"
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST_SCRIPT],
            env={**os.environ, "PYTHONPATH": str(root), "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert digests == {KNOWN_DIGEST}
