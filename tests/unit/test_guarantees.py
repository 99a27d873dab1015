"""Guarantees: the required amount, the bank's word, draws, the exposure line with its warning and its end."""

from collections.abc import Callable
from typing import Any

import pytest

from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import ConfirmDeposit, OpenAccount
from shudian.contracts.governance.messages import SetSetting
from shudian.contracts.guarantees import rules as guarantees
from shudian.contracts.guarantees.messages import (
    REFUSALS,
    AnswerGuarantee,
    DrawGuarantee,
    Instrument,
    RegisterGuarantee,
    ReleaseGuarantee,
    SetRequirement,
    State,
)
from shudian.contracts.guarantees.messages_events import ExposureWarned, GuaranteeEnded
from shudian.contracts.guarantees.views import VIEWS
from shudian.contracts.roles import OVERSIGHT, Kind
from shudian.kernel import check, clock
from shudian.kernel.crypto import sha256
from shudian.kernel.machine import CLOCK, STEPPED, Clock
from shudian.kernel.messages import Message
from shudian.kernel.outcomes import Refused
from shudian.reading.projector import Projector
from shudian.reading.reader import THE_PUBLIC, Viewer
from tests.unit.test_resources import market

EXCHANGE, GRID, RETAILER, BANK, RIVAL_BANK = range(1, 6)
KINDS = (Kind.EXCHANGE, Kind.GRID_COMPANY, Kind.RETAILER, Kind.BANK, Kind.BANK)
TODAY, LAST_DAY = 20260620, 20261231
PAPER = sha256(b"guarantee")
AMOUNT = 500_000_000
BANK_FEN = 300_000_000


def paper(**facts: Any) -> RegisterGuarantee:
    fields: dict[str, Any] = {
        "bank_id": BANK,
        "instrument": Instrument.LETTER,
        "number": "LG-1",
        "document": PAPER,
        "amount_fen": AMOUNT,
        "first_day": TODAY,
        "last_day": LAST_DAY,
    }
    return RegisterGuarantee(**(fields | facts))


class Town:
    """A retailer and its bank, on 2026-06-20."""

    def __init__(self) -> None:
        self.book = market(funds.CONTRACT, guarantees.CONTRACT, kinds=KINDS)
        self.told: list[Any] = list(self.book.last.events)
        for member_id in (GRID, RETAILER, BANK):
            self.done(member_id, OpenAccount(BANK, sha256(b"account")))
        self.done(BANK, ConfirmDeposit(BANK, BANK_FEN, sha256(b"deposit")))

    def done(self, sender_id: int, message: Message) -> Any:
        reply = self.book.done(sender_id, message)
        self.told.extend(self.book.last.events)
        self.book.machine.check_all()
        return reply

    def refused(self, sender_id: int, message: Message) -> int:
        number = self.book.refused(sender_id, message)
        self.book.machine.check_all()
        return number

    def day(self, day: int) -> list[Any]:
        self.book.advance(clock.ms_at(day, 9))
        self.told.extend(self.book.last.events)
        self.book.machine.check_all()
        return self.book.events

    def registered(self, **facts: Any) -> int:
        guarantee_id: int = self.done(RETAILER, paper(**facts)).guarantee_id
        return guarantee_id

    def confirmed(self, **facts: Any) -> int:
        guarantee_id = self.registered(**facts)
        self.done(BANK, AnswerGuarantee(guarantee_id, True, ""))
        return guarantee_id

    def require(self) -> Any:
        return self.done(EXCHANGE, SetRequirement(RETAILER, 500_000_000, 82_000_000, 90_000_000, ""))

    def expose(self, amount_fen: int, purpose: str = "agreement:7") -> list[Any]:
        """As a contract above does it; returns the events."""
        ctx = self.book.context()
        guarantees.add_exposure(ctx, RETAILER, purpose, amount_fen)
        self.book.machine.check_all()
        return ctx.events

    @property
    def line(self) -> Any:
        return guarantees.line(self.book.store, RETAILER)

    def cash(self, member_id: int) -> int:
        return funds.free_fen(self.book.store, funds.account_of(self.book.store, member_id))


@pytest.fixture
def town() -> Town:
    return Town()


def test_the_required_amount_of_the_worked_example(town: Town) -> None:
    reply = town.require()
    assert (reply.required_fen, reply.missing_fen) == (450_000_000, 450_000_000)
    town.confirmed(amount_fen=400_000_000)
    assert town.require().missing_fen == 50_000_000


@pytest.mark.parametrize(
    ("year_kwh", "wholesale_kwh", "retail_kwh", "grade", "required_fen"),
    [
        (500_000_000, 82_000_000, 90_000_000, "", 450_000_000),
        (500_000_000, 79_000_000, 70_000_000, "", 400_000_000),
        (500_000_000, 95_000_000, 70_000_000, "", 475_000_000),
        (500_000_000, 82_000_000, 90_000_000, "AAA", 360_000_000),
        (500_000_000, 82_000_000, 90_000_000, "C", 450_000_000),
        (0, 0, 0, "", 0),
    ],
)
def test_the_larger_amount_counts(
    town: Town, year_kwh: int, wholesale_kwh: int, retail_kwh: int, grade: str, required_fen: int
) -> None:
    town.done(EXCHANGE, SetSetting("guarantees.grade_factor_ppm", "AAA", TODAY, (800_000,), "test"))
    message = SetRequirement(RETAILER, year_kwh, wholesale_kwh, retail_kwh, grade)
    assert town.done(EXCHANGE, message).required_fen == required_fen


def test_a_guarantee_counts_once_its_bank_confirms_it(town: Town) -> None:
    guarantee_id = town.registered()
    assert town.line.available_fen == 0
    town.done(BANK, AnswerGuarantee(guarantee_id, True, ""))
    assert town.line.available_fen == AMOUNT
    rejected = town.registered(number="LG-2")
    town.done(BANK, AnswerGuarantee(rejected, False, "not ours"))
    assert town.line.available_fen == AMOUNT
    town.registered(number="LG-2")


def test_a_draw_pays_the_creditor_out_of_the_banks_cash(town: Town) -> None:
    guarantee_id = town.confirmed()
    for amount_fen in (100_000_000, 50_000_000):
        town.done(GRID, DrawGuarantee(guarantee_id, GRID, amount_fen, "statement:12", PAPER))
    assert (town.cash(GRID), town.cash(BANK)) == (150_000_000, BANK_FEN - 150_000_000)
    assert town.line.available_fen == AMOUNT - 150_000_000
    debits, credits_ = funds.trial_balance(town.book.store)
    assert debits == credits_


def test_the_line_warns_once_at_80_per_cent_and_blocks_at_100(town: Town) -> None:
    town.require()
    town.confirmed()

    def warned(amount_fen: int) -> bool:
        return any(isinstance(event, ExposureWarned) for event in town.expose(amount_fen))

    assert [warned(fen) for fen in (399_999_999, 1, 1, -2, 2)] == [False, True, False, False, True]
    guarantees.require_room(town.book.store, RETAILER, 99_999_999)
    with pytest.raises(Refused) as refused:
        guarantees.require_room(town.book.store, RETAILER, 100_000_000)
    assert (refused.value.refusal.number, refused.value.allowed) == (5011, "<= 99999999")
    town.expose(99_999_999)
    with pytest.raises(Refused):
        guarantees.require_room(town.book.store, RETAILER, 1)
    guarantees.release_exposure(town.book.context(), RETAILER, "agreement:7")
    guarantees.release_exposure(town.book.context(), RETAILER, "agreement:7")
    assert guarantees.exposure(town.book.store, RETAILER) == 0


def test_a_member_without_a_requirement_is_not_watched(town: Town) -> None:
    assert not [event for event in town.expose(10**12) if isinstance(event, ExposureWarned)]
    guarantees.require_room(town.book.store, RETAILER, 10**12)


def test_no_exposure_is_given_back_twice(town: Town) -> None:
    town.expose(5)
    with pytest.raises(check.CheckFailed):
        guarantees.add_exposure(town.book.context(), RETAILER, "agreement:7", -6)


def test_a_term_ends_by_itself_and_the_line_warns(town: Town) -> None:
    town.require()
    guarantee_id = town.confirmed()
    town.confirmed(number="LG-2", amount_fen=1_000, last_day=20270630)
    town.expose(1_000)
    assert not [event for event in town.day(LAST_DAY) if isinstance(event, GuaranteeEnded)]
    kinds = [type(event) for event in town.day(20270101)]
    assert GuaranteeEnded in kinds
    assert ExposureWarned in kinds
    assert guarantees.guarantee(town.book.store, guarantee_id).state is State.EXPIRED
    assert town.line.available_fen == 1_000


def test_a_guarantee_that_is_not_needed_is_released(town: Town) -> None:
    guarantee_id = town.confirmed()
    town.done(EXCHANGE, ReleaseGuarantee(guarantee_id))
    assert (town.line.available_fen, guarantees.guarantee(town.book.store, guarantee_id).state) == (0, State.RELEASED)


def _draw(guarantee_id: int, amount_fen: int = 1, creditor_id: int = GRID) -> DrawGuarantee:
    return DrawGuarantee(guarantee_id, creditor_id, amount_fen, "statement:12", PAPER)


def _confirmed_late(town: Town) -> tuple[int, Message]:
    """The first message of the day after the term comes before the hook of its block."""
    guarantee_id = town.registered()
    CLOCK.put(town.book.store, (), Clock(STEPPED, clock.ms_at(20270101)))
    return BANK, AnswerGuarantee(guarantee_id, True, "")


def _needed(town: Town, *, exposed: bool) -> tuple[int, Message]:
    guarantee_id = town.confirmed()
    if exposed:
        town.expose(1)
    else:
        town.require()
    return EXCHANGE, ReleaseGuarantee(guarantee_id)


def _twice(town: Town) -> tuple[int, Message]:
    guarantee_id = town.confirmed()
    return BANK, AnswerGuarantee(guarantee_id, True, "")


REFUSED: list[tuple[str, int, Callable[[Town], tuple[int, Message]]]] = [
    ("release of nothing", 5001, lambda _: (EXCHANGE, ReleaseGuarantee(9))),
    ("the same number again", 5002, lambda t: (t.confirmed(), (RETAILER, paper()))[1]),
    ("registered after its term", 5003, lambda _: (RETAILER, paper(first_day=20260101, last_day=20260619))),
    ("confirmed after its term", 5003, _confirmed_late),
    ("confirmed by another bank", 5004, lambda t: (RIVAL_BANK, AnswerGuarantee(t.registered(), True, ""))),
    ("confirmed twice", 5005, _twice),
    ("drawn before it is confirmed", 5006, lambda t: (GRID, _draw(t.registered()))),
    ("drawn before its term", 5007, lambda t: (GRID, _draw(t.confirmed(first_day=20260701)))),
    ("drawn beyond its amount", 5008, lambda t: (GRID, _draw(t.confirmed(), AMOUNT + 1))),
    ("drawn for the member itself", 5009, lambda t: (GRID, _draw(t.confirmed(), 1, RETAILER))),
    ("drawn for the bank", 5009, lambda t: (GRID, _draw(t.confirmed(), 1, BANK))),
    ("released while exposed", 5010, lambda t: _needed(t, exposed=True)),
    ("released while required", 5010, lambda t: _needed(t, exposed=False)),
    ("drawn beyond the bank's cash", 4003, lambda t: (GRID, _draw(t.confirmed(), BANK_FEN + 1))),
    ("drawn for the exchange", 3004, lambda t: (GRID, _draw(t.confirmed(), 1, EXCHANGE))),
    ("issued by no bank", 3004, lambda _: (RETAILER, paper(bank_id=GRID))),
    ("issued by a bank without cash account", 4001, lambda _: (RETAILER, paper(bank_id=RIVAL_BANK))),
    ("required of a bank", 3004, lambda _: (EXCHANGE, SetRequirement(BANK, 1, 1, 1, ""))),
    ("a term that ends before it begins", 1011, lambda _: (RETAILER, paper(last_day=20260101))),
    ("a rejection without words", 1011, lambda t: (BANK, AnswerGuarantee(t.registered(), False, ""))),
]


@pytest.mark.parametrize(("number", "make"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refusals(town: Town, number: int, make: Callable[[Town], tuple[int, Message]]) -> None:
    sender_id, message = make(town)
    assert town.refused(sender_id, message) == number


def test_every_refusal_is_tried() -> None:
    verbs_own = {5011}
    assert {refusal.number for refusal in REFUSALS} <= {row[1] for row in REFUSED} | verbs_own


def test_members_see_their_own_lines_and_the_grid_company_all(town: Town) -> None:
    town.require()
    guarantee_id = town.confirmed()
    town.done(GRID, _draw(guarantee_id, 1_000))
    projector = Projector(None, (VIEWS,), OVERSIGHT)
    projector.project(
        1, town.book.now_ms, [], [(-1, event) for _, event in town.told if type(event) in VIEWS.projections]
    )
    queries = {query.__name__: query for query in VIEWS.queries}
    retailer, grid = Viewer(RETAILER, Kind.RETAILER), Viewer(GRID, Kind.GRID_COMPANY)
    (row,) = queries["exposure_lines"](projector.reader, retailer)
    assert (row["required_fen"], row["available_fen"]) == (450_000_000, AMOUNT - 1_000)
    for query in queries.values():
        assert len(query(projector.reader, grid)) == 1
        assert query(projector.reader, THE_PUBLIC) == query(projector.reader, Viewer(9, Kind.USER)) == []
