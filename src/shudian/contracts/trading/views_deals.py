"""What trading tells of deals beside orders: negotiations and transfers to their sides, open offers to members, listings to everybody."""

from collections.abc import Callable, Mapping

from shudian.contracts.agreements.messages import Line
from shudian.contracts.roles import OVERSIGHT, Kind
from shudian.contracts.trading.messages_listings import ListingEnded, ListingPosted, ListingTaken, TakePlaced
from shudian.contracts.trading.messages_negotiations import (
    NegotiationConcluded,
    NegotiationEnded,
    SecurityReviewed,
    TermsOffered,
    TermsSigned,
)
from shudian.contracts.trading.messages_transfers import TransferConcluded, TransferEnded, TransferProposed
from shudian.kernel.messages import Event
from shudian.reading.reader import Reader, Viewer
from shudian.reading.tables import MEMBERS, PUBLIC, At, ReadTable, Row, integer, parties, text
from shudian.reading.writer import Writer

_TERMS = (
    integer("seller_id", "售方", "seller"),
    integer("buyer_id", "购方", "buyer"),
    integer("version_no", "版本", "version"),
    text("product", "交易品种", "product"),
    integer("first_day", "交割首日", "first day"),
    integer("last_day", "交割末日", "last day"),
    integer("quantity_kwh", "电量（千瓦时）", "quantity (kWh)"),
    integer("value_fen", "金额（分）", "value (fen)"),
    integer("environmental_myuan_mwh", "环境价值（毫元/兆瓦时）", "environmental price (milli-yuan/MWh)"),
    text("lines", "分时段（时段:千瓦时@毫元/兆瓦时）", "lines (hour:kWh@milli-yuan/MWh)"),
    text("terms_hash", "条款哈希", "hash of the terms"),
    integer("expires_ms", "有效期", "expires"),
)

NEGOTIATIONS = ReadTable(
    "trading_negotiations",
    (
        integer("negotiation_id", "协商", "negotiation"),
        *_TERMS,
        integer("by_id", "提出方", "offered by"),
        text("signed_by", "已签署", "signed by"),
        text("state", "状态", "state"),
        integer("allowed_kwh", "校核通过电量（千瓦时）", "passed by the security check (kWh)"),
        text("reason", "校核意见", "reason of the cut"),
        integer("agreement_id", "合同", "agreement"),
    ),
    ("negotiation_id",),
    parties("seller_id", "buyer_id", also=(*OVERSIGHT, Kind.GRID_COMPANY)),
    (("seller_id",), ("buyer_id",), ("state",)),
)

OFFERS = ReadTable(
    "trading_open_offers",
    (integer("negotiation_id", "协商", "negotiation"), *_TERMS),
    ("negotiation_id",),
    MEMBERS,
)

LISTINGS = ReadTable(
    "trading_listings",
    (
        integer("listing_id", "挂牌", "listing"),
        integer("session_id", "交易场次", "session"),
        text("side", "方向", "side"),
        text("lines", "分时段（时段:千瓦时@毫元/兆瓦时）", "lines (hour:kWh@milli-yuan/MWh)"),
        integer("quantity_kwh", "挂牌电量（千瓦时）", "listed (kWh)"),
        integer("open_kwh", "剩余电量（千瓦时）", "left (kWh)"),
        integer("all_or_none", "整挂", "all or none"),
        text("ending", "结束方式", "how it ended"),
        integer("posted_ms", "挂牌时间", "posted at"),
    ),
    ("listing_id",),
    PUBLIC,
    (("session_id",),),
)

TAKES = ReadTable(
    "trading_takes",
    (
        integer("take_id", "摘牌", "take"),
        integer("listing_id", "挂牌", "listing"),
        integer("member_id", "成员", "member"),
        integer("asked_kwh", "申报电量（千瓦时）", "asked (kWh)"),
        integer("taken_kwh", "成交电量（千瓦时）", "taken (kWh)"),
    ),
    ("take_id",),
    parties("member_id", also=OVERSIGHT),
    (("listing_id",),),
)

TRANSFERS = ReadTable(
    "trading_transfers",
    (
        integer("transfer_id", "转让", "transfer"),
        integer("agreement_id", "原合同", "parent agreement"),
        integer("from_id", "出让方", "from"),
        integer("to_id", "受让方", "to"),
        integer("first_day", "转让首日", "first day"),
        integer("last_day", "转让末日", "last day"),
        integer("quantity_kwh", "转让电量（千瓦时）", "quantity (kWh)"),
        integer("price_myuan_mwh", "转让价格（毫元/兆瓦时）", "price (milli-yuan/MWh)"),
        integer("value_fen", "转让金额（分）", "value (fen)"),
        integer("difference_fen", "受让方支付差价（分）", "difference paid by the receiver (fen)"),
        text("terms_hash", "条款哈希", "hash of the terms"),
        text("state", "状态", "state"),
        integer("child_id", "转让后合同", "transferred agreement"),
        integer("expires_ms", "有效期", "expires"),
    ),
    ("transfer_id",),
    parties("from_id", "to_id", also=(*OVERSIGHT, Kind.GRID_COMPANY)),
    (("from_id",), ("to_id",)),
)


def _lines(lines: tuple[Line, ...]) -> str:
    return " ".join(f"{line.segment}:{line.quantity_kwh}@{line.price_myuan_mwh}" for line in lines)


def terms_offered(db: Writer, event: TermsOffered, _at: At) -> None:
    """Put the version in the place of the last one; an offer without a counterparty is shown to all members."""
    where = {"negotiation_id": event.negotiation_id}
    terms = event.terms
    told = {
        **where,
        "seller_id": event.seller_id,
        "buyer_id": event.buyer_id,
        "version_no": event.version_no,
        "product": terms.product,
        "first_day": terms.first_day,
        "last_day": terms.last_day,
        "quantity_kwh": sum(line.quantity_kwh for line in terms.lines),
        "value_fen": event.value_fen,
        "environmental_myuan_mwh": None if terms.green is None else terms.green.environmental_myuan_mwh,
        "lines": _lines(terms.lines),
        "terms_hash": event.terms_hash.hex(),
        "expires_ms": event.expires_ms,
    }
    for table in (OFFERS, NEGOTIATIONS):
        db.delete(table, where)
    db.insert(
        NEGOTIATIONS,
        **told,
        by_id=event.by_id,
        signed_by="",
        state="offered",
        allowed_kwh=None,
        reason="",
        agreement_id=None,
    )
    if 0 in (event.seller_id, event.buyer_id):
        db.insert(OFFERS, **told)


def terms_signed(db: Writer, event: TermsSigned, _at: At) -> None:
    """A side signed; whoever joined an open offer is named now."""
    where = {"negotiation_id": event.negotiation_id}
    db.delete(OFFERS, where)
    signed_by = f"{event.seller_id} {event.buyer_id}" if event.is_second else str(event.by_id)
    db.update(
        NEGOTIATIONS,
        where,
        seller_id=event.seller_id,
        buyer_id=event.buyer_id,
        terms_hash=event.terms_hash.hex(),
        signed_by=signed_by,
        state="signed" if event.is_second else "offered",
    )


def security_reviewed(db: Writer, event: SecurityReviewed, _at: At) -> None:
    """What passed, and why not more."""
    db.update(
        NEGOTIATIONS, {"negotiation_id": event.negotiation_id}, allowed_kwh=event.allowed_kwh, reason=event.reason
    )


def negotiation_concluded(db: Writer, event: NegotiationConcluded, _at: At) -> None:
    """It is an agreement."""
    where = {"negotiation_id": event.negotiation_id}
    db.update(NEGOTIATIONS, where, state="effective", agreement_id=event.agreement_id)


def negotiation_ended(db: Writer, event: NegotiationEnded, _at: At) -> None:
    """It ended without an agreement."""
    where = {"negotiation_id": event.negotiation_id}
    db.delete(OFFERS, where)
    db.update(NEGOTIATIONS, where, state=event.end)


def listing_posted(db: Writer, event: ListingPosted, at: At) -> None:
    """Add the listing, without a name."""
    quantity_kwh = sum(line.quantity_kwh for line in event.lines)
    db.insert(
        LISTINGS,
        listing_id=event.listing_id,
        session_id=event.session_id,
        side=event.side,
        lines=_lines(event.lines),
        quantity_kwh=quantity_kwh,
        open_kwh=quantity_kwh,
        all_or_none=int(event.all_or_none),
        ending="",
        posted_ms=at.market_ms,
    )


def take_placed(db: Writer, event: TakePlaced, _at: At) -> None:
    """Add the take that waits."""
    db.insert(
        TAKES,
        take_id=event.take_id,
        listing_id=event.listing_id,
        member_id=event.member_id,
        asked_kwh=event.quantity_kwh,
        taken_kwh=0,
    )


def listing_taken(db: Writer, event: ListingTaken, _at: At) -> None:
    """What the take got and the listing has left."""
    where = {"take_id": event.take_id}
    db.delete(TAKES, where)
    db.insert(
        TAKES,
        **where,
        listing_id=event.listing_id,
        member_id=event.member_id,
        asked_kwh=event.asked_kwh,
        taken_kwh=event.taken_kwh,
    )
    db.update(LISTINGS, {"listing_id": event.listing_id}, open_kwh=event.open_kwh)


def listing_ended(db: Writer, event: ListingEnded, _at: At) -> None:
    """How it ended, and what nobody took."""
    db.update(LISTINGS, {"listing_id": event.listing_id}, ending=event.end, open_kwh=event.open_kwh)


def transfer_proposed(db: Writer, event: TransferProposed, _at: At) -> None:
    """Add the transfer."""
    db.insert(
        TRANSFERS,
        transfer_id=event.transfer_id,
        agreement_id=event.agreement_id,
        from_id=event.from_id,
        to_id=event.to_id,
        first_day=event.terms.first_day,
        last_day=event.terms.last_day,
        quantity_kwh=sum(line.quantity_kwh for line in event.terms.lines),
        price_myuan_mwh=event.price_myuan_mwh,
        value_fen=event.value_fen,
        difference_fen=event.difference_fen,
        terms_hash=event.terms_hash.hex(),
        state="proposed",
        child_id=None,
        expires_ms=event.expires_ms,
    )


def transfer_concluded(db: Writer, event: TransferConcluded, _at: At) -> None:
    """It is in effect."""
    db.update(TRANSFERS, {"transfer_id": event.transfer_id}, state="effective", child_id=event.child_id)


def transfer_ended(db: Writer, event: TransferEnded, _at: At) -> None:
    """It ended without effect."""
    db.update(TRANSFERS, {"transfer_id": event.transfer_id}, state=event.end)


def negotiations(
    reader: Reader, viewer: Viewer, *, negotiation_id: int | None = None, state: str | None = None
) -> list[Row]:
    """Negotiations that the viewer may see, newest first, each with its current version."""
    where = {"negotiation_id": negotiation_id, "state": state}
    return reader.select(viewer, NEGOTIATIONS, where, order_by="negotiation_id DESC")


def open_offers(reader: Reader, viewer: Viewer, *, product: str | None = None) -> list[Row]:
    """Offers that anybody on the other side may join, newest first."""
    return reader.select(viewer, OFFERS, {"product": product}, order_by="negotiation_id DESC")


def listings(reader: Reader, viewer: Viewer, *, session_id: int | None = None, ending: str | None = None) -> list[Row]:
    """Listings, newest first; ``ending`` empty: those still there."""
    where = {"session_id": session_id, "ending": ending}
    return reader.select(viewer, LISTINGS, where, order_by="listing_id DESC")


def takes(reader: Reader, viewer: Viewer, *, listing_id: int | None = None) -> list[Row]:
    """Takes that the viewer may see, newest first."""
    return reader.select(viewer, TAKES, {"listing_id": listing_id}, order_by="take_id DESC")


def transfers(reader: Reader, viewer: Viewer, *, state: str | None = None) -> list[Row]:
    """Transfers that the viewer may see, newest first."""
    return reader.select(viewer, TRANSFERS, {"state": state}, order_by="transfer_id DESC")


TABLES = (NEGOTIATIONS, OFFERS, LISTINGS, TAKES, TRANSFERS)
PROJECTIONS: Mapping[type[Event], Callable[..., None]] = {
    TermsOffered: terms_offered,
    TermsSigned: terms_signed,
    SecurityReviewed: security_reviewed,
    NegotiationConcluded: negotiation_concluded,
    NegotiationEnded: negotiation_ended,
    ListingPosted: listing_posted,
    TakePlaced: take_placed,
    ListingTaken: listing_taken,
    ListingEnded: listing_ended,
    TransferProposed: transfer_proposed,
    TransferConcluded: transfer_concluded,
    TransferEnded: transfer_ended,
}
QUERIES = (negotiations, open_offers, listings, takes, transfers)
