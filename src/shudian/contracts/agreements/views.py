"""What agreements tell: each with its lines, to its two sides, oversight and the grid company that delivers."""

from shudian.contracts.agreements.messages import (
    AgreementBorn,
    AgreementDelivered,
    AgreementDelivering,
    AgreementSettled,
    AgreementTransferred,
    State,
)
from shudian.contracts.roles import OVERSIGHT, Kind
from shudian.kernel.units import energy_fen
from shudian.reading.reader import Reader, Viewer
from shudian.reading.tables import At, ReadTable, Row, Views, integer, parties, text
from shudian.reading.writer import Writer

_SCOPE = parties("seller_id", "buyer_id", also=(*OVERSIGHT, Kind.GRID_COMPANY))

AGREEMENTS = ReadTable(
    "agreements",
    (
        integer("agreement_id", "合同", "agreement"),
        integer("seller_id", "售方", "seller"),
        integer("buyer_id", "购方", "buyer"),
        text("method", "交易方式", "method"),
        integer("session_id", "交易场次", "session"),
        text("product", "交易品种", "product"),
        integer("first_day", "交割首日", "first day"),
        integer("last_day", "交割末日", "last day"),
        text("settlement_point", "结算点", "settlement point"),
        integer("quantity_kwh", "合同电量（千瓦时）", "quantity (kWh)"),
        integer("open_kwh", "未转让电量（千瓦时）", "not transferred (kWh)"),
        integer("value_fen", "合同金额（分，按行取整）", "value (fen, rounded per line)"),
        text("state", "状态", "state"),
        integer("parent_id", "转让自合同", "transferred from agreement"),
        integer("environmental_myuan_mwh", "环境价值（毫元/兆瓦时）", "environmental price (milli-yuan/MWh)"),
        integer("green_resource_id", "绿电电源", "green resource"),
        integer("compensation_myuan_mwh", "绿证补偿（毫元/兆瓦时）", "compensation (milli-yuan/MWh)"),
        text("terms_hash", "条款哈希", "hash of the terms"),
        integer("born_ms", "成立时间", "born at"),
    ),
    ("agreement_id",),
    _SCOPE,
    (("seller_id", "first_day"), ("buyer_id", "first_day"), ("session_id",)),
)

LINES = ReadTable(
    "agreement_lines",
    (
        integer("agreement_id", "合同", "agreement"),
        integer("line_no", "行号", "line"),
        integer("seller_id", "售方", "seller"),
        integer("buyer_id", "购方", "buyer"),
        integer("segment", "时段", "segment"),
        integer("quantity_kwh", "电量（千瓦时）", "quantity (kWh)"),
        integer("open_kwh", "未转让电量（千瓦时）", "not transferred (kWh)"),
        integer("price_myuan_mwh", "价格（毫元/兆瓦时）", "price (milli-yuan/MWh)"),
    ),
    ("agreement_id", "line_no"),
    _SCOPE,
)

TRANSFERS = ReadTable(
    "agreement_transfers",
    (
        integer("child_id", "转让后合同", "transferred agreement"),
        integer("agreement_id", "原合同", "parent agreement"),
        integer("seller_id", "售方", "seller"),
        integer("buyer_id", "购方", "buyer"),
        integer("from_id", "出让方", "from"),
        integer("to_id", "受让方", "to"),
        integer("first_day", "转让首日", "first day"),
        integer("moved_kwh", "转让电量（千瓦时）", "transferred (kWh)"),
        integer("price_myuan_mwh", "转让价格（毫元/兆瓦时）", "price of the transfer (milli-yuan/MWh)"),
        integer("made_ms", "转让时间", "made at"),
    ),
    ("child_id",),
    parties("seller_id", "buyer_id", "to_id", also=(*OVERSIGHT, Kind.GRID_COMPANY)),
    (("agreement_id",),),
)


def agreement_born(db: Writer, event: AgreementBorn, at: At) -> None:
    """Add the agreement and its lines."""
    terms, green = event.terms, event.terms.green
    quantity_kwh = sum(line.quantity_kwh for line in terms.lines)
    sides = {"seller_id": terms.seller_id, "buyer_id": terms.buyer_id}
    db.insert(
        AGREEMENTS,
        agreement_id=event.agreement_id,
        **sides,
        method=terms.method,
        session_id=terms.session_id,
        product=terms.product,
        first_day=terms.first_day,
        last_day=terms.last_day,
        settlement_point=terms.settlement_point,
        quantity_kwh=quantity_kwh,
        open_kwh=quantity_kwh,
        value_fen=sum(energy_fen(line.quantity_kwh, line.price_myuan_mwh) for line in terms.lines),
        state=State.EFFECTIVE,
        parent_id=0 if terms.transfer is None else terms.transfer.parent_id,
        environmental_myuan_mwh=None if green is None else green.environmental_myuan_mwh,
        green_resource_id=None if green is None else green.resource_id,
        compensation_myuan_mwh=None if green is None else green.compensation_myuan_mwh,
        terms_hash=event.terms_hash.hex(),
        born_ms=at.market_ms,
    )
    for line_no, line in enumerate(terms.lines):
        db.insert(
            LINES,
            agreement_id=event.agreement_id,
            line_no=line_no,
            **sides,
            segment=line.segment,
            quantity_kwh=line.quantity_kwh,
            open_kwh=line.quantity_kwh,
            price_myuan_mwh=line.price_myuan_mwh,
        )


def _set_state(db: Writer, agreement_id: int, state: State) -> None:
    db.update(AGREEMENTS, {"agreement_id": agreement_id}, state=state)


def agreement_delivering(db: Writer, event: AgreementDelivering, _at: At) -> None:
    """Delivery has begun."""
    _set_state(db, event.agreement_id, State.DELIVERING)


def agreement_delivered(db: Writer, event: AgreementDelivered, _at: At) -> None:
    """Delivery has ended."""
    _set_state(db, event.agreement_id, State.DELIVERED)


def agreement_settled(db: Writer, event: AgreementSettled, _at: At) -> None:
    """All is paid."""
    _set_state(db, event.agreement_id, State.SETTLED)


def agreement_transferred(db: Writer, event: AgreementTransferred, at: At) -> None:
    """Add the transfer and take its energy off what is open."""
    seller_id, buyer_id, to_id = event.parties
    db.insert(
        TRANSFERS,
        child_id=event.child_id,
        agreement_id=event.agreement_id,
        seller_id=seller_id,
        buyer_id=buyer_id,
        from_id=event.from_id,
        to_id=to_id,
        first_day=event.first_day,
        moved_kwh=sum(event.moved_kwh),
        price_myuan_mwh=event.price_myuan_mwh,
        made_ms=at.market_ms,
    )
    where = {"agreement_id": event.agreement_id}
    db.update(AGREEMENTS, where, open_kwh=sum(event.open_kwh))
    for line_no, open_kwh in enumerate(event.open_kwh):
        db.update(LINES, {**where, "line_no": line_no}, open_kwh=open_kwh)


def agreements(
    reader: Reader,
    viewer: Viewer,
    *,
    agreement_id: int | None = None,
    seller_id: int | None = None,
    buyer_id: int | None = None,
    method: str | None = None,
    session_id: int | None = None,
    state: str | None = None,
    day: int | None = None,
) -> list[Row]:
    """Agreements that fit the filters, oldest first; ``day``: those that deliver on it."""
    where = {
        "agreement_id": agreement_id,
        "seller_id": seller_id,
        "buyer_id": buyer_id,
        "method": method,
        "session_id": session_id,
        "state": state,
        "first_day": ("<=", day),
        "last_day": (">=", day),
    }
    return reader.select(viewer, AGREEMENTS, where)


def agreement_lines(reader: Reader, viewer: Viewer, *, agreement_id: int | None = None) -> list[Row]:
    """Lines of an agreement in segment then price order."""
    return reader.select(viewer, LINES, {"agreement_id": agreement_id})


def agreement_transfers(reader: Reader, viewer: Viewer, *, agreement_id: int | None = None) -> list[Row]:
    """Transfers out of agreements, oldest first; ``agreement_id``: of the parent."""
    return reader.select(viewer, TRANSFERS, {"agreement_id": agreement_id})


VIEWS = Views(
    "agreements",
    (AGREEMENTS, LINES, TRANSFERS),
    {
        AgreementBorn: agreement_born,
        AgreementDelivering: agreement_delivering,
        AgreementDelivered: agreement_delivered,
        AgreementSettled: agreement_settled,
        AgreementTransferred: agreement_transferred,
    },
    (agreements, agreement_lines, agreement_transfers),
)
