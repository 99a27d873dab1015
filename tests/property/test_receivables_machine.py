"""Receivables against a plain auditor: whatever is said in whatever order, parts sum to their parent and no fen appears or is lost."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import ConfirmDeposit, ConfirmPayout, RequestPayout
from shudian.contracts.receivables import rules as receivables
from shudian.contracts.receivables.messages import (
    OPEN_STATES,
    ConfirmInvoice,
    SplitReceivable,
    State,
    SubmitInvoice,
    TransferReceivable,
    WriteOffReceivable,
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
from shudian.kernel import clock
from shudian.kernel.crypto import sha256
from shudian.kernel.messages import Message
from tests.unit.test_receivables import BANK, CONTRACTOR, GRID, PAPER, RIVAL_BANK, SEARCH, SUPPLIER, Town

HOLDERS = (CONTRACTOR, SUPPLIER)
BANKS = (BANK, RIVAL_BANK)
FEW = 5
EVERYBODY = (GRID, *HOLDERS, *BANKS)
picks = st.integers(0, 10**6)


def when(*states: State) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A rule that waits until a part is in one of the states."""
    waits: Callable[[Callable[..., None]], Callable[..., None]] = precondition(lambda machine: machine.parts(*states))
    return waits


class ReceivablesMachine(RuleBasedStateMachine):
    """The grid company often has less than it owes, so that some debts become overdue."""

    def __init__(self) -> None:
        super().__init__()
        self.town = Town(grid=3_000)
        self.issued: dict[int, int] = {}
        self.paid_in = sum(self.town.cash(member_id) for member_id in EVERYBODY)
        self.sent = 0

    def say(self, sender_id: int, message: Message) -> Any:
        """Say it; whether it passes is for the rules, that nothing breaks is for the invariants. Returns the reply, if done."""
        outcome = self.town.book.say(sender_id, message)
        return self.town.book.reply(outcome) or True if outcome.done else None

    def number(self) -> int:
        self.sent += 1
        return self.sent

    def parts(self, *states: State) -> list[tuple[int, Any]]:
        rows = self.town.at.store.rows["receivables.receivables"].data
        return [(int(key[0]), row) for key, row in rows.items() if row.state in (states or tuple(State))]

    def pick(self, place: int, *states: State) -> tuple[int, Any]:
        found = self.parts(*states)
        return found[place % len(found)]

    @initialize(amount_fen=st.integers(1_000, 6_000), days=st.integers(2, 8))
    def begin(self, amount_fen: int, days: int) -> None:
        self.issue(CONTRACTOR, amount_fen, days)
        self.say(CONTRACTOR, SplitReceivable(1, (amount_fen - 500, 300, 200)))

    @precondition(lambda machine: len(machine.parts(*OPEN_STATES)) < FEW)
    @rule(creditor_id=st.sampled_from(HOLDERS), amount_fen=st.integers(1, 4_000), days=st.integers(1, 8))
    def issue(self, creditor_id: int, amount_fen: int, days: int) -> None:
        due_day = clock.day_after(clock.day_of(self.town.book.now_ms), days)
        reply = self.say(creditor_id, SubmitInvoice(GRID, "x", (f"{self.number():08d}",), PAPER, amount_fen, due_day))
        if reply and self.say(GRID, ConfirmInvoice(reply.receivable_id, amount_fen)):
            self.issued[reply.receivable_id] = amount_fen

    @when(*OPEN_STATES)
    @rule(place=picks, cut=picks, error=st.sampled_from([0, 0, 0, 1, -1]))
    def split(self, place: int, cut: int, error: int) -> None:
        receivable_id, row = self.pick(place, *OPEN_STATES)
        first = 1 + cut % row.amount_fen
        rest = row.amount_fen - first + error
        done = self.say(row.holder_id, SplitReceivable(receivable_id, (first, rest)))
        assert not (done and (error or rest < 1 or row.state is not State.HELD))

    @when(*OPEN_STATES)
    @rule(place=picks, to_id=st.sampled_from((SUPPLIER, CONTRACTOR)))
    def transfer(self, place: int, to_id: int) -> None:
        receivable_id, row = self.pick(place, *OPEN_STATES)
        done = self.say(row.holder_id, TransferReceivable(receivable_id, to_id, "x", PAPER))
        assert not (done and (to_id == row.holder_id or row.state is not State.HELD))

    @when(State.HELD)
    @rule(place=picks)
    def request(self, place: int) -> None:
        receivable_id, row = self.pick(place, State.HELD)
        self.say(row.holder_id, RequestFinance(receivable_id, self.town.soon))

    @when(State.OFFERED)
    @rule(place=picks, bank_id=st.sampled_from(BANKS), rate_ppm=st.integers(0, 120_000), recourse=st.booleans())
    def sell(self, place: int, bank_id: int, rate_ppm: int, recourse: bool) -> None:
        receivable_id, row = self.pick(place, State.OFFERED)
        now_ms = self.town.book.now_ms
        quote = self.say(bank_id, QuoteFinance(row.request_id, rate_ppm, 360, 0, recourse, now_ms + 1))
        before = {member_id: self.town.cash(member_id) for member_id in (row.holder_id, bank_id)}
        choice = ChooseQuote(quote.quote_id, 1, f"Z{self.number()}", now_ms, SEARCH)
        assert self.say(row.holder_id, choice)
        assert self.town.part(receivable_id).holder_id == bank_id
        assert self.town.cash(bank_id) == before[bank_id] - quote.net_fen
        assert self.town.cash(row.holder_id) == before[row.holder_id] + quote.net_fen
        assert self.say(row.holder_id, choice) is None

    @when(State.OFFERED)
    @rule(place=picks)
    def withdraw(self, place: int) -> None:
        _, row = self.pick(place, State.OFFERED)
        assert self.say(row.holder_id, WithdrawFinance(row.request_id))

    @when(*OPEN_STATES)
    @rule(place=picks, share=st.integers(1, 4))
    def pledge(self, place: int, share: int) -> None:
        receivable_id, row = self.pick(place, *OPEN_STATES)
        secured_fen = max(1, row.amount_fen // share)
        number, now_ms = f"P{self.number()}", self.town.book.now_ms
        done = self.say(row.holder_id, PledgeReceivable(receivable_id, BANK, secured_fen, number, now_ms, SEARCH))
        assert not (done and row.state is not State.HELD)

    @when(State.PLEDGED)
    @rule(place=picks)
    def release(self, place: int) -> None:
        assert self.say(BANK, ReleasePledge(self.pick(place, State.PLEDGED)[0]))

    @when(State.FINANCED)
    @rule(place=picks)
    def return_to_the_seller(self, place: int) -> None:
        receivable_id, row = self.pick(place, State.FINANCED)
        if self.say(row.holder_id, ClaimRecourse(receivable_id)):
            assert row.recourse
            assert self.town.part(receivable_id).holder_id == row.seller_id

    @when(*OPEN_STATES)
    @rule(place=picks)
    def give_up(self, place: int) -> None:
        receivable_id, row = self.pick(place, *OPEN_STATES)
        self.say(row.holder_id, WriteOffReceivable(receivable_id, "x", PAPER))

    @rule(amount_fen=st.integers(1, 3_000))
    def deposit(self, amount_fen: int) -> None:
        assert self.say(BANK, ConfirmDeposit(GRID, amount_fen, sha256(b"m%d" % self.number())))
        self.paid_in += amount_fen

    @precondition(lambda machine: machine.town.cash(GRID))
    @rule()
    def spend(self) -> None:
        amount_fen = self.town.cash(GRID)
        payout = self.say(GRID, RequestPayout(amount_fen))
        self.paid_in -= amount_fen
        assert self.say(BANK, ConfirmPayout(payout.payout_id, sha256(b"m%d" % self.number())))

    @rule(days=st.sampled_from([1, 3, 9]))
    def let_time_pass(self, days: int) -> None:
        self.town.book.advance(self.town.book.now_ms + days * clock.DAY_MS)

    @invariant()
    def no_fen_appears_or_is_lost(self) -> None:
        self.town.balanced()
        assert sum(self.town.cash(member_id) for member_id in EVERYBODY) == self.paid_in

    @invariant()
    def every_issued_fen_is_open_paid_or_written_off(self) -> None:
        leaves: dict[int, int] = dict.fromkeys(self.issued, 0)
        open_fen = 0
        for _, row in self.parts():
            if row.state is not State.SPLIT:
                leaves[row.root_id] += row.amount_fen
            open_fen += row.open_fen if row.state in OPEN_STATES else 0
        assert leaves == self.issued
        assert open_fen == receivables.outstanding_fen(self.town.at, GRID)

    @invariant()
    def what_holders_have_is_never_less_than_nothing(self) -> None:
        assert all(funds.free_fen(self.town.at, member_id * 100 + 10) >= 0 for member_id in EVERYBODY)


TestReceivablesMachine = ReceivablesMachine.TestCase
