"""How members offer: from costs and water, from their own forecast and their own opinion of the price.

Nobody knows anybody else's offers and nothing is scripted to match. A generator's market energy is its forecast times the
published market space; the rest is under agency contracts (:func:`shudian.sandbox.forecast.agency_contracts`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shudian.sandbox.forecast import day_forecast_kwh, market_part_kwh, month_forecast_kwh
from shudian.sandbox.packaged import PPM, SEGMENTS
from shudian.sandbox.prices import HOUR_VALUE_MYUAN_MWH, water_value_ppm
from shudian.sandbox.world import World

# Order limits of Sichuan's medium and long-term trades 2026 (domain 3.9).
PRICE_FLOOR_MYUAN_MWH = 0
PRICE_CAP_MYUAN_MWH = 481_440
PRICE_STEP_MYUAN_MWH = 10
AUCTION_LOT_KWH = 1_000
ROLLING_LOT_KWH = 100
SESSION_MINUTES = 330  # 09:30 to 15:00


@dataclass(frozen=True)
class Bid:
    """One order. ``segment`` is 1-24, ``side`` buy or sell, ``quantity_kwh`` whole lots, the price within the band.

    ``minute`` counts from the session's opening (0-329); a member's bids come in its order. ``replaces`` is the position, in
    the same list, of an earlier bid whose rest is cancelled just before this one is placed.
    """

    segment: int
    side: str
    price_myuan_mwh: int
    quantity_kwh: int
    minute: int = 0
    replaces: int | None = None


# Tranches: (share of expected energy, price against the member's own value), both ppm.
_HYDRO_TRANCHES = ((560_000, 880_000), (290_000, 980_000), (130_000, 1_120_000))
_WEATHER_TRANCHES = ((600_000, 720_000), (250_000, 920_000))
_MUST_RUN_TRANCHES = ((900_000, 450_000),)
_BUY_TRANCHES = {
    "high": ((620_000, 1_170_000), (230_000, 1_020_000), (100_000, 870_000)),
    "middle": ((560_000, 1_120_000), (250_000, 1_000_000), (130_000, 850_000)),
    "low": ((520_000, 1_080_000), (270_000, 980_000), (150_000, 830_000)),
}
_OPINION_PPM = 25_000

# Coal and gas also offer idle capacity at marginal cost in the evening: share of capacity per hour, h18-h22.
_EVENING_SEGMENTS = range(18, 23)
_EVENING_CAPACITY_PPM = 60_000


def auction_bids(world: World, company_key: str, lot_kwh: int = AUCTION_LOT_KWH) -> list[Bid]:
    """A member's orders in the monthly call auction: one to three tranches a segment; none for institutions.

    Args:
        world: the sandbox month.
        company_key: generator, retailer or user.
        lot_kwh: orders are whole lots, rounded down; what is below one lot is not offered.
    """
    kind = world.company_by_key[company_key].kind
    if kind == "generator":
        bids = _seller_bids(world, company_key, lot_kwh)
    elif kind in ("retailer", "user"):
        bids = _buyer_bids(world, company_key, lot_kwh)
    else:
        bids = []
    return sorted(bids, key=lambda bid: (bid.segment, bid.price_myuan_mwh))


def _seller_bids(world: World, company_key: str, lot_kwh: int) -> list[Bid]:
    expected = market_part_kwh(world, month_forecast_kwh(world, company_key))
    tranches, value_of = _seller_plan(world, company_key)
    bids = [
        _bid(
            segment, "sell", value_of[segment - 1] * price_ppm // PPM, expected[segment - 1] * share_ppm // PPM, lot_kwh
        )
        for segment in range(1, SEGMENTS + 1)
        for share_ppm, price_ppm in tranches
    ]
    idle = [plant for plant in world.plants_of(company_key) if plant.is_thermal]
    bids += [
        _bid(segment, "sell", plant.marginal_cost_myuan_mwh,
             plant.capacity_kw * world.days * _EVENING_CAPACITY_PPM // PPM, lot_kwh)
        for plant in idle
        for segment in _EVENING_SEGMENTS
    ]  # fmt: skip
    return [bid for bid in bids if bid.quantity_kwh]


def _seller_plan(world: World, company_key: str) -> tuple[Sequence[tuple[int, int]], tuple[int, ...]]:
    """Tranches and the value of each segment's energy (milli-yuan per MWh) to this seller."""
    plants = world.plants_of(company_key)
    largest = max(plants, key=lambda plant: (plant.capacity_kw, plant.key))
    opinion_ppm = PPM + world.dice.error_ppm(_OPINION_PPM, "seller", company_key)
    if largest.is_thermal:
        return _MUST_RUN_TRANCHES, (largest.marginal_cost_myuan_mwh,) * SEGMENTS
    if largest.fuel == "hydro":
        capacity = sum(plant.capacity_kw for plant in plants)
        water_ppm = sum(water_value_ppm(world.dice, plant) * plant.capacity_kw for plant in plants) // capacity
        return _HYDRO_TRANCHES, _hour_values(water_ppm * opinion_ppm // PPM)
    return _WEATHER_TRANCHES, _hour_values(opinion_ppm)


def _buyer_bids(world: World, company_key: str, lot_kwh: int) -> list[Bid]:
    expected = month_forecast_kwh(world, company_key)
    opinion = _hour_values(PPM + world.dice.error_ppm(_OPINION_PPM, "buyer", company_key))
    bids = [
        _bid(segment, "buy", opinion[segment - 1] * price_ppm // PPM, expected[segment - 1] * share_ppm // PPM, lot_kwh)
        for segment in range(1, SEGMENTS + 1)
        for share_ppm, price_ppm in _BUY_TRANCHES[world.load_of(company_key).willingness]
    ]
    return [bid for bid in bids if bid.quantity_kwh]


def _hour_values(factor_ppm: int) -> tuple[int, ...]:
    return tuple(value * factor_ppm // PPM for value in HOUR_VALUE_MYUAN_MWH)


# --- daily rolling match, delivery in two days ---

_THRESHOLD_PPM = 30_000  # differences below 3 % of the day's forecast are left to the spot market
_SPOT_WEIGHT_PPM = 250_000  # how far the coming spot price colours the opinion
_ROLLING_OPINION_PPM, _SEGMENT_OPINION_PPM = 25_000, 20_000
_MOST_URGENCY_PPM = 60_000
_CROSSING_PPM, _CROSSING_STEP_PPM = 120_000, 70_000
_REPRICING_PPM, _REPRICING_STEP_PPM = 180_000, 35_000
_FEWEST_SEGMENTS, _MOST_SEGMENTS = 5, 9


def rolling_intents(
    world: World,
    company_key: str,
    delivery_day: int,
    contracted_kwh_by_segment: Sequence[int],
    lot_kwh: int = ROLLING_LOT_KWH,
) -> list[Bid]:
    """What a member orders in the rolling session two days before ``delivery_day``, in the order of its minutes.

    It compares its forecast with what it has contracted and orders a part of the difference, in the segments where the
    difference is largest. The price follows its opinion and the urgency; some members cross the spread, some re-price.

    Args:
        world: the sandbox month.
        company_key: generator, retailer or user.
        delivery_day: yyyymmdd, within the world.
        contracted_kwh_by_segment: 24 values for that day, market contracts only (without agency contracts): net bought
            of a buyer, net sold of a generator.
        lot_kwh: orders are whole lots, rounded down.

    Raises:
        KeyError: if the company neither buys nor generates.
        ValueError: if the day is outside the world or there are not 24 values.
    """
    if len(contracted_kwh_by_segment) != SEGMENTS:
        message = f"contracted_kwh_by_segment needs {SEGMENTS} values, not {len(contracted_kwh_by_segment)}"
        raise ValueError(message)
    is_seller = world.company_by_key[company_key].kind == "generator"
    expected = day_forecast_kwh(world, company_key, delivery_day)
    expected = market_part_kwh(world, expected) if is_seller else expected
    dice, index = world.dice, world.index_of(delivery_day)
    open_kwh = {
        segment: expected[segment - 1] - contracted_kwh_by_segment[segment - 1] for segment in range(1, SEGMENTS + 1)
    }
    wanted = [segment for segment, kwh in open_kwh.items() if abs(kwh) * PPM > expected[segment - 1] * _THRESHOLD_PPM]
    wanted.sort(
        key=lambda segment: (
            -abs(open_kwh[segment]) * dice.between(50, 150, "wish", company_key, index, segment),
            segment,
        )
    )
    most = dice.between(_FEWEST_SEGMENTS, _MOST_SEGMENTS, "segments", company_key, index)
    drafts: list[tuple[Bid, Bid | None]] = []
    for segment in wanted[:most]:
        buys = (open_kwh[segment] > 0) != is_seller
        urgency_ppm = min(abs(open_kwh[segment]) * PPM // max(expected[segment - 1], 1) // 4, _MOST_URGENCY_PPM)
        drafts.append(_draft(world, company_key, index, segment, abs(open_kwh[segment]), buys, urgency_ppm, lot_kwh))
    return _in_time_order(drafts)


def _draft(
    world: World, company_key: str, index: int, segment: int, open_kwh: int, buys: bool, urgency_ppm: int, lot_kwh: int
) -> tuple[Bid, Bid | None]:
    """One order for part of an open quantity, and the re-priced order that may follow it."""
    dice, labels = world.dice, (company_key, index, segment)
    towards = 1 if buys else -1
    opinion_ppm = (
        PPM
        + dice.error_ppm(_ROLLING_OPINION_PPM, "opinion", company_key, index)
        + dice.error_ppm(_SEGMENT_OPINION_PPM, "opinion", *labels)
    )
    crossing_ppm = _CROSSING_STEP_PPM if dice.chance(_CROSSING_PPM, "cross", *labels) else 0
    price_ppm = opinion_ppm + towards * (urgency_ppm + crossing_ppm - _MOST_URGENCY_PPM // 2)
    usual = _coming_price(world, index, segment)
    quantity = open_kwh * dice.between(400_000, 1_000_000, "part", *labels) // PPM
    minute = dice.between(0, SESSION_MINUTES - 1, "minute", *labels)
    side = "buy" if buys else "sell"
    bid = _bid(segment, side, usual * price_ppm // PPM, quantity, lot_kwh, minute)
    if minute + 1 >= SESSION_MINUTES or not dice.chance(_REPRICING_PPM, "re-price", *labels):
        return bid, None
    later = dice.between(minute + 1, SESSION_MINUTES - 1, "later", *labels)
    new_ppm = price_ppm + towards * _REPRICING_STEP_PPM
    return bid, _bid(segment, side, usual * new_ppm // PPM, quantity, lot_kwh, later)


def _coming_price(world: World, index: int, segment: int) -> int:
    """What the market at large expects of an hour: its usual value, coloured by what the weather promises for the spot."""
    spot = world.day_ahead.prices.price_myuan_mwh[index][segment - 1]
    return (HOUR_VALUE_MYUAN_MWH[segment - 1] * (PPM - _SPOT_WEIGHT_PPM) + spot * _SPOT_WEIGHT_PPM) // PPM


def _in_time_order(drafts: Sequence[tuple[Bid, Bid | None]]) -> list[Bid]:
    """All bids by minute, with ``replaces`` pointing to positions in the result."""
    entries = sorted(_entries(drafts), key=lambda entry: (entry[0].minute, entry[1], entry[2]))
    place = {(number, again): position for position, (_, number, again) in enumerate(entries)}
    return [
        Bid(
            bid.segment,
            bid.side,
            bid.price_myuan_mwh,
            bid.quantity_kwh,
            bid.minute,
            place[number, False] if again else None,
        )
        for bid, number, again in entries
    ]


def _entries(drafts: Sequence[tuple[Bid, Bid | None]]) -> Iterator[tuple[Bid, int, bool]]:
    for number, (bid, repriced) in enumerate(drafts):
        if bid.quantity_kwh:
            yield bid, number, False
            if repriced:
                yield repriced, number, True


def _bid(segment: int, side: str, price_myuan_mwh: int, quantity_kwh: int, lot_kwh: int, minute: int = 0) -> Bid:
    price = min(max(price_myuan_mwh, PRICE_FLOOR_MYUAN_MWH), PRICE_CAP_MYUAN_MWH)
    return Bid(
        segment, side, price // PRICE_STEP_MYUAN_MWH * PRICE_STEP_MYUAN_MWH, quantity_kwh // lot_kwh * lot_kwh, minute
    )
