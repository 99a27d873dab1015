"""Receivables on statement lines: what is asked of settlement, and when; settlement itself is stood in for by a book of lines."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import Code, ConfirmDeposit
from shudian.contracts.receivables.messages import AcceptReceivable, ConfirmInvoice, ProposeReceivable
from shudian.contracts.receivables.messages_refusals import REFUSALS
from shudian.contracts.settlement import rules as settlement
from shudian.contracts.settlement.messages_facts import BillLine, Formula, LineExplanation, LineKind
from shudian.contracts.settlement.messages_refusals import LINE_UNKNOWN
from shudian.kernel.contract import BlockContext
from shudian.kernel.crypto import sha256
from shudian.kernel.messages import Message
from shudian.kernel.outcomes import Refusal
from shudian.kernel.tables import HasStore
from tests.unit import test_receivables
from tests.unit.test_receivables import BANK, CONTRACTOR, DUE_DAY, GRID, SUPPLIER, Town

NOT_CONVERTIBLE = Refusal(12_999, "test_only", "测试", "test")
ENERGY = BillLine(
    202602, LineKind.ENERGY, GRID, CONTRACTOR, 1_000_000, 9, 7, 0, LineExplanation(Formula.SUM_OF_DAYS, (), ())
)


class Book:
    """Lines by id, and what was asked: 1 energy, 2 another's, 5 a levy, 6 refused when converted."""

    def __init__(self) -> None:
        self.lines = {
            1: ENERGY,
            2: replace(ENERGY, payee_id=SUPPLIER),
            5: replace(ENERGY, kind=LineKind.LEVY, payee_id=GRID, payer_id=CONTRACTOR),
            6: ENERGY,
        }
        self.converted: list[tuple[int, str]] = []
        self.settled: list[int] = []

    def require_convertible(self, _at: HasStore, line_id: int) -> BillLine:
        if line_id not in self.lines:
            raise LINE_UNKNOWN("line_id", line_id)
        return self.lines[line_id]

    def payee(self, _at: HasStore, row: BillLine) -> int:
        return row.payee_id * 100 + (Code.LEVY if row.kind is LineKind.LEVY else Code.CASH)

    def convert_line(self, _ctx: BlockContext, line_id: int, purpose: str) -> BillLine:
        if line_id == 6:
            raise NOT_CONVERTIBLE("line_id", line_id)
        self.converted.append((line_id, purpose))
        return self.lines[line_id]

    def settle_converted(self, _ctx: BlockContext, line_id: int) -> None:
        self.settled.append(line_id)


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch) -> Book:
    stand_in = Book()
    for name in ("require_convertible", "payee", "convert_line", "settle_converted"):
        monkeypatch.setattr(settlement, name, getattr(stand_in, name))
    return stand_in


def test_a_line_is_converted_when_its_debtor_accepts_and_settled_when_it_is_redeemed(book: Book) -> None:
    town = Town()
    root = town.done(CONTRACTOR, ProposeReceivable(1, DUE_DAY)).receivable_id
    assert not book.converted
    town.done(GRID, AcceptReceivable(root, 1_000_000))
    assert (book.converted, book.settled) == ([(1, f"receivable:{root}")], [])
    town.day(DUE_DAY)
    assert book.settled == [1]
    assert town.cash(CONTRACTOR) == 1_000_000


def test_a_line_is_not_settled_by_part_of_its_money(book: Book) -> None:
    town = Town(grid=400_000)
    root = town.done(CONTRACTOR, ProposeReceivable(1, DUE_DAY)).receivable_id
    town.done(GRID, AcceptReceivable(root, 1_000_000))
    town.day(DUE_DAY)
    assert (town.cash(CONTRACTOR), book.settled) == (400_000, [])
    town.done(BANK, ConfirmDeposit(GRID, 600_000, sha256(b"rest")))
    assert (town.cash(CONTRACTOR), book.settled) == (1_000_000, [1])


def test_two_lines_alike_but_for_their_number_are_two_claims(book: Book) -> None:
    town = Town()
    first = town.done(CONTRACTOR, ProposeReceivable(1, DUE_DAY))
    second = town.done(CONTRACTOR, ProposeReceivable(6, DUE_DAY))
    assert first.fingerprint != second.fingerprint
    assert not book.converted


def _again(town: Town, due_day: int) -> tuple[int, Message]:
    town.done(CONTRACTOR, ProposeReceivable(1, DUE_DAY))
    return CONTRACTOR, ProposeReceivable(1, due_day)


def _answered(town: Town, line_id: int, answer: Callable[[int], Message]) -> tuple[int, Message]:
    return GRID, answer(town.done(CONTRACTOR, ProposeReceivable(line_id, DUE_DAY)).receivable_id)


LINES_REFUSED: list[tuple[str, int, Callable[[Town], tuple[int, Message]]]] = [
    ("no such line", 10016, lambda _: (CONTRACTOR, ProposeReceivable(99, DUE_DAY))),
    ("another is paid by it", 12002, lambda _: (CONTRACTOR, ProposeReceivable(2, DUE_DAY))),
    ("proposed by its payer", 12002, lambda _: (GRID, ProposeReceivable(1, DUE_DAY))),
    ("a levy belongs to the treasury", 12007, lambda _: (GRID, ProposeReceivable(5, DUE_DAY))),
    ("proposed twice, due another day", 12010, lambda t: _again(t, 20260629)),
    ("accepted as an invoice", 12017, lambda t: _answered(t, 1, lambda i: ConfirmInvoice(i, 1_000_000))),
    ("settlement refuses to convert it", 12_999, lambda t: _answered(t, 6, lambda i: AcceptReceivable(i, 1_000_000))),
]


@pytest.mark.parametrize(("number", "make"), [row[1:] for row in LINES_REFUSED], ids=[row[0] for row in LINES_REFUSED])
def test_refusals(book: Book, number: int, make: Callable[[Town], tuple[int, Message]]) -> None:
    town = Town()
    sender_id, message = make(town)
    assert town.refused(sender_id, message) == number
    assert not book.converted
    assert funds.trial_balance(town.at)[0]


def test_every_refusal_is_in_a_table() -> None:
    tried = {row[1] for row in (*test_receivables.REFUSED, *LINES_REFUSED)}
    also_tried = {12015, 12024, 12026}
    assert {refusal.number for refusal in REFUSALS} <= tried | also_tried
