"""Fourth chapter: statements, silence and acceptance, an objection, payment against delivery, one late payer, a pay-out."""

from typing import Any

from shudian.contracts.funds.messages import BALANCE_TOO_LOW, ConfirmPayout, RequestPayout
from shudian.contracts.roles import Role
from shudian.contracts.settlement.messages import (
    AcceptStatement,
    AnswerObjection,
    IssueStatements,
    LineKind,
    ObjectToLine,
    PayStatement,
)
from shudian.kernel import clock
from shudian.kernel.crypto import sha256
from shudian.sandbox.finances import deposits
from shudian.tools.demo.joining import deposit_messages
from shudian.tools.demo.stage import BANK, EXCHANGE, GRID, Act, Stage, batch
from shudian.tools.demo.steps import Step, nobody

LATE_MEMBER = "cement_emei"
SILENT_EVERY = 7
_OBJECTING_MEMBER, _WRONGED_MEMBER = "alu_meishan", "alu_guangyuan"
_OWN_SUBSTATION_PERCENT = 98


def _month(stage: Stage) -> int:
    return clock.month_of(stage.world.first_day)


def _paying_members(stage: Stage) -> list[str]:
    return [GRID, *(company.key for company in stage.traders)]


def _issue(stage: Stage) -> list[Act]:
    member_ids = tuple(sorted(stage.member_id(key) for key in _paying_members(stage)))
    return [batch(EXCHANGE, Role.OPERATOR, "issue", [IssueStatements(_month(stage), member_ids)])]


def statement_of(stage: Stage, company: str) -> dict[str, Any]:
    """A company's statement of the month as it reads it itself."""
    rows = stage.query(company, "settlement.statements", member_id=stage.member_id(company), month=_month(stage))
    row: dict[str, Any] = rows[0]
    return row


def _object(stage: Stage) -> list[Act]:
    """One user holds that the loss charge is too high, another that its demand was read on the wrong side of its substation."""
    loss, demand = _line(stage, _OBJECTING_MEMBER, LineKind.LOSS), _line(stage, _WRONGED_MEMBER, LineKind.DEMAND)
    claims = (
        (_OBJECTING_MEMBER, loss, 90, "线损电量应扣除自备变压器侧损耗"),
        (_WRONGED_MEMBER, demand, _OWN_SUBSTATION_PERCENT, "需量应按主变高压侧最大需量计收"),
    )
    return [
        batch(
            member,
            Role.FINANCE,
            member,
            [ObjectToLine(line["line_id"], line["amount_fen"] * percent // 100, sha256(reason.encode()), reason)],
        )
        for member, line, percent, reason in claims
    ]


def _line(stage: Stage, company: str, kind: LineKind) -> dict[str, Any]:
    own = stage.member_id(company)
    rows = stage.query(company, "settlement.lines", month=_month(stage), kind=kind)
    row: dict[str, Any] = next(row for row in rows if row["payer_id"] == own)
    return row


def _accept(stage: Stage) -> list[Act]:
    """Most accept; every seventh says nothing and accepts by silence."""
    speaking = [key for place, key in enumerate(_paying_members(stage)) if place % SILENT_EVERY]
    return [
        batch(key, Role.FINANCE, key, [AcceptStatement(statement_of(stage, key)["statement_id"])])
        for key in (GRID, *speaking)
        if key not in (_OBJECTING_MEMBER, _WRONGED_MEMBER)
    ]


def _answer(stage: Stage) -> list[Act]:
    """The loss charge stands; the demand is corrected."""
    wronged = stage.member_id(_WRONGED_MEMBER)
    messages = [
        AnswerObjection(row["objection_id"], True, row["claimed_fen"], "复核需量表计位置，异议成立")
        if row["member_id"] == wronged
        else AnswerObjection(row["objection_id"], False, 0, "线损按上网环节电价计收，与专变损耗无关")
        for row in stage.query(EXCHANGE, "settlement.objections", state="open")
    ]
    return [batch(EXCHANGE, Role.OPERATOR, "answer", messages)]


def _pay(stage: Stage) -> list[Act]:
    acts = []
    for key in _paying_members(stage):
        row = statement_of(stage, key)
        if row["payable_fen"]:
            expected = BALANCE_TOO_LOW.number if key == LATE_MEMBER else 0
            acts.append(batch(key, Role.FINANCE, key, [PayStatement(row["statement_id"])], expected))
    return acts


def _late_deposit(stage: Stage) -> list[Act]:
    messages = [
        message for deposit in deposits(stage.world) if deposit.is_late for message in deposit_messages(stage, deposit)
    ]
    return [batch(BANK, Role.TELLER, "late", messages, four_eyes=True)]


def _late_payment(stage: Stage) -> list[Act]:
    return [batch(LATE_MEMBER, Role.FINANCE, "pay", [PayStatement(statement_of(stage, LATE_MEMBER)["statement_id"])])]


def _request_payouts(stage: Stage) -> list[Act]:
    """Generators take home what the month brought them."""
    acts = []
    for company in stage.world.companies_of("generator"):
        row = statement_of(stage, company.key)
        earned = row["received_fen"] - row["paid_fen"]
        if earned > 0:
            acts.append(batch(company.key, Role.FINANCE, company.key, [RequestPayout(earned)], four_eyes=True))
    return acts


def _confirm_payouts(stage: Stage) -> list[Act]:
    rows = stage.query(BANK, "funds.payouts", state="requested")
    messages = [ConfirmPayout(row["payout_id"], sha256(f"payout {row['payout_id']}".encode())) for row in rows]
    return [batch(BANK, Role.TELLER, "payouts", messages)]


def steps() -> list[Step]:
    """August: eight working days to the statements, then objections, payment, the late payer, pay-outs."""
    at = clock.ms_at
    return [
        Step("issue", at(20260811, 10), _issue, "发布七月结算单", "July's statements are issued"),
        Step("object", at(20260812, 9), _object, "两户用户提出异议", "two users object to a line each"),
        Step("accept", at(20260812, 17), _accept, "成员确认结算单", "members accept their statements"),
        Step("answer", at(20260813, 10), _answer, "交易中心答复异议", "the exchange answers the objections"),
        Step("silence", at(20260821, 9), nobody, "异议期满，默认确认", "silence accepts when the period ends"),
        Step("pay", at(20260821, 16), _pay, "结算款支付", "payment against delivery"),
        Step("overdue", at(20260910, 9), nobody, "逾期标记", "what is unpaid becomes overdue"),
        Step("late-deposit", at(20260911, 9), _late_deposit, "迟到的入金", "the late deposit"),
        Step("late-payment", at(20260911, 15), _late_payment, "逾期支付", "the late payment"),
        Step("payouts", at(20260914, 10), _request_payouts, "发电企业申请出金", "generators request pay-outs"),
        Step("payouts-confirmed", at(20260914, 15), _confirm_payouts, "银行确认出金", "the bank confirms the pay-outs"),
    ]
