"""What guarantees decides, its verbs for the contracts above (see ``rules_lines``), and the contract itself."""

from msgspec.structs import replace

from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import Transfer
from shudian.contracts.guarantees.messages import (
    CREDITOR_IS_THE_MEMBER,
    DRAW_OVER_OPEN,
    GUARANTEE_IS_NEEDED,
    GUARANTEE_UNKNOWN,
    NOT_ACTIVE,
    NOT_SUBMITTED,
    NOT_THE_ISSUER,
    NUMBER_IS_USED,
    REFUSALS,
    REPLIES,
    SETTINGS,
    TERM_IS_OVER,
    TERM_NOT_BEGUN,
    AnswerGuarantee,
    DrawGuarantee,
    Guarantee,
    GuaranteeReply,
    RegisterGuarantee,
    ReleaseGuarantee,
    RequirementReply,
    SetRequirement,
    State,
)
from shudian.contracts.guarantees.messages_events import (
    EVENTS,
    GuaranteeAnswered,
    GuaranteeDrawn,
    GuaranteeEnded,
    GuaranteeRegistered,
    RequirementSet,
)
from shudian.contracts.guarantees.rules_lines import (
    add_exposure,
    exposure,
    factor_ppm,
    line,
    move,
    release_exposure,
    require_room,
    required_fen,
)
from shudian.contracts.guarantees.state import GUARANTEES, INVARIANTS, TABLES
from shudian.contracts.identity import rules as identity
from shudian.contracts.roles import TRADING_KINDS, Kind
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext, Context, Contract
from shudian.kernel.ids import derived_id
from shudian.kernel.outcomes import both
from shudian.kernel.tables import HasStore, next_id

__all__ = [
    "CONTRACT",
    "add_exposure",
    "exposure",
    "guarantee",
    "line",
    "release_exposure",
    "require_room",
    "required_fen",
]

DRAW_CODE = 501
"""Transfer code of what a bank pays on a guarantee."""


def guarantee(at: HasStore, guarantee_id: int) -> Guarantee:
    """The guarantee of a number. Refuses: 5001."""
    row = GUARANTEES.get(at, guarantee_id)
    if row is None:
        raise GUARANTEE_UNKNOWN("guarantee_id", guarantee_id)
    return row


def _deed(guarantee_id: int) -> str:
    return f"guarantee:{guarantee_id}"


def register_guarantee(ctx: Context, message: RegisterGuarantee) -> GuaranteeReply:
    """Register. Refuses: 3001-3004, 4001, 5002, 5003. Emits: GuaranteeRegistered."""
    identity.require_kind(ctx, message.bank_id, (Kind.BANK,))
    identity.require_good(ctx, message.bank_id)
    funds.account_of(ctx, message.bank_id)
    today = clock.day_of(ctx.market_ms)
    if message.last_day < today:
        raise TERM_IS_OVER("last_day", message.last_day, f">= {today}")
    for key, _ in GUARANTEES.find(ctx, "by_number", message.bank_id, message.number):
        raise NUMBER_IS_USED(
            "number",
            message.number,
            both(f"未被使用；已用于保函 {int(key[0])}", f"not in use; guarantee {int(key[0])} has it"),
        )
    # no refusal below this line
    guarantee_id = next_id(ctx, "guarantees.guarantee")
    row = Guarantee(
        ctx.sender_id,
        message.bank_id,
        message.instrument,
        message.number,
        message.document,
        message.amount_fen,
        message.first_day,
        message.last_day,
    )
    GUARANTEES.put(ctx, (guarantee_id,), row)
    ctx.emit(
        GuaranteeRegistered(
            deed=_deed(guarantee_id),
            parties=(ctx.sender_id, message.bank_id),
            also=(f"member:{ctx.sender_id}",),
            guarantee_id=guarantee_id,
            guarantee=row,
        )
    )
    return GuaranteeReply(guarantee_id)


def answer_guarantee(ctx: Context, message: AnswerGuarantee) -> None:
    """Confirm or reject. Refuses: 5001, 5003-5005. Emits: GuaranteeAnswered, LineMoved."""
    row = guarantee(ctx, message.guarantee_id)
    if row.bank_id != ctx.sender_id:
        raise NOT_THE_ISSUER(
            "guarantee_id", message.guarantee_id, both(f"由成员 {row.bank_id} 答复", f"said by member {row.bank_id}")
        )
    if row.state is not State.SUBMITTED:
        raise NOT_SUBMITTED("guarantee_id", f"{message.guarantee_id} {row.state}", State.SUBMITTED)
    _require_not_over(ctx, row)
    # no refusal below this line
    state = State.ACTIVE if message.confirmed else State.REJECTED
    GUARANTEES.put(ctx, (message.guarantee_id,), replace(row, state=state))
    ctx.emit(
        GuaranteeAnswered(
            deed=_deed(message.guarantee_id),
            parties=(row.member_id, row.bank_id),
            guarantee_id=message.guarantee_id,
            state=state,
            reason=message.reason,
        )
    )
    if message.confirmed:
        _add_available(ctx, message.guarantee_id, row.member_id, row.open_fen)


def _require_not_over(ctx: BlockContext, row: Guarantee) -> None:
    today = clock.day_of(ctx.market_ms)
    if today > row.last_day:
        raise TERM_IS_OVER("last_day", row.last_day, f">= {today}")


def _add_available(ctx: BlockContext, guarantee_id: int, member_id: int, change_fen: int) -> None:
    row = line(ctx, member_id)
    move(ctx, member_id, replace(row, available_fen=row.available_fen + change_fen), _deed(guarantee_id))


def _active(at: HasStore, guarantee_id: int) -> Guarantee:
    """Refuses: 5001, 5006."""
    row = guarantee(at, guarantee_id)
    if row.state is not State.ACTIVE:
        raise NOT_ACTIVE("guarantee_id", f"{guarantee_id} {row.state}", State.ACTIVE)
    return row


def draw_guarantee(ctx: Context, message: DrawGuarantee) -> GuaranteeReply:
    """Draw: the bank's cash pays the creditor. Refuses: 3001, 4001-4003, 5001, 5003, 5006-5009. Emits: GuaranteeDrawn, LineMoved.

    Whether the claim is overdue is for those who draw to answer for: what is owed stands in contracts above this one.
    """
    row = _active(ctx, message.guarantee_id)
    _require_not_over(ctx, row)
    today = clock.day_of(ctx.market_ms)
    if today < row.first_day:
        raise TERM_NOT_BEGUN(
            "guarantee_id", message.guarantee_id, both(f"自 {row.first_day} 起", f"from {row.first_day}")
        )
    if message.amount_fen > row.open_fen:
        raise DRAW_OVER_OPEN("amount_fen", message.amount_fen, f"<= {row.open_fen}")
    if message.creditor_id in (row.member_id, row.bank_id):
        raise CREDITOR_IS_THE_MEMBER(
            "creditor_id",
            message.creditor_id,
            both(f"非 {row.member_id}、{row.bank_id}", f"neither {row.member_id} nor {row.bank_id}"),
        )
    identity.require_kind(ctx, message.creditor_id, TRADING_KINDS)
    order = Transfer(
        derived_id("guarantees.draw", str(message.guarantee_id), str(row.drawn_fen)),
        funds.account_of(ctx, row.bank_id),
        funds.account_of(ctx, message.creditor_id),
        message.amount_fen,
        DRAW_CODE,
        _deed(message.guarantee_id),
    )
    funds.transfer(ctx, (order,))
    # no refusal below this line
    after = replace(row, drawn_fen=row.drawn_fen + message.amount_fen)
    GUARANTEES.put(ctx, (message.guarantee_id,), after)
    ctx.emit(
        GuaranteeDrawn(
            deed=_deed(message.guarantee_id),
            parties=(row.member_id, row.bank_id, message.creditor_id),
            also=(message.claim_deed,) if message.claim_deed != _deed(message.guarantee_id) else (),
            guarantee_id=message.guarantee_id,
            member_id=row.member_id,
            bank_id=row.bank_id,
            creditor_id=message.creditor_id,
            amount_fen=message.amount_fen,
            open_fen=after.open_fen,
            claim_deed=message.claim_deed,
            evidence=message.evidence,
        )
    )
    _add_available(ctx, message.guarantee_id, row.member_id, -message.amount_fen)
    return GuaranteeReply(message.guarantee_id)


def release_guarantee(ctx: Context, message: ReleaseGuarantee) -> None:
    """Release what is not needed. Refuses: 5001, 5006, 5010. Emits: GuaranteeEnded, LineMoved."""
    row = _active(ctx, message.guarantee_id)
    own = line(ctx, row.member_id)
    needed_fen = max(own.required_fen, own.exposure_fen)
    if own.available_fen - row.open_fen < needed_fen:
        raise GUARANTEE_IS_NEEDED(
            "guarantee_id", message.guarantee_id, both(f"剩余额度 >= {needed_fen}", f"what remains >= {needed_fen}")
        )
    # no refusal below this line
    _end(ctx, message.guarantee_id, row, State.RELEASED)


def end_terms(ctx: BlockContext) -> None:
    """Block hook: end every guarantee on the day after its last one. Emits: GuaranteeEnded, LineMoved, ExposureWarned."""
    yesterday = clock.day_after(clock.day_of(ctx.market_ms), -1)
    for key, row in GUARANTEES.due(ctx, "by_last_day", yesterday):
        _end(ctx, int(key[0]), row, State.EXPIRED)


def _end(ctx: BlockContext, guarantee_id: int, row: Guarantee, state: State) -> None:
    GUARANTEES.put(ctx, (guarantee_id,), replace(row, state=state))
    ctx.emit(
        GuaranteeEnded(
            deed=_deed(guarantee_id), parties=(row.member_id, row.bank_id), guarantee_id=guarantee_id, state=state
        )
    )
    if row.state is State.ACTIVE:
        _add_available(ctx, guarantee_id, row.member_id, -row.open_fen)


def set_requirement(ctx: Context, message: SetRequirement) -> RequirementReply:
    """Set what a member must provide. Refuses: 2003, 3001, 3004. Emits: RequirementSet, LineMoved, ExposureWarned."""
    identity.require_kind(ctx, message.member_id, TRADING_KINDS)
    today = clock.day_of(ctx.market_ms)
    factor = factor_ppm(ctx, today, message.grade)
    needed_fen = required_fen(ctx, today, message.year_kwh, message.wholesale_kwh, message.retail_kwh, message.grade)
    # no refusal below this line
    ctx.emit(
        RequirementSet(
            deed=f"member:{message.member_id}",
            parties=(message.member_id,),
            member_id=message.member_id,
            year_kwh=message.year_kwh,
            wholesale_kwh=message.wholesale_kwh,
            retail_kwh=message.retail_kwh,
            grade=message.grade,
            factor_ppm=factor,
            required_fen=needed_fen,
        )
    )
    row = replace(line(ctx, message.member_id), required_fen=needed_fen)
    move(ctx, message.member_id, row, f"member:{message.member_id}")
    return RequirementReply(needed_fen, max(0, needed_fen - row.available_fen))


CONTRACT = Contract(
    name="guarantees",
    number=5,
    tables=TABLES,
    handlers={
        RegisterGuarantee: register_guarantee,
        AnswerGuarantee: answer_guarantee,
        SetRequirement: set_requirement,
        DrawGuarantee: draw_guarantee,
        ReleaseGuarantee: release_guarantee,
    },
    events=EVENTS,
    refusals=REFUSALS,
    replies=REPLIES,
    hooks=(end_terms,),
    invariants=INVARIANTS,
    settings=SETTINGS,
)
