"""The settlement contract, and the verbs for the contracts above."""

from shudian.contracts.funds import rules as funds
from shudian.contracts.settlement.messages import (
    REFUSALS,
    REPLIES,
    AcceptStatement,
    AnswerObjection,
    ClearDay,
    IssueStatements,
    ObjectToLine,
    PayStatement,
    PublishDayAhead,
    PublishReferencePrices,
    PublishRegulationPrices,
)
from shudian.contracts.settlement.messages_events import EVENTS
from shudian.contracts.settlement.messages_settings import SETTINGS
from shudian.contracts.settlement.rules_days import clear_day
from shudian.contracts.settlement.rules_lines import is_paid, line, lines_of, payee, statement, statement_of
from shudian.contracts.settlement.rules_payments import mark_overdue, pay_statement, payable_lines, transfer_id_of
from shudian.contracts.settlement.rules_prices import (
    publish_day_ahead,
    publish_reference_prices,
    publish_regulation_prices,
)
from shudian.contracts.settlement.rules_statements import (
    accept_in_silence,
    accept_statement,
    answer_objection,
    issue_statements,
    object_to_line,
)
from shudian.contracts.settlement.state import INVARIANTS, LINES, TABLES
from shudian.kernel.contract import BlockContext, Contract, StateInvariant

__all__ = [
    "CONTRACT",
    "is_paid",
    "line",
    "lines_of",
    "payable_lines",
    "payee",
    "statement",
    "statement_of",
    "transfer_id_of",
]


def _paid_lines_have_transfers(at: BlockContext) -> bool:
    """What counts as paid was moved in funds, and what was moved counts as paid; a line of 0.00 moves nothing."""
    return all(
        funds.is_posted(at, transfer_id_of(int(key[0]))) == is_paid(row)
        for key, row in LINES.range(at)
        if row.amount_fen
    )


CONTRACT = Contract(
    name="settlement",
    number=10,
    tables=TABLES,
    handlers={
        PublishReferencePrices: publish_reference_prices,
        PublishRegulationPrices: publish_regulation_prices,
        PublishDayAhead: publish_day_ahead,
        ClearDay: clear_day,
        IssueStatements: issue_statements,
        AcceptStatement: accept_statement,
        ObjectToLine: object_to_line,
        AnswerObjection: answer_objection,
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
