"""From a metered month to redemption with the real settlement: a bill line becomes a receivable and is paid through it alone."""

from collections.abc import Callable
from typing import Any

import pytest

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import State
from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import ConfirmDeposit, OpenAccount
from shudian.contracts.guarantees import rules as guarantees
from shudian.contracts.metering import rules as metering
from shudian.contracts.metering.messages import BindMeter, Direction
from shudian.contracts.receivables import rules as receivables
from shudian.contracts.receivables.messages import AcceptReceivable, DebtState, ProposeReceivable, SplitReceivable
from shudian.contracts.receivables.messages_finance import ChooseQuote, QuoteFinance, RequestFinance
from shudian.contracts.resources import rules as resources
from shudian.contracts.settlement import rules as settlement
from shudian.contracts.settlement.messages import AcceptStatement, ObjectToLine, PayStatement
from shudian.contracts.settlement.messages_facts import LineKind, LineState
from shudian.contracts.trading import rules as trading
from shudian.kernel import clock
from shudian.kernel.crypto import sha256
from shudian.kernel.messages import Message
from tests.unit.test_resources import LOAD, PLANT, but, market, register
from tests.unit.test_settlement import BANK, EVIDENCE, FIRST, GRID, HYDRO, KINDS, RICH_FEN, USER, USER_LOAD, Town

DUE_DAY = 20261030
ENERGY_FEN = 210_000_000


class Street(Town):
    """The town of settlement with receivables above it, and a bank that has money of its own."""

    def __init__(self) -> None:
        contracts = (funds, guarantees, resources, metering, agreements, trading, settlement, receivables)
        self.book = market(*(module.CONTRACT for module in contracts), kinds=KINDS)
        register(self.book, HYDRO, PLANT)
        register(self.book, USER, but(LOAD, contract_demand_kw=15_000))
        self.say(GRID, BindMeter("H", 1, Direction.GENERATION, FIRST), BindMeter("U", USER_LOAD, Direction.LOAD, FIRST))
        for member_id in (GRID, HYDRO, USER, BANK):
            self.say(member_id, OpenAccount(BANK, sha256(b"account")))
            self.say(BANK, ConfirmDeposit(member_id, RICH_FEN, sha256(b"deposit %d" % member_id)))

    def proposed(self) -> int:
        """The hydro plant asks the user to owe its energy line until the end of October."""
        reply = self.say(HYDRO, ProposeReceivable(self.line(LineKind.ENERGY), DUE_DAY))[0]
        receivable_id: int = reply.receivable_id
        return receivable_id

    def converted(self) -> int:
        receivable_id = self.proposed()
        self.say(USER, AcceptReceivable(receivable_id, ENERGY_FEN))
        return receivable_id

    def balanced(self) -> None:
        self.book.machine.check_all()
        debits, credits_ = funds.trial_balance(self.book.store)
        assert debits == credits_


@pytest.fixture
def street() -> Street:
    return Street()


def test_a_bill_line_is_financed_and_paid_through_its_receivable_alone(street: Street) -> None:
    ids = street.accepted()
    line_id = street.line(LineKind.ENERGY)
    root = street.converted()
    assert settlement.line(street.book.store, line_id).state is LineState.CONVERTED
    before = {member_id: street.free(member_id) for member_id in (HYDRO, USER, BANK)}
    part, rest = street.say(HYDRO, SplitReceivable(root, (150_000_000, 60_000_000)))[0].receivable_ids
    now_ms = street.book.now_ms
    request_id = street.say(HYDRO, RequestFinance(part, now_ms + clock.HOUR_MS))[0].request_id
    quote = street.say(BANK, QuoteFinance(request_id, 36_000, 360, 0, False, now_ms + clock.HOUR_MS))[0]
    street.say(HYDRO, ChooseQuote(quote.quote_id, quote.net_fen, "ZDW-1", now_ms, EVIDENCE))
    assert street.free(HYDRO) - before[HYDRO] == 150_000_000 - quote.interest_fen
    street.say(USER, PayStatement(ids[USER]))
    paid_fen = before[USER] - street.free(USER)
    street.balanced()
    street.go_to(DUE_DAY)
    assert before[USER] - street.free(USER) - paid_fen == ENERGY_FEN
    assert street.free(BANK) - before[BANK] == quote.interest_fen
    assert receivables.debt(street.book.store, root).state is DebtState.REDEEMED
    assert receivables.receivable(street.book.store, rest).open_fen == 0
    assert settlement.line(street.book.store, line_id).state is LineState.REDEEMED
    assert agreements.agreement(street.book.store, street.agreement_id).state is State.SETTLED
    street.balanced()


def _disputed(street: Street) -> tuple[int, Message]:
    ids = street.issued()
    line_id = street.line(LineKind.ENERGY)
    street.say(USER, ObjectToLine(line_id, 1, EVIDENCE, "too much"))
    for member_id in (HYDRO, GRID):
        street.say(member_id, AcceptStatement(ids[member_id]))
    return HYDRO, ProposeReceivable(line_id, DUE_DAY)


def _disputed_after_the_proposal(street: Street) -> tuple[int, Message]:
    """What both accepted can be disputed no more, so the acceptance finds the line as it was proposed."""
    street.accepted()
    street.proposed()
    return USER, ObjectToLine(street.line(LineKind.ENERGY), 1, EVIDENCE, "too much")


def _unaccepted(street: Street) -> tuple[int, Message]:
    street.say(HYDRO, AcceptStatement(street.issued()[HYDRO]))
    return HYDRO, ProposeReceivable(street.line(LineKind.ENERGY), DUE_DAY)


def _paid(street: Street) -> tuple[int, Message]:
    street.say(USER, PayStatement(street.accepted()[USER]))
    return HYDRO, ProposeReceivable(street.line(LineKind.ENERGY), DUE_DAY)


def _paid_after_the_proposal(street: Street) -> tuple[int, Message]:
    ids = street.accepted()
    receivable_id = street.proposed()
    street.say(USER, PayStatement(ids[USER]))
    return USER, AcceptReceivable(receivable_id, ENERGY_FEN)


def _converted_again(street: Street) -> tuple[int, Message]:
    street.accepted()
    street.converted()
    return HYDRO, ProposeReceivable(street.line(LineKind.ENERGY), DUE_DAY)


def _corrected_after_redemption(street: Street) -> tuple[int, Message]:
    street.accepted()
    street.converted()
    street.go_to(DUE_DAY)
    return USER, ObjectToLine(street.line(LineKind.ENERGY), 1, EVIDENCE, "too much")


def _levy(street: Street) -> tuple[int, Message]:
    street.accepted()
    return GRID, ProposeReceivable(street.line(LineKind.LEVY), DUE_DAY)


REFUSED: list[tuple[str, int, Callable[[Street], tuple[int, Message]]]] = [
    ("a line in dispute", 10025, _disputed),
    ("a line that was paid", 10026, _paid),
    ("a line that is paid before the debtor accepts", 10026, _paid_after_the_proposal),
    ("a line that is a receivable already", 10027, _converted_again),
    ("a line that one side has not accepted", 10029, _unaccepted),
    ("an objection while the proposal waits", 10014, _disputed_after_the_proposal),
    ("an objection after redemption", 10014, _corrected_after_redemption),
    ("a levy", 12007, _levy),
]


@pytest.mark.parametrize(("number", "make"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refusals(street: Street, number: int, make: Callable[[Street], tuple[int, Any]]) -> None:
    sender_id, message = make(street)
    assert street.refused(sender_id, message) == number
    street.balanced()


def test_a_converted_line_is_left_out_when_the_statement_is_paid(street: Street) -> None:
    ids = street.accepted()
    street.converted()
    before_fen = street.free(HYDRO)
    street.say(USER, PayStatement(ids[USER]))
    assert street.free(HYDRO) == before_fen
    assert street.refused(USER, PayStatement(ids[USER])) == 10022
    street.balanced()
