"""Funds: accounts, deposits and pay-outs by message, with identity's real port."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

import shudian
from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import (
    REFUSALS,
    CloseAccount,
    Code,
    ConfirmDeposit,
    ConfirmPayout,
    OpenAccount,
    RefusePayout,
    RequestPayout,
    Transfer,
)
from shudian.contracts.governance import rules as governance
from shudian.contracts.identity import rules as identity
from shudian.contracts.identity.messages import FreezeMember, SuspendMember
from shudian.contracts.roles import Kind, Role
from shudian.kernel.crypto import sha256
from shudian.kernel.ids import derived_id
from shudian.kernel.messages import Message
from shudian.kernel.outcomes import Refused
from tests.support.ledger import Ledger, key_of

EXCHANGE, BANK, OTHER_BANK, PLANT, USER, GRID, REGULATOR = range(1, 8)
MEMBERS = {
    EXCHANGE: (Kind.EXCHANGE, "91510000MA0000001F", (Role.ADMIN, Role.REVIEWER, Role.FINANCE)),
    BANK: (Kind.BANK, "91510000MA0000002J", (Role.ADMIN, Role.TELLER, Role.FINANCE)),
    OTHER_BANK: (Kind.BANK, "91510000MA0000003M", (Role.ADMIN, Role.TELLER, Role.FINANCE)),
    PLANT: (Kind.GENERATOR, "91510000MA0000004Q", (Role.ADMIN, Role.FINANCE)),
    USER: (Kind.USER, "91510000MA0000005U", (Role.ADMIN, Role.FINANCE)),
    GRID: (Kind.GRID_COMPANY, "91510000MA0000006Y", (Role.ADMIN, Role.FINANCE)),
    REGULATOR: (Kind.REGULATOR, "91510000MA00000072", (Role.ADMIN, Role.OFFICER)),
}
DIGEST = sha256(b"salted account number")
CASH = 10
NO_KEY = ("stranger",)


def settings() -> list[dict[str, Any]]:
    """The province's own settings of identity and funds, as shipped."""
    folder = Path(shudian.__file__).parent / "genesis" / "sichuan2026"
    texts = [(folder / f"{name}.toml").read_text(encoding="utf-8") for name in ("identity", "funds")]
    return [setting for text in texts for setting in tomllib.loads(text)["setting"]]


def market(accounts: list[dict[str, Any]] | None = None) -> Ledger:
    members = [
        {
            "kind": kind,
            "name_zh": f"成员{member_id}",
            "name_en": f"member {member_id}",
            "uscc": uscc,
            "persons": [
                {"public_key": key_of(f"{member_id}{person}").public_key.hex(), "roles": list(roles)} for person in "ab"
            ],
        }
        for member_id, (kind, uscc, roles) in MEMBERS.items()
    ]
    sections = {
        "governance": {"settings": settings()},
        "identity": {"members": members},
        "funds": {"accounts": accounts or []},
    }
    return Ledger([governance.CONTRACT, identity.CONTRACT, funds.CONTRACT], sections, identity.authorise)


def reference(name: str) -> bytes:
    return sha256(name.encode())


class Town:
    """A market whose plant and user have accounts: the plant at BANK with 100,000 fen, the user at OTHER_BANK with nothing."""

    def __init__(self) -> None:
        self.book = market()
        self.done(PLANT, OpenAccount(BANK, DIGEST))
        self.done(USER, OpenAccount(OTHER_BANK, DIGEST))
        self.done(BANK, ConfirmDeposit(PLANT, 100_000, reference("first")))

    def signers(self, sender_id: int, count: int = 1) -> tuple[str, ...]:
        return tuple(f"{sender_id}{person}" for person in "ab"[:count])

    def done(self, sender_id: int, message: Message, count: int = 1) -> Any:
        reply = self.book.done(sender_id, message, *self.signers(sender_id, count))
        self.book.machine.check_all()
        return reply

    def refused(self, sender_id: int, message: Message, count: int = 1) -> int:
        number = self.book.refused(sender_id, message, *self.signers(sender_id, count))
        self.book.machine.check_all()
        return number

    def free(self, owner_id: int, code: Code = Code.CASH) -> int:
        return funds.free_fen(self.book.store, funds.account_of(self.book.store, owner_id, code))


def test_a_deposit_debits_the_banks_mirror_and_credits_the_owner() -> None:
    town = Town()
    assert funds.balances(town.book.store, PLANT * 100 + CASH).credits_posted_fen == 100_000
    assert funds.balances(town.book.store, BANK * 100 + Code.BANK).debits_posted_fen == 100_000
    assert funds.trial_balance(town.book.store) == (100_000, 100_000)


def test_replies_carry_the_balances() -> None:
    town = Town()
    assert town.done(BANK, ConfirmDeposit(PLANT, 5, reference("second"))).balances.credits_posted_fen == 100_005
    asked = town.done(PLANT, RequestPayout(30_000))
    assert (asked.payout_id, asked.balances.debits_pending_fen) == (1, 30_000)
    assert asked.expires_ms == town.book.now_ms + 259_200_000
    assert town.done(BANK, ConfirmPayout(1, reference("out"))).balances.debits_posted_fen == 30_000


@pytest.mark.parametrize(
    ("answer", "free_fen", "paid_fen"),
    [
        (ConfirmPayout(1, reference("out")), 70_000, 30_000),
        (RefusePayout(1, "account number does not match"), 100_000, 0),
    ],
)
def test_a_payout_is_held_until_the_bank_answers(answer: Message, free_fen: int, paid_fen: int) -> None:
    town = Town()
    town.done(PLANT, RequestPayout(30_000))
    assert town.free(PLANT) == 70_000
    town.done(BANK, answer)
    assert town.free(PLANT) == free_fen
    assert funds.balances(town.book.store, BANK * 100 + Code.BANK).credits_posted_fen == paid_fen


def test_an_unanswered_payout_expires_and_is_free_again() -> None:
    town = Town()
    expires_ms = town.done(PLANT, RequestPayout(30_000)).expires_ms
    town.book.advance(expires_ms - 1)
    assert town.free(PLANT) == 70_000
    town.book.advance(expires_ms)
    assert town.free(PLANT) == 100_000
    assert town.refused(BANK, ConfirmPayout(1, reference("late"))) == 4012


@pytest.mark.parametrize(
    ("message", "from_fen", "sender_id"),
    [
        (lambda fen: ConfirmDeposit(PLANT, fen, reference(f"big {fen}")), 10_000_000_000, BANK),
        (RequestPayout, 100_000_000, PLANT),
    ],
    ids=["deposit", "payout"],
)
def test_large_amounts_need_a_second_signer(message: Any, from_fen: int, sender_id: int) -> None:
    town = Town()
    for number in range(5):
        town.done(BANK, ConfirmDeposit(PLANT, 9_999_999_999, reference(str(number))))
    assert town.refused(sender_id, message(from_fen)) == 3010
    town.done(sender_id, message(from_fen - 1))
    town.done(sender_id, message(from_fen), count=2)


def test_the_grid_company_gets_its_ledgers_with_its_account() -> None:
    town = Town()
    town.done(GRID, OpenAccount(BANK, DIGEST))
    town.done(BANK, ConfirmDeposit(GRID, 700, reference("levy"), Code.LEVY))
    town.done(GRID, RequestPayout(600, Code.LEVY))
    assert [town.free(GRID, code) for code in (Code.CASH, Code.LEVY, Code.DEVIATION)] == [0, 100, 0]
    assert town.refused(PLANT, RequestPayout(1, Code.LEVY)) == 4001


def test_a_suspended_member_may_withdraw_and_a_frozen_one_may_not() -> None:
    town = Town()
    town.done(EXCHANGE, SuspendMember(PLANT, "test"))
    town.done(PLANT, RequestPayout(1_000))
    town.done(PLANT, RequestPayout(2_000))
    town.done(BANK, ConfirmPayout(1, reference("out")))
    town.done(REGULATOR, FreezeMember(PLANT, "test", 20260801))
    assert town.refused(PLANT, RequestPayout(1)) == 3003
    assert town.refused(BANK, ConfirmPayout(2, reference("out 2"))) == 3003
    town.done(BANK, RefusePayout(2, "frozen"))


def test_a_frozen_bank_is_not_chosen() -> None:
    town = Town()
    town.done(REGULATOR, FreezeMember(BANK, "test", 20260801))
    assert town.refused(GRID, OpenAccount(BANK, DIGEST)) == 3003


def test_closing_and_opening_again_may_choose_another_bank() -> None:
    town = Town()
    town.done(PLANT, RequestPayout(100_000))
    town.done(BANK, ConfirmPayout(1, reference("out")))
    town.done(PLANT, CloseAccount())
    assert town.refused(BANK, ConfirmDeposit(PLANT, 1, reference("late"))) == 4002
    assert town.refused(PLANT, RequestPayout(1)) == 4002
    town.done(PLANT, OpenAccount(OTHER_BANK, DIGEST))
    town.done(OTHER_BANK, ConfirmDeposit(PLANT, 42, reference("new bank")))
    assert funds.balances(town.book.store, PLANT * 100 + CASH).credits_posted_fen == 100_042
    assert town.free(PLANT) == 42


def test_the_worked_example_of_the_rulebook() -> None:
    town = Town()
    rows = []

    def look() -> None:
        cash = funds.balances(town.book.store, PLANT * 100 + CASH)
        mirrors = (town.free(BANK, Code.BANK), town.free(OTHER_BANK, Code.BANK))
        booked = cash.credits_posted_fen - cash.debits_posted_fen
        rows.append((booked, cash.debits_pending_fen, town.free(PLANT), town.free(USER), *mirrors))

    ctx = town.book.context()
    look()
    funds.reserve(ctx, PLANT, "order:1", 20_000)
    look()
    town.done(PLANT, RequestPayout(30_000))
    look()
    ctx = town.book.context()
    paid = Transfer(derived_id("paid"), PLANT * 100 + CASH, USER * 100 + CASH, 40_000, 1000, "statement:1")
    funds.transfer(ctx, [paid])
    look()
    assert town.refused(PLANT, RequestPayout(10_001)) == 4003
    town.done(BANK, ConfirmPayout(1, reference("out")))
    look()
    funds.reserve(town.book.context(), PLANT, "order:1", 0)
    look()
    assert rows == [
        (100_000, 0, 100_000, 0, 100_000, 0),
        (100_000, 20_000, 80_000, 0, 100_000, 0),
        (100_000, 50_000, 50_000, 0, 70_000, 0),
        (60_000, 50_000, 10_000, 40_000, 30_000, 40_000),
        (30_000, 20_000, 10_000, 40_000, 30_000, 40_000),
        (30_000, 0, 30_000, 40_000, 30_000, 40_000),
    ]


# (given, sender, message, number); every refusal of deposits, pay-outs and accounts
CASES: list[tuple[list[tuple[int, Message]], int, Message, int]] = [
    ([], GRID, RequestPayout(1), 4001),
    ([], GRID, CloseAccount(), 4001),
    ([], BANK, ConfirmDeposit(GRID, 1, reference("x")), 4001),
    ([], BANK, ConfirmDeposit(PLANT, 1, reference("x"), Code.LEVY), 4001),
    ([(USER, CloseAccount())], USER, CloseAccount(), 4002),
    ([(USER, CloseAccount())], OTHER_BANK, ConfirmDeposit(USER, 1, reference("x")), 4002),
    ([(USER, CloseAccount())], USER, RequestPayout(1), 4002),
    ([], PLANT, RequestPayout(100_001), 4003),
    ([(PLANT, RequestPayout(60_000))], PLANT, RequestPayout(40_001), 4003),
    ([], USER, RequestPayout(1), 4003),
    ([], PLANT, OpenAccount(BANK, DIGEST), 4014),
    ([], PLANT, CloseAccount(), 4015),
    ([], BANK, ConfirmDeposit(USER, 1, reference("x")), 4016),
    ([(PLANT, RequestPayout(1))], OTHER_BANK, ConfirmPayout(1, reference("x")), 4016),
    ([(PLANT, RequestPayout(1))], OTHER_BANK, RefusePayout(1, "no"), 4016),
    ([], BANK, ConfirmDeposit(PLANT, 100_000, reference("first")), 4017),
    ([(PLANT, RequestPayout(1))], BANK, ConfirmPayout(1, reference("first")), 4017),
    ([], BANK, ConfirmPayout(1, reference("x")), 4019),
    ([], BANK, RefusePayout(1, "no"), 4019),
    (
        [(PLANT, RequestPayout(1)), (BANK, ConfirmPayout(1, reference("x")))],
        BANK,
        ConfirmPayout(1, reference("y")),
        4010,
    ),
    ([(PLANT, RequestPayout(1)), (BANK, ConfirmPayout(1, reference("x")))], BANK, RefusePayout(1, "no"), 4010),
    ([(PLANT, RequestPayout(1)), (BANK, RefusePayout(1, "no"))], BANK, ConfirmPayout(1, reference("x")), 4011),
    ([(PLANT, RequestPayout(1)), (BANK, RefusePayout(1, "no"))], BANK, RefusePayout(1, "again"), 4011),
    ([], GRID, OpenAccount(PLANT, DIGEST), 3004),
    ([], GRID, OpenAccount(99, DIGEST), 3001),
    ([], PLANT, ConfirmDeposit(PLANT, 1, reference("x")), 3004),
    ([], REGULATOR, OpenAccount(BANK, DIGEST), 3004),
    ([], GRID, OpenAccount(0, DIGEST), 1011),
    ([], GRID, OpenAccount(BANK, b"short"), 1011),
    ([], BANK, ConfirmDeposit(0, 1, reference("x")), 1011),
    ([], BANK, ConfirmDeposit(PLANT, 0, reference("x")), 1011),
    ([], BANK, ConfirmDeposit(PLANT, -5, reference("x")), 1011),
    ([], BANK, ConfirmDeposit(PLANT, 1, b""), 1011),
    ([], BANK, ConfirmDeposit(PLANT, 1, reference("x"), Code.BANK), 1011),
    ([], PLANT, RequestPayout(0), 1011),
    ([], PLANT, RequestPayout(1, Code.BANK), 1011),
    ([], BANK, ConfirmPayout(0, reference("x")), 1011),
    ([], BANK, ConfirmPayout(1, b""), 1011),
    ([], BANK, RefusePayout(0, "no"), 1011),
    ([], BANK, RefusePayout(1, ""), 1011),
]


@pytest.mark.parametrize(("given", "sender_id", "message", "number"), CASES)
def test_refusals(given: list[tuple[int, Message]], sender_id: int, message: Message, number: int) -> None:
    town = Town()
    for earlier_id, earlier in given:
        town.done(earlier_id, earlier)
    before = town.book.machine.roots.sub_roots()["funds"]
    assert town.refused(sender_id, message) == number
    assert town.book.machine.roots.sub_roots()["funds"] == before


@pytest.mark.parametrize("message", [ConfirmDeposit(PLANT, 10**12 + 1, reference("x")), RequestPayout(10**12 + 1)])
def test_amounts_over_the_maximum_are_refused(message: Message) -> None:
    sender_id = BANK if isinstance(message, ConfirmDeposit) else PLANT
    assert Town().refused(sender_id, message, count=2) == 4018


def test_an_unknown_key_says_nothing_on_a_banks_behalf() -> None:
    assert Town().book.refused(BANK, ConfirmDeposit(PLANT, 1, reference("x")), *NO_KEY) == 3006


def test_the_same_envelope_twice_deposits_once() -> None:
    town = Town()
    data = town.book.envelope(BANK, ConfirmDeposit(PLANT, 9, reference("x")), signers=town.signers(BANK))
    first, again = town.book.apply(data, data)
    assert first == again
    assert town.free(PLANT) == 100_009


def test_genesis_opens_accounts_with_their_opening_balance() -> None:
    accounts = [{"owner_id": PLANT, "bank_id": BANK, "bank_account_digest": DIGEST.hex(), "opening_fen": 500}]
    book = market(accounts)
    book.machine.check_all()
    assert funds.free_fen(book.store, PLANT * 100 + CASH) == 500
    assert funds.trial_balance(book.store) == (500, 500)
    with pytest.raises(Refused) as caught:
        market([{**accounts[0], "bank_id": USER}])
    assert caught.value.refusal.number == 3004


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.name)
def test_refusals_speak_both_languages(refusal: Any) -> None:
    assert refusal.zh.strip()
    assert refusal.en.strip()
