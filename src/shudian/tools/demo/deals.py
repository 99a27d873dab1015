"""Deals that people make with each other: bilateral negotiation, green power among it, a listing, a contract transfer.

Prices follow from the sides' own values: a seller asks what its water or fuel is worth and a margin, a buyer answers nearer to its own.
"""

from collections.abc import Iterator

from shudian.client.client import reply_of
from shudian.contracts.agreements.messages import MIN_OF_THREE, GreenTerms, Line, Method
from shudian.contracts.roles import Role
from shudian.contracts.trading.messages import OpenSession, Product, Side
from shudian.contracts.trading.messages_listings import ListingReply, PostListing, TakeListing
from shudian.contracts.trading.messages_negotiations import (
    OPEN_TO_ALL,
    CounterTerms,
    NegotiationReply,
    OfferTerms,
    Proposal,
    ReviewSecurity,
    SignTerms,
    Typical,
)
from shudian.contracts.trading.messages_transfers import ProposeTransfer, SignTransfer, TransferReply
from shudian.kernel import clock
from shudian.kernel.outcomes import Outcome, Reply
from shudian.kernel.units import SEGMENTS_PER_DAY
from shudian.tools.demo.joining import resource_of_key
from shudian.tools.demo.markets import session_of
from shudian.tools.demo.stage import EXCHANGE, GRID, Act, Stage, batch, step_message_id
from shudian.tools.demo.steps import Step

KWH_PER_HOUR, LOT_KWH = 2_000, 1_000
_ASK_MYUAN_MWH, _ANSWER_MYUAN_MWH = 205_000, 196_000
_LISTED_MYUAN_MWH = 188_000
_TRANSFER_MYUAN_MWH = 192_000
_ENVIRONMENTAL_MYUAN_MWH, _COMPENSATION_MYUAN_MWH = 12_000, 20_000
_SECURE_SHARE_PERCENT = 90
_OPEN_PLACE = 2
"""The third plain deal is offered to all; its buyer joins with a counter-offer."""


def _companies(stage: Stage) -> tuple[list[str], list[str]]:
    """Generators and large users in the order of the world; deals are made between those that stand at the same place."""
    generators = [company.key for company in stage.world.companies_of("generator")]
    users = [company.key for company in stage.world.companies_of("user")]
    return generators, users


def pairs(stage: Stage) -> list[tuple[str, str]]:
    """Who negotiates with whom: three plain deals."""
    generators, users = _companies(stage)
    return list(zip(generators[:3], users[2:5], strict=True))


def green_pairs(stage: Stage) -> list[tuple[str, str]]:
    """Green deals: the owners of wind, sun and biomass with users after the plain ones."""
    _, users = _companies(stage)
    owners: list[str] = []
    for plant in stage.world.plants:
        if plant.fuel in ("wind", "solar", "biomass") and plant.company_key not in owners:
            owners.append(plant.company_key)
    return list(zip(owners[:3], users[5:8], strict=False))


def green_plant(stage: Stage, seller: str) -> str:
    """The renewable plant that a green deal rests on: the owner's largest."""
    plants = [plant for plant in stage.world.plants_of(seller) if plant.fuel in ("wind", "solar", "biomass")]
    return max(plants, key=lambda plant: (plant.capacity_kw, plant.key)).key


def _proposal(stage: Stage, price_myuan_mwh: int, hour_kwh: int, green: GreenTerms | None = None) -> Proposal:
    world = stage.world
    quantity_kwh = hour_kwh * SEGMENTS_PER_DAY * world.days
    last_day = world.day_at(world.days - 1)
    return Proposal(
        Product.MONTHLY, world.first_day, last_day, (quantity_kwh,), Typical.FLAT, (price_myuan_mwh,), green=green
    )


def _green_terms(stage: Stage, seller: str) -> GreenTerms:
    resource_id = resource_of_key(stage)[green_plant(stage, seller)]
    return GreenTerms(_ENVIRONMENTAL_MYUAN_MWH, resource_id, MIN_OF_THREE, _COMPENSATION_MYUAN_MWH)


def _green_hour_kwh(stage: Stage, seller: str) -> int:
    """A fifth of the plant's forecast-free average: what a wind farm can promise."""
    energy_wh = int(stage.world.actual.energy_wh(green_plant(stage, seller)).sum())
    return max(energy_wh // 1_000 // (SEGMENTS_PER_DAY * stage.world.days) // 5, 1)


_EXPIRES_MS = clock.ms_at(20260627, 18)


def _offer(stage: Stage) -> list[Act]:
    acts = []
    for place, (seller, buyer) in enumerate(pairs(stage)):
        counterparty = OPEN_TO_ALL if place == _OPEN_PLACE else stage.member_id(buyer)
        message = OfferTerms(Side.SELL, counterparty, _proposal(stage, _ASK_MYUAN_MWH, KWH_PER_HOUR), _EXPIRES_MS)
        acts.append(batch(seller, Role.TRADER, f"plain-{place}", [message]))
    for place, (seller, buyer) in enumerate(green_pairs(stage)):
        proposal = _proposal(stage, _ASK_MYUAN_MWH, _green_hour_kwh(stage, seller), _green_terms(stage, seller))
        message = OfferTerms(Side.SELL, stage.member_id(buyer), proposal, _EXPIRES_MS)
        acts.append(batch(seller, Role.TRADER, f"green-{place}", [message]))
    return acts


def reply(stage: Stage, company: str, role: Role, step_key: str, label: str) -> Reply:
    """What the ledger answered to an earlier act; the act must have been carried out."""
    rows = stage.client(company, role).outcomes(step_message_id(stage, step_key, label))
    found = reply_of(Outcome(rows[0]["number"], reply=rows[0]["reply"]))
    if found is None:
        message = f"{step_key}/{label} of {company} has no reply"
        raise ValueError(message)
    return found


def _negotiation(stage: Stage, seller: str, label: str) -> NegotiationReply:
    found = reply(stage, seller, Role.TRADER, "negotiate-offer", label)
    if not isinstance(found, NegotiationReply):
        raise TypeError(found)
    return found


def _counter(stage: Stage) -> list[Act]:
    """Buyers answer with a price of their own: a new version, the last one is void."""
    return [
        batch(
            buyer,
            Role.TRADER,
            f"plain-{place}",
            [
                CounterTerms(
                    _negotiation(stage, seller, f"plain-{place}").negotiation_id,
                    _proposal(stage, _ANSWER_MYUAN_MWH, KWH_PER_HOUR),
                    _EXPIRES_MS,
                )
            ],
        )
        for place, (seller, buyer) in enumerate(pairs(stage))
    ]


def _current(stage: Stage) -> Iterator[tuple[str, str, NegotiationReply]]:
    """Seller, buyer and the current version of each negotiation."""
    for place, (seller, buyer) in enumerate(pairs(stage)):
        found = reply(stage, buyer, Role.TRADER, "negotiate-counter", f"plain-{place}")
        if isinstance(found, NegotiationReply):
            yield seller, buyer, found
    for place, (seller, buyer) in enumerate(green_pairs(stage)):
        yield seller, buyer, _negotiation(stage, seller, f"green-{place}")


def _sign(stage: Stage) -> list[Act]:
    """Both sides sign the hash of the exact terms."""
    acts = []
    for seller, buyer, version in _current(stage):
        message = SignTerms(version.negotiation_id, version.terms_hash, version.value_fen)
        acts.append(batch(buyer, Role.TRADER, f"buyer-{version.negotiation_id}", [message]))
        acts.append(batch(seller, Role.TRADER, f"seller-{version.negotiation_id}", [message]))
    return acts


def _secure(stage: Stage) -> list[Act]:
    """The dispatcher passes all but the first two deals, which share a section of the grid and are cut pro rata."""
    versions = [version.negotiation_id for _, _, version in _current(stage)]
    cut, passed = sorted(versions[:2]), sorted(versions[2:])
    whole_kwh = 2 * KWH_PER_HOUR * SEGMENTS_PER_DAY * stage.world.days
    allowed_kwh = whole_kwh * _SECURE_SHARE_PERCENT // 100
    messages = [
        ReviewSecurity(tuple(cut), allowed_kwh, reason="川西断面检修，按签约电量等比例削减"),
        ReviewSecurity(tuple(passed)),
    ]
    return [batch(GRID, Role.DISPATCHER, "security", messages)]


# --- listing ---


def _open_listing(stage: Stage) -> list[Act]:
    world = stage.world
    message = OpenSession(
        Method.LISTING,
        Product.MONTHLY,
        world.first_day,
        world.day_at(world.days - 1),
        tuple(range(SEGMENTS_PER_DAY)),
        clock.ms_at(20260626, 9),
        clock.ms_at(20260626, 17),
        listed_side=Side.SELL,
    )
    return [batch(EXCHANGE, Role.OPERATOR, "open", [message])]


def _listing_session(stage: Stage) -> int:
    return session_of(stage, Method.LISTING, stage.world.first_day, Product.MONTHLY)


def _post(stage: Stage) -> list[Act]:
    generators, _ = _companies(stage)
    quantity_kwh = KWH_PER_HOUR * stage.world.days
    lines = tuple(Line(segment, quantity_kwh, _LISTED_MYUAN_MWH) for segment in range(SEGMENTS_PER_DAY))
    session_id = _listing_session(stage)
    return [
        batch(seller, Role.TRADER, seller, [PostListing(session_id, Side.SELL, lines)]) for seller in generators[3:5]
    ]


def _take(stage: Stage) -> list[Act]:
    """Two users take parts of the first listing, one the whole of the second."""
    generators, users = _companies(stage)
    whole_kwh = KWH_PER_HOUR * SEGMENTS_PER_DAY * stage.world.days
    acts = []
    for place, (seller, parts) in enumerate(zip(generators[3:5], ((30, 50), (100,)), strict=True)):
        listing = reply(stage, seller, Role.TRADER, "listing-post", seller)
        if not isinstance(listing, ListingReply):
            raise TypeError(listing)
        for number, percent in enumerate(parts):
            buyer = users[8 + 2 * place + number]
            take = TakeListing(listing.listing_id, whole_kwh * percent // 100 // LOT_KWH * LOT_KWH)
            acts.append(batch(buyer, Role.TRADER, f"{seller}-{number}", [take]))
    return acts


# --- transfer ---


def _agreement_between(stage: Stage, seller: str, buyer: str) -> int:
    rows = stage.query(
        EXCHANGE, "agreements.agreements", seller_id=stage.member_id(seller), buyer_id=stage.member_id(buyer)
    )
    return int(next(row["agreement_id"] for row in rows if row["method"] == Method.BILATERAL))


def _propose_transfer(stage: Stage) -> list[Act]:
    """A user that will use less hands a part of its deal on to another user."""
    seller, giver = pairs(stage)[2]
    _, users = _companies(stage)
    agreement_id = _agreement_between(stage, seller, giver)
    lines = stage.query(EXCHANGE, "agreements.agreement_lines", agreement_id=agreement_id)
    quantities = tuple(row["quantity_kwh"] // 4 for row in lines)
    message = ProposeTransfer(
        agreement_id,
        stage.member_id(users[12]),
        stage.world.first_day,
        quantities,
        _TRANSFER_MYUAN_MWH,
        clock.ms_at(20260630, 12),
    )
    return [batch(giver, Role.TRADER, "propose", [message])]


def _sign_transfer(stage: Stage) -> list[Act]:
    _, giver = pairs(stage)[2]
    _, users = _companies(stage)
    proposed = reply(stage, giver, Role.TRADER, "transfer-propose", "propose")
    if not isinstance(proposed, TransferReply):
        raise TypeError(proposed)
    message = SignTransfer(proposed.transfer_id, proposed.terms_hash, proposed.value_fen)
    return [batch(users[12], Role.TRADER, "sign", [message])]


def steps() -> list[Step]:
    """The last days of June."""
    at = clock.ms_at
    return [
        Step("listing-open", at(20260625, 18, 30), _open_listing, "挂牌场次公告", "a listing session is announced"),
        Step("listing-post", at(20260626, 9, 30), _post, "发电企业挂牌", "generators list energy"),
        Step("listing-take", at(20260626, 10, 30), _take, "用户摘牌", "users take it"),
        Step("negotiate-offer", at(20260626, 11), _offer, "双边协商要约", "offers for bilateral deals"),
        Step("negotiate-counter", at(20260626, 14), _counter, "还价", "counter-offers"),
        Step("negotiate-sign", at(20260626, 16), _sign, "双方签署条款", "both sides sign the terms"),
        Step("negotiate-secure", at(20260626, 17, 30), _secure, "安全校核", "security check"),
        Step("transfer-propose", at(20260627, 9), _propose_transfer, "合同转让要约", "a contract transfer is proposed"),
        Step("transfer-sign", at(20260627, 15), _sign_transfer, "受让方签署", "the receiver signs"),
    ]
