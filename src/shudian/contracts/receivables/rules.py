"""The receivables contract, and the verbs by which others look at it.

The rules stand by noun: ``rules_birth`` (proposal, acceptance), ``rules_titles`` (split, transfer), ``rules_finance`` (requests, quotes, DvP),
``rules_pledges``, ``rules_maturity`` (waterfall, overdue, recourse, write-off), ``rules_claims`` (what may be claimed once), ``rules_debts``.
"""

from shudian.contracts.receivables.messages import (
    SETTINGS,
    AcceptReceivable,
    ConfirmInvoice,
    PartsReply,
    ProposeReceivable,
    ReceivableReply,
    RejectReceivable,
    SplitReceivable,
    SubmitInvoice,
    TransferReceivable,
    WithdrawReceivable,
    WriteOffReceivable,
)
from shudian.contracts.receivables.messages_events import EVENTS
from shudian.contracts.receivables.messages_finance import (
    ChooseQuote,
    ClaimRecourse,
    FinanceReply,
    PledgeReceivable,
    QuoteFinance,
    QuoteReply,
    ReleasePledge,
    RequestFinance,
    RequestReply,
    WithdrawFinance,
)
from shudian.contracts.receivables.messages_refusals import REFUSALS
from shudian.contracts.receivables.rules_birth import (
    accept_receivable,
    confirm_invoice,
    lapse_proposals,
    propose_receivable,
    reject_receivable,
    submit_invoice,
    withdraw_receivable,
)
from shudian.contracts.receivables.rules_debts import debt, is_blocked, outstanding_fen, receivable
from shudian.contracts.receivables.rules_finance import (
    choose_quote,
    expire_requests,
    quote_finance,
    request_finance,
    withdraw_finance,
)
from shudian.contracts.receivables.rules_maturity import claim_recourse, redeem, write_off_receivable
from shudian.contracts.receivables.rules_pledges import pledge_receivable, release_pledge
from shudian.contracts.receivables.rules_titles import split_receivable, transfer_receivable
from shudian.contracts.receivables.state import INVARIANTS, TABLES
from shudian.kernel.contract import Contract

__all__ = ["CONTRACT", "debt", "is_blocked", "outstanding_fen", "receivable"]

CONTRACT = Contract(
    name="receivables",
    number=12,
    tables=TABLES,
    handlers={
        ProposeReceivable: propose_receivable,
        SubmitInvoice: submit_invoice,
        AcceptReceivable: accept_receivable,
        ConfirmInvoice: confirm_invoice,
        RejectReceivable: reject_receivable,
        WithdrawReceivable: withdraw_receivable,
        SplitReceivable: split_receivable,
        TransferReceivable: transfer_receivable,
        RequestFinance: request_finance,
        QuoteFinance: quote_finance,
        ChooseQuote: choose_quote,
        WithdrawFinance: withdraw_finance,
        PledgeReceivable: pledge_receivable,
        ReleasePledge: release_pledge,
        ClaimRecourse: claim_recourse,
        WriteOffReceivable: write_off_receivable,
    },
    events=EVENTS,
    refusals=REFUSALS,
    replies=(ReceivableReply, PartsReply, RequestReply, QuoteReply, FinanceReply),
    # Locks end before maturity is looked at, so that nothing that is offered is due.
    hooks=(lapse_proposals, expire_requests, redeem),
    invariants=INVARIANTS,
    settings=SETTINGS,
)
