"""How a receivable is born: proposed on a statement line or on invoices, accepted by the debtor in time, or come to nothing."""

from msgspec.structs import replace

from shudian.contracts.funds import rules as funds
from shudian.contracts.governance import rules as governance
from shudian.contracts.identity import rules as identity
from shudian.contracts.receivables import rules_claims as claims
from shudian.contracts.receivables.messages import (
    AcceptReceivable,
    ConfirmInvoice,
    Debt,
    DebtState,
    Origin,
    ProposeReceivable,
    Receivable,
    ReceivableReply,
    RejectReceivable,
    SubmitInvoice,
    WithdrawReceivable,
)
from shudian.contracts.receivables.messages_events import ReceivableAccepted, ReceivableEnded, ReceivableProposed
from shudian.contracts.receivables.messages_refusals import (
    ACCEPTANCE_TOO_LATE,
    AMOUNT_DIFFERS,
    DEBTOR_LIMIT_EXCEEDED,
    DUE_DAY_NOT_AHEAD,
    LINE_NOT_FINANCEABLE,
    NOT_THE_CREDITOR,
    NOT_THE_DEBTOR,
    NOT_THE_PAYEE,
    NOT_WAITING,
    ORIGIN_DIFFERS,
    SELF_DEALING,
    TERM_TOO_LONG,
)
from shudian.contracts.receivables.rules_debts import debt, deed_of, outstanding_fen, owe, require_issuer
from shudian.contracts.receivables.state import DEBTS, RECEIVABLES
from shudian.contracts.roles import TRADING_KINDS
from shudian.contracts.settlement import rules as settlement
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext, Context
from shudian.kernel.outcomes import both
from shudian.kernel.tables import next_id

NO_EVIDENCE = b""


def propose_receivable(ctx: Context, message: ProposeReceivable) -> ReceivableReply:
    """Propose a statement line. Refuses: 2003, 3001, 4001, 10016, 10025-10030, 12002, 12007-12010, 12013. Emits: ReceivableProposed."""
    line = settlement.require_convertible(ctx, message.line_id)
    if line.payee_id != ctx.sender_id:
        raise NOT_THE_PAYEE(
            "line_id",
            message.line_id,
            both(f"收款方为成员 {ctx.sender_id} 的结算行", f"a line that member {ctx.sender_id} is paid by"),
        )
    if settlement.payee(ctx, line) != funds.account_of(ctx, line.payee_id):
        raise LINE_NOT_FINANCEABLE(
            "line_id",
            f"{message.line_id} {line.kind}",
            both("付至收款方自有资金账户的结算行", "a line paid to the payee's own cash"),
        )
    contract_no = f"agreement:{line.agreement_id} line:{message.line_id}"
    proposed = _proposal(
        ctx, Origin.LINE, message.line_id, line.payer_id, contract_no, (), NO_EVIDENCE, line.amount_fen, message.due_day
    )
    return _propose(ctx, proposed)


def submit_invoice(ctx: Context, message: SubmitInvoice) -> ReceivableReply:
    """Submit invoices. Refuses: 2003, 3001-3004, 4001, 12006, 12008, 12009, 12011-12013. Emits: ReceivableProposed."""
    if message.debtor_id == ctx.sender_id:
        raise SELF_DEALING("debtor_id", message.debtor_id, both("另一成员", "another member"))
    identity.require_kind(ctx, message.debtor_id, TRADING_KINDS)
    identity.require_good(ctx, message.debtor_id)
    funds.account_of(ctx, ctx.sender_id)
    proposed = _proposal(
        ctx,
        Origin.INVOICE,
        0,
        message.debtor_id,
        message.contract_no,
        message.invoice_codes,
        message.evidence,
        message.amount_fen,
        message.due_day,
    )
    return _propose(ctx, proposed)


def _proposal(
    ctx: Context,
    origin: Origin,
    line_id: int,
    debtor_id: int,
    contract_no: str,
    invoice_codes: tuple[str, ...],
    evidence: bytes,
    amount_fen: int,
    due_day: int,
) -> Debt:
    """A debt to be proposed today. Refuses: 2003, 3001, 12008, 12009, 12013.

    The answer is due before the debt is, so that an accepted receivable always lies ahead.
    """
    today = clock.day_of(ctx.market_ms)
    if due_day <= today:
        raise DUE_DAY_NOT_AHEAD("due_day", due_day, f"> {today}")
    term_day_count = governance.setting(ctx, "receivables.term_day_count", today)
    if clock.days_between(today, due_day) > term_day_count:
        raise TERM_TOO_LONG("due_day", due_day, f"<= {clock.day_after(today, term_day_count)}")
    require_issuer(ctx, debtor_id)
    answer_by_day = governance.working_day(
        ctx, today, governance.setting(ctx, "receivables.accept_working_day_count", today)
    )
    unmarked = Debt(
        origin,
        line_id,
        ctx.sender_id,
        debtor_id,
        contract_no,
        invoice_codes,
        evidence,
        amount_fen,
        0,
        today,
        due_day,
        min(answer_by_day, clock.day_after(due_day, -1)),
        b"",
    )
    return replace(unmarked, fingerprint=claims.fingerprint_of(ctx, unmarked))


def _propose(ctx: Context, proposed: Debt) -> ReceivableReply:
    claims.require_unclaimed(ctx, proposed)
    # no refusal below this line
    receivable_id = next_id(ctx, "receivables.receivable")
    claims.claim(ctx, receivable_id, proposed)
    DEBTS.put(ctx, (receivable_id,), proposed)
    ctx.emit(
        ReceivableProposed(
            deed=deed_of(receivable_id),
            parties=(proposed.creditor_id, proposed.debtor_id),
            also=_line_deed(proposed),
            receivable_id=receivable_id,
            debt=proposed,
        )
    )
    return ReceivableReply(receivable_id, proposed.fingerprint, proposed.accept_by_day)


def _line_deed(row: Debt) -> tuple[str, ...]:
    return (f"line:{row.line_id}",) if row.line_id else ()


def accept_receivable(ctx: Context, message: AcceptReceivable) -> None:
    """Accept a proposal on a line, which is converted.

    Refuses: as :func:`_accept`, and 10025-10030 of a line that is disputed, paid, converted or corrected meanwhile. Emits: ReceivableAccepted.
    """
    _accept(ctx, message.receivable_id, message.amount_fen, Origin.LINE)


def confirm_invoice(ctx: Context, message: ConfirmInvoice) -> None:
    """Confirm invoices. Refuses: as :func:`_accept`. Emits: ReceivableAccepted."""
    _accept(ctx, message.receivable_id, message.amount_fen, Origin.INVOICE)


def _accept(ctx: Context, receivable_id: int, amount_fen: int, origin: Origin) -> None:
    """Refuses: 2003, 4001, 12001, 12004, 12013-12018."""
    proposed = _waiting(ctx, receivable_id)
    _require_debtor(ctx, proposed)
    today = clock.day_of(ctx.market_ms)
    if today > proposed.accept_by_day:
        raise ACCEPTANCE_TOO_LATE(
            "receivable_id", receivable_id, both(f"不晚于 {proposed.accept_by_day}", f"until {proposed.accept_by_day}")
        )
    if proposed.origin is not origin:
        raise ORIGIN_DIFFERS("receivable_id", f"{receivable_id} {proposed.origin}", origin)
    if amount_fen != proposed.amount_fen:
        raise AMOUNT_DIFFERS("amount_fen", amount_fen, proposed.amount_fen)
    require_issuer(ctx, proposed.debtor_id)
    funds.account_of(ctx, proposed.debtor_id)
    limit_fen = governance.setting(ctx, "receivables.debtor_limit_fen", today, str(proposed.debtor_id))
    room_fen = limit_fen - outstanding_fen(ctx, proposed.debtor_id)
    if amount_fen > room_fen:
        raise DEBTOR_LIMIT_EXCEEDED("amount_fen", amount_fen, f"<= {room_fen}")
    if proposed.line_id:
        settlement.convert_line(ctx, proposed.line_id, deed_of(receivable_id))
    # no refusal below this line
    owe(ctx, proposed.debtor_id, amount_fen)
    accepted = replace(proposed, open_fen=amount_fen, state=DebtState.ACCEPTED)
    DEBTS.put(ctx, (receivable_id,), accepted)
    RECEIVABLES.put(ctx, (receivable_id,), Receivable(receivable_id, 0, accepted.creditor_id, 0, amount_fen))
    ctx.emit(
        ReceivableAccepted(
            deed=deed_of(receivable_id),
            parties=(accepted.creditor_id, accepted.debtor_id),
            also=_line_deed(accepted),
            receivable_id=receivable_id,
            debt=accepted,
        )
    )


def _waiting(ctx: Context, receivable_id: int) -> Debt:
    proposed = debt(ctx, receivable_id)
    if proposed.state is not DebtState.PROPOSED:
        raise NOT_WAITING("receivable_id", f"{receivable_id} {proposed.state}", DebtState.PROPOSED)
    return proposed


def _require_debtor(ctx: Context, proposed: Debt) -> None:
    if proposed.debtor_id != ctx.sender_id:
        raise NOT_THE_DEBTOR("sender_id", ctx.sender_id, proposed.debtor_id)


def reject_receivable(ctx: Context, message: RejectReceivable) -> None:
    """Decline. Refuses: 12001, 12004, 12015. Emits: ReceivableEnded."""
    proposed = _waiting(ctx, message.receivable_id)
    _require_debtor(ctx, proposed)
    # no refusal below this line
    _end(ctx, message.receivable_id, proposed, DebtState.REJECTED, message.reason)


def withdraw_receivable(ctx: Context, message: WithdrawReceivable) -> None:
    """Take back. Refuses: 12001, 12003, 12015. Emits: ReceivableEnded."""
    proposed = _waiting(ctx, message.receivable_id)
    if proposed.creditor_id != ctx.sender_id:
        raise NOT_THE_CREDITOR("sender_id", ctx.sender_id, proposed.creditor_id)
    # no refusal below this line
    _end(ctx, message.receivable_id, proposed, DebtState.CANCELLED, "")


def lapse_proposals(ctx: BlockContext) -> None:
    """Block hook: end every proposal whose debtor gave no answer in time. Emits: ReceivableEnded."""
    yesterday = clock.day_after(clock.day_of(ctx.market_ms), -1)
    for key, proposed in DEBTS.due(ctx, "by_answer", yesterday):
        _end(ctx, int(key[0]), proposed, DebtState.LAPSED, "")


def _end(ctx: BlockContext, receivable_id: int, proposed: Debt, state: DebtState, reason: str) -> None:
    claims.give_back(ctx, proposed)
    DEBTS.put(ctx, (receivable_id,), replace(proposed, state=state))
    ctx.emit(
        ReceivableEnded(
            deed=deed_of(receivable_id),
            parties=(proposed.creditor_id, proposed.debtor_id),
            also=_line_deed(proposed),
            receivable_id=receivable_id,
            state=state,
            reason=reason,
        )
    )
