"""Funds against a plain auditor: whatever is said in whatever order, both agree and no fen appears or is lost."""

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import Code, Transfer
from shudian.contracts.governance import rules as governance
from shudian.contracts.identity import rules as identity
from shudian.kernel.ids import derived_id
from shudian.kernel.outcomes import Refused
from tests.support.ledger import Ledger

BANK_OF = {1: 8, 2: 8, 3: 9, 4: 9}
CASH = {owner_id: owner_id * 100 + Code.CASH for owner_id in BANK_OF}
MIRROR = {owner_id: bank_id * 100 + Code.BANK for owner_id, bank_id in BANK_OF.items()}
owners = st.sampled_from(sorted(BANK_OF))
amounts = st.integers(1, 1_000)
legs = st.lists(st.tuples(owners, owners, amounts), min_size=1, max_size=4)
purposes = st.sampled_from(["order:1", "order:2"])


@dataclass
class Auditor:
    """What everybody owns, and what of it is spoken for; written without looking at the rules."""

    owned: dict[int, int] = field(default_factory=lambda: dict.fromkeys(BANK_OF, 0))
    reserved: dict[tuple[int, str], int] = field(default_factory=dict)
    held: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)
    paid_in: int = 0
    paid_out: int = 0

    def free(self, owner_id: int) -> int:
        spoken = sum(fen for (owner, _), fen in self.reserved.items() if owner == owner_id)
        spoken += sum(fen for payer, _, fen, _ in self.held.values() if payer == owner_id)
        return self.owned[owner_id] - spoken

    def pay(self, payer: int, payee: int, fen: int) -> None:
        self.owned[payer] -= fen
        if payee:
            self.owned[payee] += fen
        else:
            self.paid_out += fen


class FundsMachine(RuleBasedStateMachine):
    """payee 0 stands for the payer's bank: a pay-out."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Ledger([governance.CONTRACT, identity.CONTRACT, funds.CONTRACT])
        self.ctx = self.book.context()
        self.auditor = Auditor()
        self.names = 0
        for owner_id, bank_id in BANK_OF.items():
            funds.open_account(self.ctx, owner_id, Code.CASH, bank_id)

    def name(self) -> str:
        self.names += 1
        return f"move {self.names}"

    def order(self, name: str, debit: int, credit: int, fen: int) -> Transfer:
        return Transfer(derived_id(name), debit, credit, fen, 1, "deed:1")

    def goes(self, act: Callable[[], object], expected: bool) -> bool:
        """Do it, twice where it succeeds to show that a repeat changes nothing; the auditor said whether it may."""
        try:
            first = act()
        except Refused:
            assert not expected
            return False
        assert expected
        assert act() == first
        return True

    @rule(owner_id=owners, fen=amounts)
    def deposit(self, owner_id: int, fen: int) -> None:
        order = self.order(self.name(), MIRROR[owner_id], CASH[owner_id], fen)
        assert self.goes(lambda: funds.transfer(self.ctx, [order]), expected=True)
        self.auditor.owned[owner_id] += fen
        self.auditor.paid_in += fen

    @rule(group=legs)
    def transfer(self, group: list[tuple[int, int, int]]) -> None:
        orders = [self.order(self.name(), CASH[payer], CASH[payee], fen) for payer, payee, fen in group]
        free = {owner_id: self.auditor.free(owner_id) for owner_id in BANK_OF}
        fits = True
        for payer, payee, fen in group:
            fits = fits and payer != payee and free[payer] >= fen
            free[payer] -= fen
            free[payee] += fen
        if self.goes(lambda: funds.transfer(self.ctx, orders), fits):
            for payer, payee, fen in group:
                self.auditor.pay(payer, payee, fen)

    @rule(payer=owners, payee=st.one_of(st.just(0), owners), fen=amounts, lasts_ms=st.integers(0, 3))
    def hold(self, payer: int, payee: int, fen: int, lasts_ms: int) -> None:
        name = self.name()
        order = self.order(name, CASH[payer], CASH[payee] if payee else MIRROR[payer], fen)
        expires_ms = self.book.now_ms + lasts_ms if lasts_ms else 0
        fits = payer != payee and self.auditor.free(payer) >= fen
        if self.goes(lambda: funds.hold(self.ctx, order, expires_ms), fits):
            self.auditor.held[name] = (payer, payee, fen, expires_ms)

    @rule(data=st.data())
    def end_hold(self, data: st.DataObject) -> None:
        if not self.names:
            return
        hold_name = data.draw(st.sampled_from([*self.auditor.held, f"move {self.names}", "move 1"]), label="hold")
        fen = data.draw(st.one_of(st.none(), st.integers(0, 1_000)), label="posted (0: void)")
        held = self.auditor.held.get(hold_name)
        id_, hold_id = derived_id(self.name()), derived_id(hold_name)
        if fen == 0:
            if self.goes(lambda: funds.void(self.ctx, id_, hold_id), held is not None):
                del self.auditor.held[hold_name]
            return
        fits = held is not None and (fen is None or fen <= held[2])
        if self.goes(lambda: funds.post(self.ctx, id_, hold_id, fen), fits):
            payer, payee, held_fen, _ = self.auditor.held.pop(hold_name)
            self.auditor.pay(payer, payee, held_fen if fen is None else fen)

    @rule(owner_id=owners, purpose=purposes, fen=st.integers(0, 1_000))
    def reserve(self, owner_id: int, purpose: str, fen: int) -> None:
        before = self.auditor.reserved.get((owner_id, purpose), 0)
        fits = fen - before <= self.auditor.free(owner_id) or fen <= before
        if self.goes(lambda: funds.reserve(self.ctx, owner_id, purpose, fen), fits):
            self.auditor.reserved[owner_id, purpose] = fen

    @rule(passes_ms=st.integers(1, 3))
    def let_time_pass(self, passes_ms: int) -> None:
        self.book.advance(self.book.now_ms + passes_ms)
        self.ctx = self.book.context()
        held = self.auditor.held
        self.auditor.held = {name: row for name, row in held.items() if not row[3] or row[3] > self.book.now_ms}

    @invariant()
    def books_agree(self) -> None:
        for owner_id, account_id in CASH.items():
            balances = funds.balances(self.ctx, account_id)
            assert balances.credits_posted_fen - balances.debits_posted_fen == self.auditor.owned[owner_id]
            assert funds.free_fen(self.ctx, account_id) == self.auditor.free(owner_id) >= 0

    @invariant()
    def no_fen_appears_or_is_lost(self) -> None:
        self.book.machine.check_all()
        debits, credits_ = funds.trial_balance(self.ctx)
        assert debits == credits_
        assert sum(self.auditor.owned.values()) == self.auditor.paid_in - self.auditor.paid_out

    @invariant()
    def everybody_can_withdraw_the_free_funds(self) -> None:
        mark = self.ctx.store.mark()
        for owner_id, account_id in CASH.items():
            free_fen = funds.free_fen(self.ctx, account_id)
            if free_fen:
                name = f"withdraw {owner_id}"
                funds.hold(self.ctx, self.order(name, account_id, MIRROR[owner_id], free_fen))
                funds.post(self.ctx, derived_id(f"{name} out"), derived_id(name))
            assert funds.free_fen(self.ctx, account_id) == 0
        self.book.machine.check_all()
        self.ctx.store.rollback(mark)


TestFundsMachine = FundsMachine.TestCase
