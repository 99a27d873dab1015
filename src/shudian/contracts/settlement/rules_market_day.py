"""What a day comes to for everybody: agreements priced, meters added up, deviation settled. Reads only; ``rules_days`` books it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shudian.clearing.deviation import deviations_of_rows
from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import SlotFacts
from shudian.contracts.governance import rules as governance
from shudian.contracts.identity import rules as identity
from shudian.contracts.metering import rules as metering
from shudian.contracts.metering.messages import Direction
from shudian.contracts.roles import Kind
from shudian.contracts.settlement.messages_facts import RuleCode
from shudian.contracts.settlement.messages_refusals import (
    DAY_AHEAD_MISSING,
    RULES_DO_NOT_FIT,
)
from shudian.contracts.settlement.rules_formulas import RecoveryRates, f5_recovery_fen
from shudian.contracts.settlement.rules_green import Claim, Shares, share_out
from shudian.contracts.settlement.state import DAY_AHEAD, ReferencePrices
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext
from shudian.kernel.outcomes import both
from shudian.kernel.tables import HasStore
from shudian.kernel.units import SEGMENTS_PER_DAY, split_largest_remainder

RULE_CODE = "settlement.rule_code"
RULED_KINDS = (Kind.GENERATOR, Kind.RETAILER, Kind.USER)
"""Kinds that a deviation rule holds for; the grid company is everybody's other side."""

_NO_ENERGY = (0,) * SEGMENTS_PER_DAY


def rules_of_month(at: HasStore, month: int) -> Mapping[Kind, RuleCode]:
    """The deviation rule of each kind of member: that of the month's first day holds for the whole month.

    F4 lets agreements follow metered energy, so it holds for all kinds or for none. Refuses: 2003, 10006.
    """
    first_day = clock.month_first_day(month)
    codes = {kind: governance.setting(at, RULE_CODE, first_day, kind) for kind in RULED_KINDS}
    known = tuple(RuleCode)
    for kind, code in codes.items():
        is_mixed = (code == RuleCode.MONTHLY_BAND) != (codes[RULED_KINDS[0]] == RuleCode.MONTHLY_BAND)
        if code not in known or is_mixed:
            raise RULES_DO_NOT_FIT(
                "rule_code", f"{kind} {code}", both("1 与 2，或各类均为 4", "1 and 2, or 4 for every kind")
            )
    return {kind: RuleCode(code) for kind, code in codes.items()}


@dataclass
class MemberDay:
    """Sums of one member's day; energy from the grid and money owed are positive, lists are by segment."""

    contract_kwh: list[int] = field(default_factory=lambda: list(_NO_ENERGY))
    contract_fen: list[int] = field(default_factory=lambda: list(_NO_ENERGY))
    metered_kwh: list[int] = field(default_factory=lambda: list(_NO_ENERGY))
    used_kwh: list[int] = field(default_factory=lambda: list(_NO_ENERGY))
    generation_kwh: int = 0
    day_ahead_kwh: int = 0
    day_ahead_fen: int = 0
    deviation_kwh: int = 0
    deviation_fen: int = 0
    recovery_fen: int = 0
    returned_fen: int = 0


@dataclass(frozen=True)
class AgreementDay:
    """What an agreement delivered on a day."""

    agreement_id: int
    seller_id: int
    buyer_id: int
    energy_kwh: int
    amount_fen: int


@dataclass(frozen=True)
class MeteredDay:
    """What a resource metered one way on a day, by segment."""

    owner_id: int
    segments_kwh: Sequence[int]


@dataclass
class MarketDay:
    """A day of the market.

    members: by id. booked: agreements by id. loads, generation: by resource. green: by agreement, what it certified hour by hour.
    """

    day: int
    grid_id: int
    members: dict[int, MemberDay] = field(default_factory=dict)
    booked: list[AgreementDay] = field(default_factory=list)
    loads: dict[int, MeteredDay] = field(default_factory=dict)
    generation: dict[int, MeteredDay] = field(default_factory=dict)
    green: dict[int, Shares] = field(default_factory=dict)

    def member(self, member_id: int) -> MemberDay:
        """A member's day, begun if there is none."""
        return self.members.setdefault(member_id, MemberDay())


def market_day(at: BlockContext, day: int, agreement_ids: Sequence[int], prices: ReferencePrices) -> MarketDay:
    """What a day comes to with the readings of now and the agreements that deliver on it. Refuses: 2003, 3005, 7003, 10005, 10006."""
    market = MarketDay(day, identity.the_only(at, Kind.GRID_COMPANY))
    market.member(market.grid_id)
    claims = _deliver(at, market, agreement_ids)
    _meter(at, market)
    rules = rules_of_month(at, clock.month_of(day))
    _settle_deviation(at, market, rules, prices)
    _recover(at, market, rules, prices)
    if claims:
        generated = {resource_id: metered.segments_kwh for resource_id, metered in market.generation.items()}
        used = {member_id: own.used_kwh for member_id, own in market.members.items()}
        market.green = share_out(at, claims, generated, used)
    return market


def _deliver(at: BlockContext, market: MarketDay, agreement_ids: Sequence[int]) -> list[Claim]:
    """Price every agreement's day, line by line, and add energy and money to both sides; returns the claims of green ones."""
    claims = []
    for agreement_id in agreement_ids:
        terms = agreements.terms(at, agreement_id)
        buyer, seller = market.member(terms.buyer_id), market.member(terms.seller_id)
        total_fen, segments_kwh = 0, list(_NO_ENERGY)
        for line_no, energy_kwh in enumerate(agreements.day_lines_kwh(at, agreement_id, market.day)):
            if not energy_kwh:
                continue
            segment = terms.lines[line_no].segment
            amount_fen = agreements.price(terms, SlotFacts(market.day, line_no, energy_kwh))[0]
            buyer.contract_kwh[segment] += energy_kwh
            buyer.contract_fen[segment] += amount_fen
            seller.contract_kwh[segment] -= energy_kwh
            seller.contract_fen[segment] -= amount_fen
            segments_kwh[segment] += energy_kwh
            total_fen += amount_fen
        booked = AgreementDay(agreement_id, terms.seller_id, terms.buyer_id, sum(segments_kwh), total_fen)
        market.booked.append(booked)
        if terms.green is not None:
            claims.append(Claim(agreement_id, terms, terms.green, segments_kwh))
    return claims


def _meter(at: BlockContext, market: MarketDay) -> None:
    """Add every bound meter's energy to its owner and its resource. Refuses: 7003."""
    for meter_id in metering.meters_on(at, market.day):
        meter = metering.meter(at, meter_id)
        segments_kwh = metering.day_segments_kwh(at, meter_id, market.day)
        owner = market.member(meter.owner_id)
        if meter.direction == Direction.LOAD:
            metered = market.loads
            owner.used_kwh = list(map(int.__add__, owner.used_kwh, segments_kwh))
            owner.metered_kwh = list(map(int.__add__, owner.metered_kwh, segments_kwh))
        else:
            metered = market.generation
            owner.generation_kwh += sum(segments_kwh)
            owner.metered_kwh = list(map(int.__sub__, owner.metered_kwh, segments_kwh))
        before = metered.get(meter.resource_id)
        together = segments_kwh if before is None else tuple(map(int.__add__, before.segments_kwh, segments_kwh))
        metered[meter.resource_id] = MeteredDay(meter.owner_id, together)


def _settle_deviation(
    at: BlockContext, market: MarketDay, rules: Mapping[Kind, RuleCode], prices: ReferencePrices
) -> None:
    """Price what each member used or produced beside its agreements; the grid company takes the other side. Refuses: 10005."""
    single: list[MemberDay] = []
    double: list[tuple[MemberDay, Sequence[int]]] = []
    for member_id, own in sorted(market.members.items()):
        if member_id == market.grid_id:
            continue
        rule = rules[identity.member(at, member_id).kind]
        if rule is RuleCode.TWO_SETTLEMENT:
            award = DAY_AHEAD.get(at, market.day, member_id)
            if award is None:
                raise DAY_AHEAD_MISSING(
                    "member_id", member_id, both(f"{market.day} 的日前出清量", f"an award for {market.day}")
                )
            double.append((own, award.quantities_kwh))
        elif rule is RuleCode.SINGLE_SETTLEMENT:
            single.append(own)
    _single_settlement(single, prices)
    _two_settlement(double, prices)
    grid = market.members[market.grid_id]
    for own in (*single, *(own for own, _ in double)):
        grid.day_ahead_kwh -= own.day_ahead_kwh
        grid.day_ahead_fen -= own.day_ahead_fen
        grid.deviation_kwh -= own.deviation_kwh
        grid.deviation_fen -= own.deviation_fen


def _single_settlement(days: Sequence[MemberDay], prices: ReferencePrices) -> None:
    """F2 of all members together, in columns; :func:`rules_formulas.f2_deviation_fen` is the formula of one hour."""
    found = deviations_of_rows(
        [own.contract_kwh for own in days], [own.metered_kwh for own in days], prices.real_time_myuan_mwh
    )
    for own, (energy_kwh, amount_fen) in zip(days, found, strict=True):
        own.deviation_kwh, own.deviation_fen = energy_kwh, amount_fen


def _two_settlement(days: Sequence[tuple[MemberDay, Sequence[int]]], prices: ReferencePrices) -> None:
    """Both legs of F1 of all members together, in columns; :func:`rules_formulas.f1_deviation_fen` is the formula of one hour."""
    awards_kwh = [award_kwh for _, award_kwh in days]
    day_ahead = deviations_of_rows([own.contract_kwh for own, _ in days], awards_kwh, prices.day_ahead_myuan_mwh)
    real_time = deviations_of_rows(awards_kwh, [own.metered_kwh for own, _ in days], prices.real_time_myuan_mwh)
    for (own, _), ahead, deviation in zip(days, day_ahead, real_time, strict=True):
        own.day_ahead_kwh, own.day_ahead_fen = ahead
        own.deviation_kwh, own.deviation_fen = deviation


def _recover(at: BlockContext, market: MarketDay, rules: Mapping[Kind, RuleCode], prices: ReferencePrices) -> None:
    """F5: charge what leaving the band gained, give it back to the same side of the market by metered energy, to the fen.

    A side that metered nothing has nobody to give back to and is charged nothing. Refuses: 2003.
    """
    first_day = clock.month_first_day(clock.month_of(market.day))
    over_ppm, under_ppm = (governance.setting(at, f"settlement.f5_{edge}_ppm", first_day) for edge in ("over", "under"))
    rates = {
        kind: RecoveryRates(
            governance.setting(at, "settlement.f5_factor_ppm", first_day, kind) if spot else 0, over_ppm, under_ppm
        )
        for kind, spot in ((kind, rule is not RuleCode.MONTHLY_BAND) for kind, rule in rules.items())
    }
    if not any(rate.factor_ppm for rate in rates.values()):
        return
    sides: dict[bool, list[tuple[MemberDay, int, int]]] = {True: [], False: []}
    for member_id, own in sorted(market.members.items()):
        if member_id == market.grid_id:
            continue
        kind = identity.member(at, member_id).kind
        generates = kind is Kind.GENERATOR
        charge_fen = _recovery_fen(own, prices, rates[kind], generates=generates) if rates[kind].factor_ppm else 0
        metered_kwh = sum(own.metered_kwh)
        sides[generates].append((own, charge_fen, max(0, -metered_kwh if generates else metered_kwh)))
    for side in sides.values():
        weights_kwh = [metered_kwh for _, _, metered_kwh in side]
        total_fen = sum(charge_fen for _, charge_fen, _ in side)
        if not total_fen or not any(weights_kwh):
            continue
        parts_fen = split_largest_remainder(total_fen, weights_kwh)
        for (own, charge_fen, _), part_fen in zip(side, parts_fen, strict=True):
            own.recovery_fen, own.returned_fen = charge_fen, -part_fen


def _recovery_fen(own: MemberDay, prices: ReferencePrices, rates: RecoveryRates, *, generates: bool) -> int:
    sign = -1 if generates else 1
    total_fen = 0
    for segment in range(SEGMENTS_PER_DAY):
        total_fen += f5_recovery_fen(
            max(0, sign * own.contract_kwh[segment]),
            sign * own.contract_fen[segment],
            max(0, sign * own.metered_kwh[segment]),
            prices.real_time_myuan_mwh[segment],
            prices.market_myuan_mwh[segment],
            rates,
            generates=generates,
        )
    return total_fen
