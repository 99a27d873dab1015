"""What members believe, offer, report and pay in."""

from collections import Counter

import pytest

from shudian.sandbox import bidding, finances, forecast, metering
from shudian.sandbox.dice import Dice
from shudian.sandbox.world import World, build_world

TRADERS = ("generator", "retailer", "user")


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(7)


def keys(world: World, *kinds: str) -> list[str]:
    return [company.key for company in world.companies_of(*kinds)]


# --- chance ---


def test_dice_depend_on_seed_and_labels_alone() -> None:
    dice = Dice(5)
    assert dice.draw("a", 1) == Dice(5).draw("a", 1)
    assert len({dice.draw("a", 1), dice.draw("a", 11), dice.draw("a1", 1), Dice(6).draw("a", 1)}) == 4
    assert dice.draw("known") == 18_356_038_429_665_503_432


def test_dice_errors_are_centred_and_spread_as_asked() -> None:
    errors = [Dice(1).error_ppm(10_000, number) for number in range(4_000)]
    assert abs(sum(errors)) < 4_000 * 500
    deviation_squared = sum(error * error for error in errors) // 4_000
    assert 95_000_000 < deviation_squared < 105_000_000
    assert max(map(abs, errors)) <= 34_700


# --- forecasts ---


def test_forecasts_are_near_the_truth_but_not_it(world: World) -> None:
    for key in keys(world, *TRADERS):
        believed = forecast.month_forecast_kwh(world, key)
        true = world.energy_kwh[key].sum(axis=0)
        assert len(believed) == 24
        assert tuple(true) != believed
        assert abs(sum(believed) - int(true.sum())) * 100 <= 14 * int(true.sum())
        day = forecast.day_forecast_kwh(world, key, 20260715)
        assert abs(sum(day) - int(world.energy_kwh[key][14].sum())) * 100 <= 16 * int(world.energy_kwh[key][14].sum())


def test_market_and_agency_share_out_the_generation(world: World) -> None:
    contracts = {contract.generator_key: contract for contract in forecast.agency_contracts(world)}
    assert sorted(contracts) == sorted(keys(world, "generator"))
    for key, contract in contracts.items():
        expected = forecast.month_forecast_kwh(world, key)
        free = forecast.market_part_kwh(world, expected)
        for whole, part, sold in zip(expected, free, contract.energy_kwh, strict=True):
            assert 0 <= whole - part - sold < forecast.AGENCY_LOT_KWH
            assert sold % forecast.AGENCY_LOT_KWH == 0
    sold = sum(sum(contract.energy_kwh) for contract in contracts.values())
    needed = int(world.actual.agency_wh.sum()) // 1_000
    assert abs(sold - needed) * 100 < 6 * needed


@pytest.mark.parametrize("day", [20260630, 20260801])
def test_days_outside_the_month_are_refused(world: World, day: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        forecast.day_forecast_kwh(world, "alu_guangyuan", day)
    with pytest.raises(ValueError, match="outside"):
        metering.reported_wh(world, "ertan", day)


# --- the auction ---


def test_auction_bids_are_whole_lots_in_the_band(world: World) -> None:
    for key in keys(world, *TRADERS):
        bids = bidding.auction_bids(world, key)
        assert bids, key
        side = "sell" if world.company_by_key[key].kind == "generator" else "buy"
        for bid in bids:
            assert bid.side == side
            assert 0 <= bid.price_myuan_mwh <= 481_440
            assert bid.price_myuan_mwh % 10 == 0
            assert bid.quantity_kwh > 0
            assert bid.quantity_kwh % 1_000 == 0
        per_segment = Counter(bid.segment for bid in bids)
        assert set(per_segment) <= set(range(1, 25))
        assert max(per_segment.values()) <= 3


def test_auction_lot_is_a_parameter(world: World) -> None:
    assert all(bid.quantity_kwh % 50_000 == 0 for bid in bidding.auction_bids(world, "steel_panzhihua", 50_000))


def test_institutions_do_not_bid(world: World) -> None:
    assert bidding.auction_bids(world, "grid") == []


def test_buyers_never_ask_for_more_than_they_expect(world: World) -> None:
    for key in keys(world, "user", "retailer"):
        expected = forecast.month_forecast_kwh(world, key)
        for segment in range(1, 25):
            wanted = sum(bid.quantity_kwh for bid in bidding.auction_bids(world, key) if bid.segment == segment)
            assert wanted <= expected[segment - 1]


@pytest.mark.parametrize("seed", [1, 7, 42])
def test_auction_clears_most_of_what_buyers_need_at_july_prices(seed: int) -> None:
    world = build_world(seed)
    bids = [bid for key in keys(world, *TRADERS) for bid in bidding.auction_bids(world, key)]
    forecasts = [forecast.month_forecast_kwh(world, key) for key in keys(world, "user", "retailer")]
    needed, cleared, value = 0, 0, 0
    prices = []
    for segment in range(1, 25):
        volume, price = crossing([bid for bid in bids if bid.segment == segment])
        needed += sum(energy[segment - 1] for energy in forecasts)
        cleared += volume
        value += volume * price
        prices.append(price)
    assert 70 * needed <= 100 * cleared <= 85 * needed
    assert 160_000 <= value // cleared <= 230_000
    assert min(prices[17:22]) > max(prices[:6])


def crossing(bids: list[bidding.Bid]) -> tuple[int, int]:
    """Volume and last selling price where the two curves cross; only a yardstick, not the market's clearing."""
    volume, price = 0, 0
    for candidate in sorted({bid.price_myuan_mwh for bid in bids}):
        offered = sum(bid.quantity_kwh for bid in bids if bid.side == "sell" and bid.price_myuan_mwh <= candidate)
        wanted = sum(bid.quantity_kwh for bid in bids if bid.side == "buy" and bid.price_myuan_mwh >= candidate)
        if min(offered, wanted) > volume:
            volume, price = min(offered, wanted), candidate
    return volume, price


# --- daily rolling ---


def contracted(world: World, key: str) -> tuple[int, ...]:
    free = forecast.month_forecast_kwh(world, key)
    if world.company_by_key[key].kind == "generator":
        free = forecast.market_part_kwh(world, free)
    return tuple(energy * 3 // 4 // world.days for energy in free)


@pytest.mark.parametrize("day", [20260701, 20260712, 20260731])
def test_rolling_bids_are_many_well_formed_and_meet(world: World, day: int) -> None:
    bids = [
        bid for key in keys(world, *TRADERS) for bid in bidding.rolling_intents(world, key, day, contracted(world, key))
    ]
    assert 300 <= len(bids) <= 700
    for bid in bids:
        assert 0 <= bid.price_myuan_mwh <= 481_440
        assert bid.quantity_kwh > 0
        assert bid.quantity_kwh % 100 == 0
        assert 0 <= bid.minute < bidding.SESSION_MINUTES
        assert 1 <= bid.segment <= 24
    meeting = 0
    for segment in range(1, 25):
        best_sell = min((b.price_myuan_mwh for b in bids if b.segment == segment and b.side == "sell"), default=10**9)
        meeting += sum(b.side == "buy" and b.price_myuan_mwh >= best_sell for b in bids if b.segment == segment)
    assert meeting > 50
    assert any(bid.replaces is not None for bid in bids)


def test_rolling_replacement_names_an_earlier_bid_for_the_same_thing(world: World) -> None:
    seen = 0
    for key in keys(world, *TRADERS):
        bids = bidding.rolling_intents(world, key, 20260710, (0,) * 24)
        assert [bid.minute for bid in bids] == sorted(bid.minute for bid in bids)
        for position, bid in enumerate(bids):
            if bid.replaces is not None:
                seen += 1
                before = bids[bid.replaces]
                assert bid.replaces < position
                assert (before.segment, before.side) == (bid.segment, bid.side)
                assert (bid.price_myuan_mwh > before.price_myuan_mwh) == (bid.side == "buy")
    assert seen > 20


@pytest.mark.parametrize(
    ("key", "contracted_kwh", "side"),
    [
        ("alu_guangyuan", 0, "buy"),
        ("alu_guangyuan", 9_000_000, "sell"),
        ("gen_yalong", 0, "sell"),
        ("gen_yalong", 90_000_000, "buy"),
    ],
)
def test_rolling_side_follows_the_open_position(world: World, key: str, contracted_kwh: int, side: str) -> None:
    bids = bidding.rolling_intents(world, key, 20260710, (contracted_kwh,) * 24)
    assert bids
    assert {bid.side for bid in bids} == {side}


def test_who_has_what_it_needs_stays_away(world: World) -> None:
    exact = forecast.day_forecast_kwh(world, "alu_guangyuan", 20260710)
    assert bidding.rolling_intents(world, "alu_guangyuan", 20260710, exact) == []


def test_rolling_needs_all_segments(world: World) -> None:
    with pytest.raises(ValueError, match="24 values, not 2"):
        bidding.rolling_intents(world, "alu_guangyuan", 20260710, (1, 2))


# --- meters ---


def test_meters_tell_the_truth_but_for_three_faulty_ones(world: World) -> None:
    faults = {(fault.resource_key, fault.day): fault for fault in metering.faults(world)}
    assert sorted(fault.kind for fault in faults.values()) == ["implausible", "long_gap", *["short_gap"] * 3]
    assert len({key for key, _ in faults}) == 3
    assert len({(fault.kind, fault.resource_key) for fault in faults.values()}) == 3
    for (key, day), fault in faults.items():
        reported, true = metering.reported_wh(world, key, day), metering.true_wh(world, key, day)
        length = len(fault.true_wh)
        wrong = [slot for slot in range(96) if reported[slot] != true[slot]]
        assert wrong == list(range(fault.first_slot, fault.first_slot + length))
        assert true[fault.first_slot : fault.first_slot + length] == fault.true_wh
        assert length == {"short_gap": 2, "long_gap": 11, "implausible": 1}[fault.kind]
        if fault.kind == "implausible":
            assert reported[fault.first_slot] > world.load_of(key).contract_demand_kw * 250
        else:
            assert set(fault.reported_wh) == {metering.MISSING}
    assert metering.reported_wh(world, "ertan", 20260731) == tuple(world.actual.generation_wh["ertan"][30])


# --- money ---


def test_deposits_cover_a_dear_month_and_one_comes_late(world: World) -> None:
    deposits = finances.deposits(world)
    assert [deposit.company_key for deposit in deposits if deposit.is_late] == ["cement_emei"]
    total: Counter[str] = Counter()
    for deposit in deposits:
        assert deposit.amount_fen > 0
        total[deposit.company_key] += deposit.amount_fen
    for key in keys(world, "user", "retailer"):
        month_kwh = int(world.energy_kwh[key].sum())
        assert total[key] > month_kwh * 60  # 0.60 yuan/kWh


def test_guarantee_is_the_larger_of_two_rules(world: World) -> None:
    """Equal months: two months at 50 yuan/MWh beat twelve at 8; 100 yuan per MWh of the month, up to 10,000 yuan."""
    month_kwh = sum(forecast.month_forecast_kwh(world, "retail_shuneng"))
    assert finances.guarantee_fen(world, "retail_shuneng") == -(-month_kwh * 10 // 1_000_000) * 1_000_000
