"""Rules and promises of money, standing and time, and of what is said twice or by the wrong person."""

from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import Code, ConfirmDeposit, RequestPayout, Transfer
from shudian.contracts.funds.state import ACCOUNTS, RESERVATIONS
from shudian.contracts.identity.messages import MEMBER_FROZEN
from shudian.contracts.identity.messages_persons import KEY_OF_ANOTHER_MEMBER, KEY_UNKNOWN, ROLE_MISSING
from shudian.kernel.codec import decode, encode
from shudian.kernel.crypto import sha256
from shudian.kernel.envelope import Envelope, seal
from shudian.kernel.ids import derived_id
from shudian.kernel.outcomes import ID_USED_FOR_ANOTHER, MESSAGE_EXPIRED, SIGNATURE_INVALID, WRONG_CHAIN
from tests.property.auditor import DEPOSIT_MAX_FEN, plus_days, start_of
from tests.property.market_rules import Play
from tests.property.town import (
    BANK,
    COMPANIES,
    HOUR_MS,
    OWNERS,
    changed,
    key_of,
    resigned,
)
from tests.support.ledger import EPOCH

END_DAY = 20261130
"""The clock stops before this day, so that no setting of the next year is asked for."""

companies = st.sampled_from(COMPANIES)
owners = st.sampled_from(OWNERS)
places = st.integers(0, 3)
"""Which of the youngest sessions, orders, requests, ...: 0 the youngest; one more than there are is unknown."""


def pick(ids: list[int], place: int) -> int:
    """An id of a list, counted from its end; beyond it an id that does not exist."""
    return ids[-1 - place] if place < len(ids) else 999


class MoneyMachine(RuleBasedStateMachine):
    """Money, standing, time, and what is said twice or by the wrong person."""

    def __init__(self) -> None:
        super().__init__()
        self.play = Play()
        self.book = self.play.auditor

    @rule(member_id=owners, fen=st.sampled_from([1, 5_000, 2_000_000, 99_999_999, 100_000_000, DEPOSIT_MAX_FEN + 1]))
    def deposit(self, member_id: int, fen: int) -> None:
        self.play.deposit(member_id, fen)

    @rule(member_id=owners, fen=st.sampled_from([99_999_999, 100_000_000]))
    def deposit_signed_by_one(self, member_id: int, fen: int) -> None:
        self.play.deposit(member_id, fen, four_eyes=False)

    @rule(member_id=owners, share=st.integers(0, 5), four_eyes=st.booleans())
    def request_payout(self, member_id: int, share: int, four_eyes: bool) -> None:
        """A few fen, a quarter to all of the free funds, or one fen more than is free."""
        free_fen = self.book.free(member_id)
        fen = max(1, free_fen + 1 if share > 4 else free_fen * share // 4)
        self.play.request_payout(member_id, fen, four_eyes=four_eyes)

    @precondition(lambda self: self.book.payouts)
    @rule(place=places, confirmed=st.booleans())
    def end_payout(self, place: int, confirmed: bool) -> None:
        """The youngest open request, or one that is over or unknown."""
        waiting = [payout_id for payout_id, payout in self.book.payouts.items() if payout.end is None]
        ids = waiting if waiting and not place else list(self.book.payouts)
        self.play.end_payout(pick(ids, place), confirmed=confirmed)

    @rule(member_id=companies, deed=st.sampled_from(["none", "suspend", "freeze"]), confirmed=st.booleans())
    def play_payout(self, member_id: int, deed: str, confirmed: bool) -> None:
        """From the request to the bank's answer; in between the member may be barred."""
        self.play.request_payout(member_id, max(1, self.book.free(member_id) // 9), four_eyes=True)
        if deed != "none":
            self.bar(member_id, deed)
        if self.book.payouts:
            self.play.end_payout(max(self.book.payouts), confirmed=confirmed)

    @rule(member_id=companies, deed=st.sampled_from(["suspend", "freeze"]))
    def bar(self, member_id: int, deed: str) -> None:
        if not self.book.suspended and not self.book.frozen:  # one at a time, or nobody is left to trade
            getattr(self.play, deed)(member_id)

    @rule(place=st.integers(0, 4), deed=st.sampled_from(["resume", "unfreeze", "suspend", "freeze"]))
    def change_standing(self, place: int, deed: str) -> None:
        """Mostly of those that are barred, so that bars end again."""
        barred = sorted(self.book.suspended | self.book.frozen)
        if barred:
            getattr(self.play, deed)(barred[place % len(barred)])
        elif deed in ("resume", "unfreeze"):
            getattr(self.play, deed)(COMPANIES[place])

    def moments(self, to: str) -> int:
        """The next moment of a kind, ms."""
        now_ms, today = self.play.now_ms, self.book.today
        gates = [one.closes_ms for one in self.book.sessions.values() if one.is_live and one.closes_ms > now_ms]
        opens = [one.opens_ms for one in self.book.sessions.values() if one.is_live and one.opens_ms > now_ms]
        payouts = [one.expires_ms for one in self.book.payouts.values() if one.expires_ms > now_ms]
        tomorrow_ms = start_of(plus_days(today, 1))
        return {
            "moment": now_ms + 1,
            "hour": now_ms + HOUR_MS,
            "gate": min(gates, default=tomorrow_ms),
            "opening": min(opens, default=tomorrow_ms),
            "payout": min(payouts, default=tomorrow_ms),
            "day": tomorrow_ms,
        }[to]

    @precondition(lambda self: self.book.today < END_DAY)
    @rule(to=st.sampled_from(["moment", "hour", "gate", "gate", "opening", "payout", "day", "day"]))
    def advance_clock(self, to: str) -> None:
        self.play.advance(self.moments(to))

    @precondition(lambda self: self.play.sent)
    @rule(place=st.integers(0, 40))
    def repeat(self, place: int) -> None:
        """A repeat byte for byte gets its first outcome and changes nothing; once it has expired it is refused as such."""
        data, outcomes, expires_ms = self.play.sent[-1 - place % len(self.play.sent)]
        before = self.play.machine.roots.app_hash()
        answers = self.play.block(data)
        if expires_ms > self.play.now_ms:
            event("repeat in time")
            assert answers == outcomes
        else:
            event("repeat too late")
            assert [answer.number for answer in answers] == [MESSAGE_EXPIRED.number]
        assert self.play.machine.roots.app_hash() == before

    @rule()
    def overhear(self) -> None:
        """Of the next message, whatever it is, a stranger signs a copy first."""
        self.play.is_overheard = True

    @rule(member_id=companies, how=st.sampled_from(["tampered", "stranger", "rival", "role", "chain", "id"]))
    def forge(self, member_id: int, how: str) -> None:
        """What others make of a member's or the bank's envelope is refused and moves nothing."""
        rival_id = next(other_id for other_id in COMPANIES if other_id != member_id)
        payout, deposit = RequestPayout(1), ConfirmDeposit(member_id, 1_000_000, sha256(b"forged"))
        true = decode(self.play.seal(member_id, payout, ("finance",)), Envelope)
        stranger, rival = key_of("stranger"), key_of(f"{rival_id}-finance")
        expected = {KEY_UNKNOWN.number}
        data = resigned(true, stranger)
        if how == "tampered":
            expected, data = {SIGNATURE_INVALID.number}, encode(changed(true, body=bytes(64)))
        elif how == "rival":
            expected, data = {KEY_OF_ANOTHER_MEMBER.number}, resigned(true, rival)
        elif how == "role":
            expected, data = {ROLE_MISSING.number}, self.play.seal(BANK, deposit, ("admin",))
        elif how == "chain":
            expected, data = (
                {WRONG_CHAIN.number},
                resigned(changed(true, chain_id="other"), key_of(f"{member_id}-finance")),
            )
        elif how == "id" and self.play.sent:
            last = decode(self.play.sent[-1][0], Envelope)
            expected = {
                ID_USED_FOR_ANOTHER.number if self.play.sent[-1][2] > self.play.now_ms else MESSAGE_EXPIRED.number
            }
            body = encode([deposit])
            data = seal(
                last.chain_id, last.sender_id, last.id, last.expires_ms, body, [stranger], EPOCH, atomic=last.atomic
            )
        if member_id in self.book.frozen and how in ("stranger", "rival", "id"):
            expected |= {MEMBER_FROZEN.number}
        (answer,) = self.play.block(data)
        event(f"forged {how} {answer.number}")
        assert answer.number in expected

    # The promises. --------------------------------------------------------------------------------------------------

    @invariant()
    def every_contract_keeps_its_promises(self) -> None:
        self.play.machine.check_all()

    @invariant()
    def money_agrees(self) -> None:
        at = self.play.context()
        for account_id, owned_fen in self.book.owned.items():
            balances = funds.balances(at, account_id)
            assert balances.credits_posted_fen - balances.debits_posted_fen == owned_fen
            if account_id % 100 == Code.CASH:
                assert funds.free_fen(at, account_id) == self.book.free(account_id // 100) >= 0
        assert {
            (int(key[0]) // 100, key[1]): row.amount_fen for key, row in RESERVATIONS.range(at)
        } == self.book.reserved

    @invariant()
    def no_fen_appears_or_is_lost(self) -> None:
        at = self.play.context()
        debits, credits_ = funds.trial_balance(at)
        assert debits == credits_
        assert sum(self.book.owned.values()) == self.book.paid_in_fen - self.book.paid_out_fen
        others = [row.balances for key, row in ACCOUNTS.range(at) if key[0] not in self.book.owned]
        owned = sum(abs(one.credits_posted_fen - one.debits_posted_fen) for one in others)
        assert owned == sum(self.book.owned.values())  # the bank's mirror alone

    @invariant()
    def everybody_can_withdraw_the_free_funds(self) -> None:
        at = self.play.context()
        mark = at.store.mark()
        mirror_id = BANK * 100 + Code.BANK
        for account_id in self.book.owned:
            free_fen = funds.free_fen(at, account_id)
            if free_fen:
                name = f"withdraw {account_id}"
                funds.hold(at, Transfer(derived_id(name), account_id, mirror_id, free_fen, 1, "deed:1"))
                funds.post(at, derived_id(f"{name} out"), derived_id(name))
            assert funds.free_fen(at, account_id) == 0
        self.play.machine.check_all()
        at.store.rollback(mark)
        at.store.settle()
