"""Receivables: the worked example to the fen, then every refusal, with the books balanced after each step."""

from collections.abc import Callable
from typing import Any

import pytest

from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import CloseAccount, ConfirmDeposit, ConfirmPayout, OpenAccount, RequestPayout
from shudian.contracts.governance.messages import SetSetting
from shudian.contracts.identity.messages import FreezeMember, UnfreezeMember
from shudian.contracts.receivables import rules as receivables
from shudian.contracts.receivables.messages import (
    AcceptReceivable,
    ConfirmInvoice,
    DebtState,
    RejectReceivable,
    SplitReceivable,
    State,
    SubmitInvoice,
    TransferReceivable,
    WithdrawReceivable,
    WriteOffReceivable,
)
from shudian.contracts.receivables.messages_events import (
    DebtClosed,
    DebtOverdue,
    FinanceEnded,
    ReceivableEnded,
    ReceivablePaid,
    ReceivableTransferred,
)
from shudian.contracts.receivables.messages_finance import (
    ChooseQuote,
    ClaimRecourse,
    PledgeReceivable,
    QuoteFinance,
    ReleasePledge,
    RequestFinance,
    WithdrawFinance,
)
from shudian.contracts.roles import Kind
from shudian.kernel import clock
from shudian.kernel.crypto import sha256
from shudian.kernel.machine import CLOCK, STEPPED, Clock
from shudian.kernel.messages import Message
from shudian.kernel.tables import HasStore
from tests.support.ledger import Ledger
from tests.unit.test_resources import market

EXCHANGE, GRID, CONTRACTOR, SUPPLIER, BANK, RIVAL_BANK, REGULATOR = range(1, 8)
KINDS = (Kind.EXCHANGE, Kind.GRID_COMPANY, Kind.USER, Kind.USER, Kind.BANK, Kind.BANK, Kind.REGULATOR)
FIRST_DAY, DUE_DAY = 20260302, 20260630
FACE = 100_000_000
PAPER = sha256(b"contract, invoices, delivery note")
SEARCH = sha256(b"registry search")
HOUR = clock.HOUR_MS
RICH = {GRID: 150_000_000, CONTRACTOR: 0, SUPPLIER: 0, BANK: 100_000_000, RIVAL_BANK: 100_000_000}


def invoice(number: int = 1, amount_fen: int = FACE, due_day: int = DUE_DAY, debtor_id: int = GRID) -> SubmitInvoice:
    return SubmitInvoice(debtor_id, "EPC-2026-7", (f"2651000000000000{number:04d}",), PAPER, amount_fen, due_day)


class Town:
    """Grid company G owes, contractor C and supplier D hold, banks B and E finance; 2026-03-02, nine o'clock."""

    def __init__(self, **fen: int) -> None:
        self.book: Ledger = market(funds.CONTRACT, receivables.CONTRACT, kinds=KINDS)
        self.day(FIRST_DAY)
        names = {GRID: "grid", BANK: "bank"}
        for member_id, usual_fen in RICH.items():
            self.done(member_id, OpenAccount(BANK, sha256(b"account")))
            amount_fen = fen.get(names.get(member_id, ""), usual_fen)
            if amount_fen:
                self.done(BANK, ConfirmDeposit(member_id, amount_fen, sha256(b"deposit %d" % member_id)))

    def day(self, day: int, hour: int = 9) -> list[Any]:
        """Go to a day; returns the events of the hooks."""
        self.book.advance(clock.ms_at(day, hour))
        self.balanced()
        return self.book.events

    def done(self, sender_id: int, message: Message) -> Any:
        reply = self.book.done(sender_id, message)
        self.balanced()
        return reply

    def refused(self, sender_id: int, message: Message) -> int:
        number = self.book.refused(sender_id, message)
        self.balanced()
        return number

    def balanced(self) -> None:
        self.book.machine.check_all()
        debits, credits_ = funds.trial_balance(self.at)
        assert debits == credits_

    @property
    def at(self) -> HasStore:
        store: HasStore = self.book.store
        return store

    def cash(self, member_id: int) -> int:
        return funds.free_fen(self.at, funds.account_of(self.at, member_id))

    def part(self, receivable_id: int) -> Any:
        return receivables.receivable(self.at, receivable_id)

    def debt(self, receivable_id: int) -> Any:
        return receivables.debt(self.at, receivable_id)

    def holdings(self, *member_ids: int) -> dict[int, int]:
        rows = [self.part(key) for key in range(1, 60) if self._exists(key)]
        open_rows = [row for row in rows if row.state in (State.HELD, State.OFFERED, State.FINANCED, State.PLEDGED)]
        return {
            member_id: sum(row.open_fen for row in open_rows if row.holder_id == member_id) for member_id in member_ids
        }

    def _exists(self, key: int) -> bool:
        return (key,) in self.at.store.rows["receivables.receivables"].data

    def accepted(self, message: SubmitInvoice | None = None, creditor_id: int = CONTRACTOR) -> int:
        sent = message or invoice()
        receivable_id: int = self.done(creditor_id, sent).receivable_id
        self.done(sent.debtor_id, ConfirmInvoice(receivable_id, sent.amount_fen))
        return receivable_id

    def requested(self, receivable_id: int, hours: int = 48) -> int:
        reply = self.done(CONTRACTOR, RequestFinance(receivable_id, self.book.now_ms + hours * HOUR))
        request_id: int = reply.request_id
        return request_id

    def quoted(self, request_id: int, bank_id: int = BANK, **facts: Any) -> int:
        quote_id: int = self.done(bank_id, self.quote(request_id, **facts)).quote_id
        return quote_id

    def quote(self, request_id: int, **facts: Any) -> QuoteFinance:
        terms = {"rate_ppm": 36_000, "day_count": 360, "fee_fen": 0, "recourse": False, "expires_ms": self.soon}
        return QuoteFinance(request_id, **(terms | facts))

    @property
    def soon(self) -> int:
        return self.book.now_ms + 24 * HOUR

    def choice(self, quote_id: int, net_min_fen: int = 1, registration_no: str = "") -> ChooseQuote:
        number = registration_no or f"ZDW-{quote_id}"
        return ChooseQuote(quote_id, net_min_fen, number, self.book.now_ms - HOUR, SEARCH)

    def pledge(self, receivable_id: int, secured_fen: int = 1_000, bank_id: int = BANK) -> PledgeReceivable:
        number = f"P-{receivable_id}-{bank_id}"
        return PledgeReceivable(receivable_id, bank_id, secured_fen, number, self.book.now_ms - HOUR, SEARCH)

    def financed(self, receivable_id: int, **facts: Any) -> int:
        quote_id = self.quoted(self.requested(receivable_id), **facts)
        net_fen: int = self.done(CONTRACTOR, self.choice(quote_id)).net_fen
        return net_fen

    def empty(self, member_id: int) -> None:
        """The member pays its cash out, so that nothing is free."""
        payout_id = self.done(member_id, RequestPayout(self.cash(member_id))).payout_id
        self.done(BANK, ConfirmPayout(payout_id, sha256(b"payout %d" % payout_id)))

    def overdue(self, **facts: Any) -> int:
        """Financed by B, not paid on the due day."""
        receivable_id = self.accepted()
        self.financed(receivable_id, **facts)
        self.empty(GRID)
        self.day(DUE_DAY)
        assert any(isinstance(event, DebtOverdue) for event in self.day(20260701))
        return receivable_id


@pytest.fixture
def town() -> Town:
    return Town()


def test_the_worked_example_to_the_fen(town: Town) -> None:
    root = town.done(CONTRACTOR, invoice()).receivable_id
    town.day(20260303)
    town.done(GRID, ConfirmInvoice(root, FACE))
    assert town.holdings(CONTRACTOR) == {CONTRACTOR: FACE}
    town.day(20260310)
    first, second, third = town.done(
        CONTRACTOR, SplitReceivable(root, (50_000_000, 30_000_000, 20_000_000))
    ).receivable_ids
    assert town.part(root).state is State.SPLIT
    town.day(20260312)
    town.done(CONTRACTOR, TransferReceivable(third, SUPPLIER, "cables", PAPER))
    assert GRID in town.book.events[0].parties
    assert town.holdings(CONTRACTOR, SUPPLIER) == {CONTRACTOR: 80_000_000, SUPPLIER: 20_000_000}
    town.day(20260401)
    request_id = town.requested(second)
    worse = town.done(RIVAL_BANK, town.quote(request_id, day_count=365, rate_ppm=40_000, fee_fen=10_000))
    better = town.done(BANK, town.quote(request_id))
    assert better.net_fen > worse.net_fen
    got = town.done(CONTRACTOR, town.choice(better.quote_id, 29_730_000))
    assert (got.discount_day_count, got.interest_fen, got.fee_fen, got.net_fen) == (90, 270_000, 0, 29_730_000)
    assert town.holdings(CONTRACTOR, SUPPLIER, BANK) == {CONTRACTOR: 50_000_000, SUPPLIER: 20_000_000, BANK: 30_000_000}
    events = town.day(DUE_DAY)
    paid = {event.receivable_id: event for event in events if isinstance(event, ReceivablePaid)}
    assert {key: event.holder_fen for key, event in paid.items()} == {
        first: 50_000_000,
        second: 30_000_000,
        third: 20_000_000,
    }
    assert (paid[second].deregister_by_day, paid[first].deregister_by_day) == (20260714, 0)
    assert [event.state for event in events if isinstance(event, DebtClosed)] == [DebtState.REDEEMED]
    assert town.cash(CONTRACTOR) == 79_730_000
    assert town.cash(SUPPLIER) == 20_000_000
    assert town.cash(BANK) - RICH[BANK] == 270_000
    assert RICH[GRID] - town.cash(GRID) == FACE
    assert receivables.outstanding_fen(town.at, GRID) == 0


@pytest.mark.parametrize(
    ("day_count", "rate_ppm", "fee_fen", "net_fen"),
    [
        (360, 36_000, 0, 29_730_000),
        (365, 36_000, 0, 29_733_699),
        (360, 36_000, 1_000, 29_729_000),
        (360, 0, 0, 30_000_000),
    ],
)
def test_the_discount_names_its_day_count(
    town: Town, day_count: int, rate_ppm: int, fee_fen: int, net_fen: int
) -> None:
    root = town.accepted(invoice(amount_fen=30_000_000))
    town.day(20260401)
    assert town.financed(root, day_count=day_count, rate_ppm=rate_ppm, fee_fen=fee_fen) == net_fen
    assert town.cash(CONTRACTOR) == net_fen


def test_two_financiers_race_for_one_lock_and_exactly_one_wins(town: Town) -> None:
    root = town.accepted()
    request_id = town.requested(root)
    ids = [town.quoted(request_id, bank_id) for bank_id in (BANK, RIVAL_BANK)]
    outcomes = town.book.apply(*(town.book.envelope(CONTRACTOR, town.choice(quote_id)) for quote_id in ids))
    assert [outcome.number for (outcome,) in outcomes] == [0, 12024]
    assert town.part(root).holder_id == BANK
    assert town.cash(RIVAL_BANK) == RICH[RIVAL_BANK]
    town.balanced()


def test_a_pledge_and_a_finance_race_for_one_lock_and_exactly_one_wins(town: Town) -> None:
    root = town.accepted()
    request = RequestFinance(root, town.soon)
    outcomes = town.book.apply(*(town.book.envelope(CONTRACTOR, message) for message in (town.pledge(root), request)))
    assert [outcome.number for (outcome,) in outcomes] == [0, 12019]
    town.balanced()


def test_money_and_title_change_hands_together_or_not_at_all() -> None:
    town = Town(bank=29_729_999)
    root = town.accepted(invoice(amount_fen=30_000_000))
    town.day(20260401)
    quote_id = town.quoted(town.requested(root))
    assert town.refused(CONTRACTOR, town.choice(quote_id)) == 4003
    assert (town.part(root).holder_id, town.part(root).state) == (CONTRACTOR, State.OFFERED)
    assert town.cash(CONTRACTOR) == 0


def test_a_due_day_on_a_holiday_pays_on_the_next_working_day(town: Town) -> None:
    town.accepted(invoice(due_day=20260619))
    for day in (20260619, 20260620, 20260621):
        assert not [event for event in town.day(day) if isinstance(event, ReceivablePaid | DebtOverdue)]
    assert [event.holder_fen for event in town.day(20260622) if isinstance(event, ReceivablePaid)] == [FACE]


def test_what_is_there_is_shared_by_open_amount_and_the_rest_follows_by_itself() -> None:
    town = Town(grid=50_000_001)
    root = town.accepted()
    parts = town.done(CONTRACTOR, SplitReceivable(root, (50_000_000, 30_000_000, 20_000_000))).receivable_ids
    town.day(DUE_DAY)
    assert [town.part(key).paid_fen for key in parts] == [25_000_001, 15_000_000, 10_000_000]
    assert [event.open_fen for event in town.day(20260701) if isinstance(event, DebtOverdue)] == [49_999_999]
    assert town.refused(CONTRACTOR, invoice(2, due_day=20260801)) == 12013
    town.done(BANK, ConfirmDeposit(GRID, 60_000_000, sha256(b"late money")))
    assert town.debt(root).state is DebtState.REDEEMED
    assert town.cash(CONTRACTOR) == FACE
    assert not receivables.is_blocked(town.at, GRID)
    town.accepted(invoice(2, due_day=20260801))


def test_a_frozen_debtor_is_not_debited_and_pays_when_it_is_free(town: Town) -> None:
    root = town.accepted()
    town.day(20260629)
    town.done(REGULATOR, FreezeMember(GRID, "court order", 20260715))
    town.day(DUE_DAY)
    town.day(20260701)
    assert (town.debt(root).state, town.cash(GRID)) == (DebtState.OVERDUE, RICH[GRID])
    town.done(REGULATOR, UnfreezeMember(GRID, "order lifted"))
    assert town.debt(root).state is DebtState.REDEEMED


def test_a_closed_account_holds_up_nobody_else_and_makes_no_debtor_overdue(town: Town) -> None:
    root = town.accepted()
    kept, given = town.done(CONTRACTOR, SplitReceivable(root, (60_000_000, 40_000_000))).receivable_ids
    town.done(CONTRACTOR, TransferReceivable(given, SUPPLIER, "cables", PAPER))
    town.done(SUPPLIER, CloseAccount())
    town.day(DUE_DAY)
    town.day(20260701)
    assert (town.part(kept).state, town.part(given).open_fen) == (State.REDEEMED, 40_000_000)
    assert town.debt(root).state is DebtState.ACCEPTED
    town.done(SUPPLIER, OpenAccount(BANK, sha256(b"account")))
    assert (town.debt(root).state, town.cash(SUPPLIER)) == (DebtState.REDEEMED, 40_000_000)


def test_of_a_pledged_part_the_bank_is_paid_first_and_the_holder_the_rest() -> None:
    town = Town(grid=10_000_000)
    root = town.accepted()
    town.done(CONTRACTOR, town.pledge(root, 30_000_000))
    town.day(DUE_DAY)
    assert (town.cash(BANK) - RICH[BANK], town.cash(CONTRACTOR)) == (10_000_000, 0)
    assert (town.part(root).secured_fen, town.part(root).state) == (20_000_000, State.PLEDGED)
    town.done(BANK, ConfirmDeposit(GRID, 90_000_000, sha256(b"rest")))
    assert (town.cash(BANK) - RICH[BANK], town.cash(CONTRACTOR)) == (30_000_000, 70_000_000)
    assert town.part(root).state is State.REDEEMED


def test_recourse_makes_the_bank_whole_and_gives_the_seller_its_title_back(town: Town) -> None:
    root = town.overdue(recourse=True)
    town.done(BANK, ConfirmDeposit(CONTRACTOR, FACE, sha256(b"own money")))
    before = town.cash(BANK)
    town.done(BANK, ClaimRecourse(root))
    assert town.cash(BANK) - before == FACE
    assert (town.part(root).holder_id, town.part(root).state, town.part(root).tier_no) == (CONTRACTOR, State.HELD, 2)
    assert town.refused(BANK, ClaimRecourse(root)) == 12005
    town.done(BANK, ConfirmDeposit(GRID, FACE, sha256(b"late")))
    assert town.debt(root).state is DebtState.REDEEMED


def test_a_write_off_ends_the_debt_and_its_debtor_stays_blocked(town: Town) -> None:
    root = town.overdue()
    town.done(BANK, WriteOffReceivable(root, "insolvent", PAPER))
    assert (town.debt(root).state, town.part(root).state) == (DebtState.WRITTEN_OFF, State.WRITTEN_OFF)
    town.done(BANK, ConfirmDeposit(GRID, 1_000, sha256(b"too late")))
    assert town.cash(GRID) == 1_000
    assert receivables.is_blocked(town.at, GRID)


def test_a_released_pledge_can_be_moved_again(town: Town) -> None:
    root = town.accepted()
    town.done(CONTRACTOR, town.pledge(root))
    town.done(BANK, ReleasePledge(root))
    town.done(CONTRACTOR, TransferReceivable(root, SUPPLIER, "cables", PAPER))
    assert (town.part(root).holder_id, town.part(root).tier_no) == (SUPPLIER, 1)


@pytest.mark.parametrize("ending", ["rejected", "cancelled", "lapsed"])
def test_a_proposal_that_comes_to_nothing_gives_its_papers_back(town: Town, ending: str) -> None:
    root = town.done(CONTRACTOR, invoice()).receivable_id
    if ending == "rejected":
        town.done(GRID, RejectReceivable(root, "not delivered"))
    elif ending == "cancelled":
        town.done(CONTRACTOR, WithdrawReceivable(root))
    else:
        assert not [event for event in town.day(20260309) if isinstance(event, ReceivableEnded)]
        assert [event.state for event in town.day(20260310) if isinstance(event, ReceivableEnded)] == [DebtState.LAPSED]
    assert town.debt(root).state == ending
    assert town.refused(GRID, ConfirmInvoice(root, FACE)) == 12015
    town.accepted()


def test_a_request_unlocks_by_itself_and_at_the_latest_as_the_due_day_begins(town: Town) -> None:
    root = town.accepted()
    town.day(20260629)
    town.requested(root, hours=15)
    assert any(isinstance(event, FinanceEnded) for event in town.day(DUE_DAY, 0))
    assert town.part(root).state is State.REDEEMED


def test_a_newer_quote_of_a_bank_replaces_its_older_one(town: Town) -> None:
    request_id = town.requested(town.accepted())
    old, new = town.quoted(request_id), town.quoted(request_id, rate_ppm=30_000)
    assert town.refused(CONTRACTOR, town.choice(old)) == 12026
    town.done(CONTRACTOR, town.choice(new))


def test_transfers_reach_any_tier_and_the_debtor_is_told_each_time(town: Town) -> None:
    root = town.accepted()
    town.done(CONTRACTOR, TransferReceivable(root, SUPPLIER, "a", PAPER))
    town.done(SUPPLIER, TransferReceivable(root, CONTRACTOR, "b", PAPER))
    event = town.book.events[0]
    assert isinstance(event, ReceivableTransferred)
    assert (event.tier_no, event.parties) == (2, (SUPPLIER, CONTRACTOR, GRID))


def _setting(town: Town, name: str, value: int, scope: str = "") -> None:
    day = clock.day_of(town.book.now_ms)
    town.done(EXCHANGE, SetSetting(f"receivables.{name}", scope, day, (value,), "test"))


def _limited(town: Town) -> tuple[int, Message]:
    _setting(town, "debtor_limit_fen", FACE - 1, str(GRID))
    root = town.done(CONTRACTOR, invoice()).receivable_id
    return GRID, ConfirmInvoice(root, FACE)


def _second(town: Town, message: SubmitInvoice) -> tuple[int, Message]:
    town.accepted()
    return CONTRACTOR, message


def _blocked(town: Town) -> tuple[int, Message]:
    town.overdue()
    return CONTRACTOR, invoice(2, due_day=20260801)


def _blocked_acceptance(town: Town) -> tuple[int, Message]:
    """The debtor becomes overdue on one debt while another proposal waits for its answer."""
    town.accepted()
    town.empty(GRID)
    town.day(DUE_DAY)
    waiting = town.done(CONTRACTOR, invoice(2, 1_000, 20260901)).receivable_id
    town.day(20260701)
    return GRID, ConfirmInvoice(waiting, 1_000)


def _before_the_hook(town: Town, ms: int) -> None:
    """Time moves, and the next message comes before the hooks of its block, as under a wall clock."""
    CLOCK.put(town.book.store, (), Clock(STEPPED, ms))


def _late(town: Town) -> tuple[int, Message]:
    root = town.done(CONTRACTOR, invoice()).receivable_id
    _before_the_hook(town, clock.ms_at(20260310))
    return GRID, ConfirmInvoice(root, FACE)


def _expired(town: Town, hours: int) -> tuple[int, Message]:
    quote_id = town.quoted(town.requested(town.accepted(), hours=30))
    _before_the_hook(town, town.book.now_ms + hours * HOUR)
    return CONTRACTOR, town.choice(quote_id)


def _proposed(town: Town, sender_id: int, make: Callable[[int], Message]) -> tuple[int, Message]:
    return sender_id, make(town.done(CONTRACTOR, invoice()).receivable_id)


def _accepted(town: Town, sender_id: int, make: Callable[[int], Message]) -> tuple[int, Message]:
    return sender_id, make(town.accepted())


def _overdue(town: Town, sender_id: int, make: Callable[[int], Message], **facts: Any) -> tuple[int, Message]:
    return sender_id, make(town.overdue(**facts))


def _split(town: Town, *amounts_fen: int) -> tuple[int, Message]:
    return CONTRACTOR, SplitReceivable(town.accepted(), amounts_fen)


def _redeemed(town: Town) -> tuple[int, Message]:
    root = town.accepted()
    town.day(DUE_DAY)
    return CONTRACTOR, TransferReceivable(root, SUPPLIER, "x", PAPER)


def _matured(town: Town) -> tuple[int, Message]:
    root = town.accepted()
    town.empty(GRID)
    town.day(DUE_DAY)
    return CONTRACTOR, TransferReceivable(root, SUPPLIER, "x", PAPER)


def _pledged_twice(town: Town) -> tuple[int, Message]:
    root = town.accepted()
    town.done(CONTRACTOR, town.pledge(root))
    return CONTRACTOR, town.pledge(root, bank_id=RIVAL_BANK)


def _pledge_written_off(town: Town) -> tuple[int, Message]:
    root = town.accepted()
    town.done(CONTRACTOR, town.pledge(root))
    town.empty(GRID)
    town.day(20260701)
    return CONTRACTOR, WriteOffReceivable(root, "x", PAPER)


def _quote(town: Town, **facts: Any) -> tuple[int, Message]:
    return BANK, town.quote(town.requested(town.accepted()), **facts)


def _choice(town: Town, sender_id: int = CONTRACTOR, **facts: Any) -> tuple[int, Message]:
    made = town.choice(town.quoted(town.requested(town.accepted())))
    fields = {name: facts.get(name, getattr(made, name)) for name in ChooseQuote.__struct_fields__}
    return sender_id, ChooseQuote(**fields)


def _registered_twice(town: Town) -> tuple[int, Message]:
    first, second = town.accepted(), town.accepted(invoice(2))
    town.done(CONTRACTOR, town.choice(town.quoted(town.requested(first)), registration_no="ZDW"))
    return CONTRACTOR, town.choice(town.quoted(town.requested(second)), registration_no="ZDW")


def _beyond_the_due_day(town: Town) -> tuple[int, Message]:
    root = town.accepted()
    town.day(20260629)
    return CONTRACTOR, RequestFinance(root, clock.ms_at(DUE_DAY) + 1)


def _closed_request(town: Town) -> tuple[int, Message]:
    request_id = town.requested(town.accepted())
    town.done(CONTRACTOR, WithdrawFinance(request_id))
    return BANK, town.quote(request_id)


def _poor_seller(town: Town) -> tuple[int, Message]:
    root = town.overdue(recourse=True)
    town.empty(CONTRACTOR)
    return BANK, ClaimRecourse(root)


def _suspended_bank(town: Town) -> tuple[int, Message]:
    sender_id, message = _choice(town)
    town.done(REGULATOR, FreezeMember(BANK, "court order", 20260315))
    return sender_id, message


def _old_search(hours: int) -> Callable[[Town], tuple[int, Message]]:
    return lambda town: _choice(town, searched_ms=town.book.now_ms - hours * HOUR - 1)


REFUSED: list[tuple[str, int, Callable[[Town], tuple[int, Message]]]] = [
    ("split of a receivable that is not there", 12001, lambda _: (CONTRACTOR, SplitReceivable(9, (1, 1)))),
    ("split before acceptance", 12001, lambda t: _proposed(t, CONTRACTOR, lambda i: SplitReceivable(i, (1, FACE - 1)))),
    ("another withdraws", 12003, lambda t: _proposed(t, SUPPLIER, WithdrawReceivable)),
    ("another confirms", 12004, lambda t: _proposed(t, SUPPLIER, lambda i: ConfirmInvoice(i, FACE))),
    ("the creditor confirms", 12004, lambda t: _proposed(t, CONTRACTOR, lambda i: ConfirmInvoice(i, FACE))),
    ("another rejects", 12004, lambda t: _proposed(t, SUPPLIER, lambda i: RejectReceivable(i, "x"))),
    ("another splits", 12005, lambda t: _accepted(t, SUPPLIER, lambda i: SplitReceivable(i, (1, FACE - 1)))),
    ("another transfers", 12005, lambda t: _accepted(t, SUPPLIER, lambda i: TransferReceivable(i, 4, "x", PAPER))),
    ("another chooses", 12005, lambda t: _choice(t, SUPPLIER)),
    ("another withdraws a request", 12005, lambda t: (SUPPLIER, WithdrawFinance(t.requested(t.accepted())))),
    ("invoice to itself", 12006, lambda _: (GRID, invoice())),
    ("transfer to itself", 12006, lambda t: _accepted(t, CONTRACTOR, lambda i: TransferReceivable(i, 3, "x", PAPER))),
    (
        "transfer to the debtor",
        12006,
        lambda t: _accepted(t, CONTRACTOR, lambda i: TransferReceivable(i, 2, "x", PAPER)),
    ),
    ("due today", 12008, lambda _: (CONTRACTOR, invoice(due_day=FIRST_DAY))),
    ("184 days", 12009, lambda _: (CONTRACTOR, invoice(due_day=clock.day_after(FIRST_DAY, 184)))),
    ("the same claim again", 12012, lambda t: _second(t, invoice())),
    ("the same invoice for another amount", 12011, lambda t: _second(t, invoice(amount_fen=5))),
    ("the same invoice, due another day", 12011, lambda t: _second(t, invoice(due_day=20260629))),
    ("an overdue debtor's new invoice", 12013, _blocked),
    ("confirmed by an overdue debtor", 12013, _blocked_acceptance),
    ("over the debtor's limit", 12014, _limited),
    ("confirmed twice", 12015, lambda t: _accepted(t, GRID, lambda i: ConfirmInvoice(i, FACE))),
    ("withdrawn after acceptance", 12015, lambda t: _accepted(t, CONTRACTOR, WithdrawReceivable)),
    ("rejected after acceptance", 12015, lambda t: _accepted(t, GRID, lambda i: RejectReceivable(i, "x"))),
    ("confirmed after the deadline", 12016, _late),
    ("an invoice accepted as a line", 12017, lambda t: _proposed(t, GRID, lambda i: AcceptReceivable(i, FACE))),
    ("another amount confirmed", 12018, lambda t: _proposed(t, GRID, lambda i: ConfirmInvoice(i, FACE + 1))),
    ("double pledge", 12019, _pledged_twice),
    ("write-off of a pledged part", 12019, _pledge_written_off),
    ("transfer after redemption", 12020, _redeemed),
    ("transfer after maturity", 12021, _matured),
    ("split into more than the parent", 12022, lambda t: _split(t, FACE, 1)),
    ("split into less than the parent", 12022, lambda t: _split(t, FACE - 2, 1)),
    ("quote for no request", 12023, lambda t: (BANK, t.quote(9))),
    ("quote for a closed request", 12024, _closed_request),
    ("choice of no quote", 12025, lambda t: (CONTRACTOR, t.choice(9))),
    ("choice after the request's end", 12024, lambda t: _expired(t, 30)),
    ("choice after the quote's end", 12026, lambda t: _expired(t, 24)),
    ("request that expires now", 12027, lambda t: _accepted(t, CONTRACTOR, lambda i: RequestFinance(i, t.book.now_ms))),
    ("request of eight days", 12027, lambda t: _accepted(t, 3, lambda i: RequestFinance(i, t.soon + 7 * 24 * HOUR))),
    ("request beyond the due day", 12027, _beyond_the_due_day),
    ("quote beyond its request", 12027, lambda t: _quote(t, expires_ms=t.book.now_ms + 49 * HOUR)),
    ("rate over the maximum", 12028, lambda t: _quote(t, rate_ppm=120_001)),
    ("fee over the maximum", 12029, lambda t: _quote(t, fee_fen=FACE // 100 + 1)),
    ("less than the holder wants", 12030, lambda t: _choice(t, net_min_fen=FACE)),
    ("search of more than 24 hours ago", 12031, _old_search(24)),
    ("search in the future", 12031, _old_search(-1)),
    ("the same registration twice", 12032, _registered_twice),
    ("more secured than it is worth", 12033, lambda t: _accepted(t, CONTRACTOR, lambda i: t.pledge(i, FACE + 1))),
    ("release by another bank", 12034, lambda t: _accepted(t, RIVAL_BANK, ReleasePledge)),
    ("write-off before it is overdue", 12035, lambda t: _accepted(t, 3, lambda i: WriteOffReceivable(i, "x", PAPER))),
    (
        "recourse before it is overdue",
        12035,
        lambda t: (t.financed(t.accepted(), recourse=True), (BANK, ClaimRecourse(1)))[1],
    ),
    ("recourse that was not agreed", 12036, lambda t: _overdue(t, BANK, ClaimRecourse)),
    ("recourse to a seller without money", 4003, _poor_seller),
    ("a debtor that is a bank", 3004, lambda _: (CONTRACTOR, invoice(debtor_id=BANK))),
    ("transfer to a bank", 3004, lambda t: _accepted(t, CONTRACTOR, lambda i: TransferReceivable(i, BANK, "x", PAPER))),
    ("pledge to no bank", 3004, lambda t: _accepted(t, CONTRACTOR, lambda i: t.pledge(i, bank_id=SUPPLIER))),
    ("a frozen bank's quote", 3003, _suspended_bank),
    ("a creditor without an account", 4001, lambda _: (REGULATOR, invoice())),
]


@pytest.mark.parametrize(("number", "make"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refusals(town: Town, number: int, make: Callable[[Town], tuple[int, Message]]) -> None:
    sender_id, message = make(town)
    assert town.refused(sender_id, message) == number


MALFORMED = [
    lambda: invoice(amount_fen=0),
    lambda: invoice(due_day=20260231),
    lambda: SubmitInvoice(GRID, "", ("12345678",), PAPER, 1, DUE_DAY),
    lambda: SubmitInvoice(GRID, "x", (), PAPER, 1, DUE_DAY),
    lambda: SubmitInvoice(GRID, "x", ("1234567",), PAPER, 1, DUE_DAY),
    lambda: SubmitInvoice(GRID, "x", ("1234567a",), PAPER, 1, DUE_DAY),
    lambda: SubmitInvoice(GRID, "x", ("12345678", "12345678"), PAPER, 1, DUE_DAY),
    lambda: SubmitInvoice(GRID, "x", ("12345678",), b"", 1, DUE_DAY),
    lambda: SplitReceivable(1, (1,)),
    lambda: SplitReceivable(1, (1, 0)),
    lambda: QuoteFinance(1, 1, 364, 0, False, 1),
    lambda: QuoteFinance(1, -1, 360, 0, False, 1),
    lambda: ChooseQuote(1, 0, "x", 1, SEARCH),
    lambda: ChooseQuote(1, 1, "", 1, SEARCH),
    lambda: ChooseQuote(1, 1, "x", 1, b""),
    lambda: PledgeReceivable(1, BANK, 0, "x", 1, SEARCH),
    lambda: RejectReceivable(1, ""),
]


@pytest.mark.parametrize("make", MALFORMED)
def test_malformed_fields(town: Town, make: Callable[[], Message]) -> None:
    assert town.refused(CONTRACTOR, make()) == 1011
