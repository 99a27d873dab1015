"""What guarantees tells: the instruments, draws on them, and each member's exposure line."""

from shudian.contracts.guarantees.messages_events import (
    ExposureWarned,
    GuaranteeAnswered,
    GuaranteeDrawn,
    GuaranteeEnded,
    GuaranteeRegistered,
    LineMoved,
    RequirementSet,
)
from shudian.contracts.roles import OVERSIGHT, Kind
from shudian.reading.reader import Reader, Viewer
from shudian.reading.tables import At, ReadTable, Row, Views, blob, integer, parties, text
from shudian.reading.writer import Writer

_WATCHERS = (*OVERSIGHT, Kind.GRID_COMPANY)
_MEMBER = integer("member_id", "成员", "member")
_AMOUNT = integer("amount_fen", "金额（分）", "amount (fen)")

GUARANTEES = ReadTable(
    "guarantees_guarantees",
    (
        integer("guarantee_id", "保函", "guarantee"),
        _MEMBER,
        integer("bank_id", "出具银行", "issuing bank"),
        text("instrument", "类型", "instrument"),
        text("number", "编号", "number"),
        blob("document", "文件摘要", "digest of the document"),
        _AMOUNT,
        integer("drawn_fen", "已索赔（分）", "drawn (fen)"),
        integer("first_day", "生效日", "from"),
        integer("last_day", "到期日", "to"),
        text("state", "状态", "state"),
        text("reason", "银行答复", "the bank's words"),
    ),
    ("guarantee_id",),
    parties("member_id", "bank_id", also=_WATCHERS),
    (("member_id",),),
)

DRAWS = ReadTable(
    "guarantees_draws",
    (
        integer("guarantee_id", "保函", "guarantee"),
        integer("open_fen", "余额（分）", "left (fen)"),
        _MEMBER,
        integer("bank_id", "出具银行", "issuing bank"),
        integer("creditor_id", "受益人", "paid to"),
        _AMOUNT,
        text("claim_deed", "逾期事项", "overdue claim"),
        blob("evidence", "索赔文件摘要", "digest of the demand"),
        integer("drawn_ms", "时间", "time"),
    ),
    ("guarantee_id", "open_fen"),
    parties("member_id", "bank_id", "creditor_id", also=_WATCHERS),
)

LINES = ReadTable(
    "guarantees_lines",
    (
        _MEMBER,
        integer("required_fen", "应缴（分）", "required (fen)"),
        integer("available_fen", "可用保函（分）", "available (fen)"),
        integer("exposure_fen", "占用（分）", "exposure (fen)"),
        integer("warned", "预警中", "warned"),
        integer("warnings_count", "预警次数", "warnings"),
        integer("year_kwh", "近12个月批发电量（千瓦时）", "wholesale of 12 months (kWh)"),
        integer("wholesale_kwh", "近2个月批发电量（千瓦时）", "wholesale of 2 months (kWh)"),
        integer("retail_kwh", "近2个月零售电量（千瓦时）", "retail of 2 months (kWh)"),
        text("grade", "信用等级", "credit grade"),
        integer("factor_ppm", "信用系数", "factor (ppm)"),
    ),
    ("member_id",),
    parties("member_id", also=_WATCHERS),
)


def guarantee_registered(db: Writer, event: GuaranteeRegistered, _at: At) -> None:
    """A guarantee that waits for its bank."""
    row = event.guarantee
    db.insert(
        GUARANTEES,
        guarantee_id=event.guarantee_id,
        member_id=row.member_id,
        bank_id=row.bank_id,
        instrument=row.instrument,
        number=row.number,
        document=row.document,
        amount_fen=row.amount_fen,
        drawn_fen=row.drawn_fen,
        first_day=row.first_day,
        last_day=row.last_day,
        state=row.state,
        reason="",
    )


def guarantee_answered(db: Writer, event: GuaranteeAnswered, _at: At) -> None:
    """The bank's word."""
    db.update(GUARANTEES, {"guarantee_id": event.guarantee_id}, state=event.state, reason=event.reason)


def guarantee_drawn(db: Writer, event: GuaranteeDrawn, at: At) -> None:
    """The bank paid."""
    db.add(GUARANTEES, {"guarantee_id": event.guarantee_id}, drawn_fen=event.amount_fen)
    db.insert(
        DRAWS,
        guarantee_id=event.guarantee_id,
        open_fen=event.open_fen,
        member_id=event.member_id,
        bank_id=event.bank_id,
        creditor_id=event.creditor_id,
        amount_fen=event.amount_fen,
        claim_deed=event.claim_deed,
        evidence=event.evidence,
        drawn_ms=at.market_ms,
    )


def guarantee_ended(db: Writer, event: GuaranteeEnded, _at: At) -> None:
    """It counts no more."""
    db.update(GUARANTEES, {"guarantee_id": event.guarantee_id}, state=event.state)


def _ensure_line(db: Writer, member_id: int) -> None:
    if not db.exists(LINES, {"member_id": member_id}):
        numbers = {column.name: 0 for column in LINES.columns if column.name not in ("member_id", "grade")}
        db.insert(LINES, member_id=member_id, grade="", **numbers)


def requirement_set(db: Writer, event: RequirementSet, _at: At) -> None:
    """What the required amount follows from."""
    _ensure_line(db, event.member_id)
    db.update(
        LINES,
        {"member_id": event.member_id},
        required_fen=event.required_fen,
        year_kwh=event.year_kwh,
        wholesale_kwh=event.wholesale_kwh,
        retail_kwh=event.retail_kwh,
        grade=event.grade,
        factor_ppm=event.factor_ppm,
    )


def line_moved(db: Writer, event: LineMoved, _at: At) -> None:
    """The line as it stands."""
    _ensure_line(db, event.member_id)
    row = event.line
    db.update(
        LINES,
        {"member_id": event.member_id},
        required_fen=row.required_fen,
        available_fen=row.available_fen,
        exposure_fen=row.exposure_fen,
        warned=int(row.warned),
    )


def exposure_warned(db: Writer, event: ExposureWarned, _at: At) -> None:
    """One warning more."""
    db.add(LINES, {"member_id": event.member_id}, warnings_count=1)


def guarantees(reader: Reader, viewer: Viewer, *, member_id: int | None = None, state: str | None = None) -> list[Row]:
    """Guarantees."""
    return reader.select(viewer, GUARANTEES, {"member_id": member_id, "state": state})


def draws(reader: Reader, viewer: Viewer, *, guarantee_id: int | None = None) -> list[Row]:
    """What banks paid on guarantees."""
    return reader.select(viewer, DRAWS, {"guarantee_id": guarantee_id}, order_by="drawn_ms, guarantee_id")


def exposure_lines(reader: Reader, viewer: Viewer, *, member_id: int | None = None) -> list[Row]:
    """What members must provide, have provided and have taken on."""
    return reader.select(viewer, LINES, {"member_id": member_id})


VIEWS = Views(
    "guarantees",
    (GUARANTEES, DRAWS, LINES),
    {
        GuaranteeRegistered: guarantee_registered,
        GuaranteeAnswered: guarantee_answered,
        GuaranteeDrawn: guarantee_drawn,
        GuaranteeEnded: guarantee_ended,
        RequirementSet: requirement_set,
        LineMoved: line_moved,
        ExposureWarned: exposure_warned,
    },
    (guarantees, draws, exposure_lines),
)
