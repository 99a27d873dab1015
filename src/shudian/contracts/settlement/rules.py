"""The settlement contract, and the verbs for the contracts above."""

from shudian.contracts.funds import rules as funds
from shudian.contracts.settlement.messages import (
    REPLIES,
    AcceptStatement,
    AnswerObjection,
    ClearDay,
    DecideMediation,
    IssueStatements,
    ObjectToLine,
    PayStatement,
    PublishDayAhead,
    PublishReferencePrices,
    PublishRegulationPrices,
    ReclearDay,
    RequestMediation,
)
from shudian.contracts.settlement.messages_events import EVENTS
from shudian.contracts.settlement.messages_refusals import REFUSALS
from shudian.contracts.settlement.messages_settings import SETTINGS
from shudian.contracts.settlement.rules_conversion import convert_line, require_convertible, settle_converted
from shudian.contracts.settlement.rules_days import clear_day, reclear_day
from shudian.contracts.settlement.rules_green import certified_kwh
from shudian.contracts.settlement.rules_lines import (
    is_accepted,
    is_discharged,
    is_paid,
    line,
    lines_of,
    payee,
    statement,
    statement_of,
)
from shudian.contracts.settlement.rules_objections import (
    answer_objection,
    decide_mediation,
    object_to_line,
    request_mediation,
)
from shudian.contracts.settlement.rules_payables import payable_lines
from shudian.contracts.settlement.rules_payments import (
    mark_overdue,
    netting_transfer_id_of,
    pay_statement,
    transfer_id_of,
)
from shudian.contracts.settlement.rules_prices import (
    publish_day_ahead,
    publish_reference_prices,
    publish_regulation_prices,
)
from shudian.contracts.settlement.rules_statements import accept_in_silence, accept_statement, issue_statements
from shudian.contracts.settlement.state import INVARIANTS, LINES, NETTINGS, TABLES
from shudian.kernel.contract import BlockContext, Contract, StateInvariant

__all__ = [
    "CONTRACT",
    "certified_kwh",
    "convert_line",
    "is_accepted",
    "is_discharged",
    "is_paid",
    "line",
    "lines_of",
    "payable_lines",
    "payee",
    "require_convertible",
    "settle_converted",
    "statement",
    "statement_of",
    "transfer_id_of",
]


def _paid_lines_have_transfers(at: BlockContext) -> bool:
    """What counts as paid was moved in funds, by itself or in a netting, and what was moved counts as paid; 0.00 moves nothing."""
    lines = (
        funds.is_posted(at, transfer_id_of(int(key[0]))) == (is_paid(row) and not row.netting_id)
        for key, row in LINES.range(at)
        if row.amount_fen
    )
    nettings = (
        funds.is_posted(at, netting_transfer_id_of(int(key[0]))) == (row.gross_fen > row.counter_fen)
        for key, row in NETTINGS.range(at)
    )
    return all(lines) and all(nettings)


CONTRACT = Contract(
    name="settlement",
    number=10,
    tables=TABLES,
    handlers={
        PublishReferencePrices: publish_reference_prices,
        PublishRegulationPrices: publish_regulation_prices,
        PublishDayAhead: publish_day_ahead,
        ClearDay: clear_day,
        ReclearDay: reclear_day,
        IssueStatements: issue_statements,
        AcceptStatement: accept_statement,
        ObjectToLine: object_to_line,
        AnswerObjection: answer_objection,
        RequestMediation: request_mediation,
        DecideMediation: decide_mediation,
        PayStatement: pay_statement,
    },
    events=EVENTS,
    refusals=REFUSALS,
    replies=REPLIES,
    hooks=(accept_in_silence, mark_overdue),
    invariants=(
        *INVARIANTS,
        StateInvariant("a line is paid exactly if its transfer exists", _paid_lines_have_transfers),
    ),
    settings=SETTINGS,
)
