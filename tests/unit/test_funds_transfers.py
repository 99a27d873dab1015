"""The money core: linked groups, holds, reservations, idempotent ids, and the order in which refusals are given."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import REFUSALS, Balances, Code, FundsReserved, Transfer
from shudian.contracts.funds.rules_accounts import write
from shudian.contracts.funds.state import ACCOUNTS
from shudian.contracts.funds.state_checks import COUNTER_MAX_FEN
from shudian.contracts.governance import rules as governance
from shudian.contracts.identity import rules as identity
from shudian.kernel import check
from shudian.kernel.ids import derived_id
from shudian.kernel.outcomes import Refused
from tests.support.ledger import Ledger
from tests.unit.test_funds import CASES

A, B, BANK, BANK_2 = 1, 2, 8, 9
A_CASH, B_CASH, B_LEVY, GONE = 110, 210, 230, 310
MIRROR, MIRROR_2 = 820, 920


def order(name: str, debit: int, credit: int, fen: int, *, code: int = 1, deed: str = "statement:1") -> Transfer:
    return Transfer(derived_id(name), debit, credit, fen, code, deed)


class Bench:
    """A with 1,000 fen at BANK, B with 0 at BANK_2, a closed account GONE; verbs are called directly."""

    def __init__(self) -> None:
        self.book = Ledger([governance.CONTRACT, identity.CONTRACT, funds.CONTRACT])
        self.ctx = self.book.context()
        for owner_id, bank_id in ((A, BANK), (B, BANK_2), (3, BANK)):
            funds.open_account(self.ctx, owner_id, Code.CASH, bank_id)
        funds.open_account(self.ctx, B, Code.LEVY)
        write(self.ctx, GONE, msgspec.structs.replace(ACCOUNTS.need(self.ctx, GONE), closed=True))
        funds.transfer(self.ctx, [order("deposit", MIRROR, A_CASH, 1_000)])

    def at(self, market_ms: int) -> None:
        """Let time pass: the next block's hooks run."""
        self.book.advance(market_ms)
        self.ctx = self.book.context()

    def free(self, account_id: int) -> int:
        return funds.free_fen(self.ctx, account_id)

    def counters(self, account_id: int) -> tuple[int, ...]:
        return msgspec.structs.astuple(funds.balances(self.ctx, account_id))

    def sound(self) -> None:
        self.book.machine.check_all()

    def refused(self, act: Callable[[], object]) -> tuple[int, str]:
        """Number and field of a refusal; nothing may have changed."""
        rows = {name: dict(rows.data) for name, rows in self.ctx.store.rows.items()}
        event_count = len(self.ctx.events)
        with pytest.raises(Refused) as caught:
            act()
        assert rows == {name: dict(rows.data) for name, rows in self.ctx.store.rows.items()}
        assert len(self.ctx.events) == event_count
        return caught.value.refusal.number, caught.value.field


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_transfer_answers_with_both_balances(bench: Bench) -> None:
    debit, credit = funds.transfer(bench.ctx, [order("t", A_CASH, B_CASH, 300)])
    assert (debit, credit) == (Balances(0, 300, 0, 1_000), Balances(0, 0, 0, 300))
    bench.sound()


def test_a_transfer_between_banks_is_covered_between_their_mirrors(bench: Bench) -> None:
    funds.transfer(bench.ctx, [order("t", A_CASH, B_CASH, 300)])
    assert bench.counters(MIRROR) == (0, 1_000, 0, 300)
    assert bench.counters(MIRROR_2) == (0, 300, 0, 0)
    assert (bench.free(MIRROR), bench.free(MIRROR_2)) == (bench.free(A_CASH), bench.free(B_CASH)) == (700, 300)


def test_a_group_sees_its_own_earlier_transfers(bench: Bench) -> None:
    funds.transfer(bench.ctx, [order("1", A_CASH, B_CASH, 1_000), order("2", B_CASH, B_LEVY, 900)])
    assert (bench.free(A_CASH), bench.free(B_CASH), bench.free(B_LEVY)) == (0, 100, 900)
    bench.sound()


def test_a_group_stands_or_falls_as_a_whole_and_names_the_culprit(bench: Bench) -> None:
    group = [order("1", A_CASH, B_CASH, 600), order("2", B_CASH, B_LEVY, 100), order("3", A_CASH, B_CASH, 401)]
    assert bench.refused(lambda: funds.transfer(bench.ctx, group)) == (4003, "transfers[2].amount_fen")
    assert bench.refused(lambda: funds.transfer(bench.ctx, group[2:] * 1 + [order("4", A_CASH, A_CASH, 1)])) == (
        4006,
        "transfers[1].credit_account_id",
    )
    assert bench.free(A_CASH) == 1_000


def test_a_repeated_group_moves_nothing_again(bench: Bench) -> None:
    group = [order("1", A_CASH, B_CASH, 600), order("2", B_CASH, B_LEVY, 100)]
    first = funds.transfer(bench.ctx, group)
    event_count = len(bench.ctx.events)
    assert funds.transfer(bench.ctx, group) == first
    assert funds.transfer(bench.ctx, [*group, group[0]])[:4] == first
    assert len(bench.ctx.events) == event_count
    assert funds.is_posted(bench.ctx, derived_id("1"))
    assert not funds.is_posted(bench.ctx, derived_id("3"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("debit_account_id", B_CASH),
        ("credit_account_id", B_LEVY),
        ("amount_fen", 301),
        ("code", 2),
        ("deed", "statement:2"),
    ],
)
def test_a_used_id_refuses_another_transfer_and_names_the_field(bench: Bench, field: str, value: Any) -> None:
    made = Transfer(derived_id("t"), A_CASH, MIRROR, 300, 1, "statement:1")
    funds.transfer(bench.ctx, [made])
    other = msgspec.structs.replace(made, **{field: value})
    assert bench.refused(lambda: funds.transfer(bench.ctx, [other])) == (4005, field)
    assert bench.refused(lambda: funds.hold(bench.ctx, made)) == (4005, "kind")


def test_a_hold_counts_in_the_limits_until_it_is_posted(bench: Bench) -> None:
    funds.hold(bench.ctx, order("h", A_CASH, B_CASH, 700))
    assert (bench.free(A_CASH), bench.free(B_CASH)) == (300, 0)
    assert bench.refused(lambda: funds.transfer(bench.ctx, [order("t", A_CASH, B_CASH, 301)]))[0] == 4003
    funds.transfer(bench.ctx, [order("t", A_CASH, B_CASH, 300)])
    assert funds.post(bench.ctx, derived_id("p"), derived_id("h")) == (
        Balances(0, 1_000, 0, 1_000),
        Balances(0, 0, 0, 1_000),
    )
    assert funds.is_posted(bench.ctx, derived_id("p"))
    assert not funds.is_posted(bench.ctx, derived_id("h"))
    bench.sound()


def test_a_partial_post_gives_the_rest_back(bench: Bench) -> None:
    funds.hold(bench.ctx, order("h", A_CASH, B_CASH, 700))
    funds.post(bench.ctx, derived_id("p"), derived_id("h"), 200)
    assert bench.counters(A_CASH) == (0, 200, 0, 1_000)
    assert bench.refused(lambda: funds.post(bench.ctx, derived_id("q"), derived_id("h"), 1))[0] == 4010
    bench.sound()


def test_a_void_gives_all_back(bench: Bench) -> None:
    funds.hold(bench.ctx, order("h", A_CASH, B_CASH, 700))
    assert funds.void(bench.ctx, derived_id("v"), derived_id("h")) == (Balances(0, 0, 0, 1_000), Balances())
    bench.sound()


@pytest.mark.parametrize("posts", [True, False])
def test_ending_a_hold_twice_with_the_same_id_ends_it_once(bench: Bench, posts: bool) -> None:
    funds.hold(bench.ctx, order("h", A_CASH, B_CASH, 700))

    def end() -> tuple[Balances, Balances]:
        if posts:
            return funds.post(bench.ctx, derived_id("e"), derived_id("h"), 500)
        return funds.void(bench.ctx, derived_id("e"), derived_id("h"))

    assert end() == end()
    assert bench.refused(lambda: funds.post(bench.ctx, derived_id("e"), derived_id("h"), 501))[0] == 4005
    assert bench.free(A_CASH) == (500 if posts else 1_000)
    funds.hold(bench.ctx, order("h2", A_CASH, B_CASH, 500))
    assert bench.refused(lambda: funds.post(bench.ctx, derived_id("e"), derived_id("h2"), 500))[0] == 4005


@pytest.mark.parametrize("early_ms", [0, 1])
def test_a_hold_expires_at_its_time_and_not_before(bench: Bench, early_ms: int) -> None:
    expires_ms = bench.ctx.market_ms + 1_000
    funds.hold(bench.ctx, order("h", A_CASH, B_CASH, 700), expires_ms)
    bench.at(expires_ms - early_ms)
    assert bench.free(A_CASH) == (300 if early_ms else 1_000)
    if early_ms:
        funds.post(bench.ctx, derived_id("p"), derived_id("h"))
    else:
        assert bench.refused(lambda: funds.post(bench.ctx, derived_id("p"), derived_id("h")))[0] == 4012
        assert bench.refused(lambda: funds.void(bench.ctx, derived_id("v"), derived_id("h")))[0] == 4012
    bench.sound()


def test_an_expired_hold_is_refused_before_the_hook_released_it(bench: Bench) -> None:
    expires_ms = bench.ctx.market_ms + 1_000
    funds.hold(bench.ctx, order("h", A_CASH, B_CASH, 700), expires_ms)
    bench.ctx.market_ms = expires_ms
    assert bench.refused(lambda: funds.post(bench.ctx, derived_id("p"), derived_id("h")))[0] == 4012
    assert bench.free(A_CASH) == 300


def test_a_reservation_is_set_to_exactly_the_amount(bench: Bench) -> None:
    assert funds.reserve(bench.ctx, A, "order:1", 400) == 600
    assert funds.reserve(bench.ctx, A, "order:2", 600) == 0
    assert bench.refused(lambda: funds.reserve(bench.ctx, A, "order:1", 401)) == (4003, "amount_fen")
    assert bench.refused(lambda: funds.transfer(bench.ctx, [order("t", A_CASH, B_CASH, 1)]))[0] == 4003
    assert funds.reserve(bench.ctx, A, "order:1", 100) == 300
    assert [funds.reserved(bench.ctx, A, f"order:{number}") for number in (1, 2, 3)] == [100, 600, 0]
    assert funds.reserve(bench.ctx, A, "order:2", 0) == 900
    assert bench.counters(A_CASH) == (100, 0, 0, 1_000)
    bench.sound()


def test_an_unchanged_reservation_says_nothing(bench: Bench) -> None:
    funds.reserve(bench.ctx, A, "order:1", 400)
    event_count = len(bench.ctx.events)
    assert funds.reserve(bench.ctx, A, "order:1", 400) == 600
    assert funds.reserve(bench.ctx, A, "order:9", 0) == 600
    assert len(bench.ctx.events) == event_count


def test_deeds_that_share_a_purpose_add_to_it_and_give_back(bench: Bench) -> None:
    def more(deed: str, more_fen: int, room_fen: int = 0) -> int:
        return funds.reserve_more(bench.ctx, A, "session:1", deed, more_fen, max(more_fen, room_fen))

    assert more("order:1", 400, 1_000) == 600
    assert bench.refused(lambda: more("order:2", 600, 601)) == (4003, "amount_fen")
    assert bench.refused(lambda: more("order:2", 0, 601)) == (4003, "amount_fen")
    assert more("order:2", 0, 600) == 600
    assert more("order:2", 600) == 0
    assert more("order:1", -1_000) == 1_000
    assert list(funds.reservations(bench.ctx)) == []
    told = [event for event in bench.ctx.events if isinstance(event, FundsReserved)]
    assert [(one.deed, one.change_fen, one.amount_fen) for one in told] == [
        ("order:1", 400, 400),
        ("order:2", 600, 1_000),
        ("order:1", -1_000, 0),
    ]
    with pytest.raises(check.CheckFailed, match="not reserved"):
        more("order:1", -1)
    with pytest.raises(check.CheckFailed, match="asked for room"):
        funds.reserve_more(bench.ctx, A, "session:1", "order:1", 2, 1)
    bench.sound()


def test_a_mirror_moves_only_against_its_own_sub_accounts(bench: Bench) -> None:
    assert bench.refused(lambda: funds.transfer(bench.ctx, [order("t", MIRROR_2, A_CASH, 1)]))[0] == 4007
    assert bench.refused(lambda: funds.hold(bench.ctx, order("t", A_CASH, MIRROR_2, 1)))[0] == 4007
    assert bench.refused(lambda: funds.transfer(bench.ctx, [order("t", MIRROR, MIRROR_2, 1)]))[0] == 4007


def test_open_account_leaves_one_that_exists_as_it_is(bench: Bench) -> None:
    assert funds.open_account(bench.ctx, A, Code.CASH, BANK_2) == A_CASH
    assert ACCOUNTS.need(bench.ctx, A_CASH).bank_id == BANK
    assert ACCOUNTS.need(bench.ctx, B_LEVY).bank_id == BANK_2
    assert bench.refused(lambda: funds.open_account(bench.ctx, 5, Code.CASH))[0] == 3005


def test_a_broken_account_is_a_fault_when_read_and_when_written(bench: Bench) -> None:
    broken = msgspec.structs.replace(ACCOUNTS.need(bench.ctx, A_CASH), balances=Balances(0, 1_001, 0, 1_000))
    with pytest.raises(check.CheckFailed):
        write(bench.ctx, A_CASH, broken)
    ACCOUNTS.put(bench.ctx, (A_CASH,), broken)
    with pytest.raises(check.CheckFailed):
        funds.free_fen(bench.ctx, A_CASH)


@pytest.mark.parametrize(
    ("account_id", "balances", "promise"),
    [
        (A_CASH, Balances(0, 0, 0, 1_001), "posted debits equal posted credits"),
        (A_CASH, Balances(1, 0, 0, 1_000), "pending counters equal open holds and reservations"),
        (A_CASH, Balances(0, 0, 1, 1_000), "pending counters equal open holds and reservations"),
    ],
)
def test_bent_books_are_found(bench: Bench, account_id: int, balances: Balances, promise: str) -> None:
    write(bench.ctx, account_id, msgspec.structs.replace(ACCOUNTS.need(bench.ctx, account_id), balances=balances))
    with pytest.raises(check.CheckFailed, match=promise):
        bench.sound()


def test_money_at_the_wrong_bank_is_found(bench: Bench) -> None:
    write(bench.ctx, A_CASH, msgspec.structs.replace(ACCOUNTS.need(bench.ctx, A_CASH), bank_id=BANK_2))
    with pytest.raises(check.CheckFailed, match="mirror equals the sum of its sub-accounts"):
        bench.sound()


def full(bench: Bench) -> None:
    """Bring A's counters to the end of their range."""
    balances = Balances(0, COUNTER_MAX_FEN - 10, 0, COUNTER_MAX_FEN)
    write(bench.ctx, A_CASH, msgspec.structs.replace(ACCOUNTS.need(bench.ctx, A_CASH), balances=balances))


def hold_of_5(bench: Bench) -> None:
    funds.hold(bench.ctx, order("h", A_CASH, B_CASH, 5), bench.ctx.market_ms + 1_000)


def posted(bench: Bench) -> None:
    hold_of_5(bench)
    funds.post(bench.ctx, derived_id("p"), derived_id("h"))


def voided(bench: Bench) -> None:
    hold_of_5(bench)
    funds.void(bench.ctx, derived_id("v"), derived_id("h"))


def expired(bench: Bench) -> None:
    hold_of_5(bench)
    bench.at(bench.ctx.market_ms + 1_000)


def nothing(_bench: Bench) -> None:
    pass


ID = derived_id("t")
MANY = 10**15
# Each transfer is wrong in everything from its line on; the line's refusal must win. (given, transfer, number, field)
TRANSFER_PRECEDENCE: list[tuple[Callable[[Bench], None], Transfer, int, str]] = [
    (nothing, Transfer(b"short", 7, 7, 0, -1, ""), 1011, "id"),
    (nothing, Transfer(ID, 7, 7, 0, -1, ""), 1011, "amount_fen"),
    (nothing, Transfer(ID, 7, 7, MANY + 1, -1, ""), 1011, "amount_fen"),
    (nothing, Transfer(ID, 7, 7, MANY, -1, ""), 1011, "code"),
    (nothing, Transfer(ID, 7, 7, MANY, 1, ""), 1011, "deed"),
    (nothing, Transfer(ID, 7, 7, MANY, 1, "d"), 4006, "credit_account_id"),
    (nothing, Transfer(derived_id("deposit"), 7, 6, MANY, 1, "d"), 4005, "debit_account_id"),
    (nothing, Transfer(ID, 7, 6, MANY, 1, "d"), 4001, "debit_account_id"),
    (nothing, Transfer(ID, GONE, 6, MANY, 1, "d"), 4002, "debit_account_id"),
    (nothing, Transfer(ID, A_CASH, 6, MANY, 1, "d"), 4001, "credit_account_id"),
    (nothing, Transfer(ID, MIRROR_2, GONE, MANY, 1, "d"), 4002, "credit_account_id"),
    (full, Transfer(ID, A_CASH, MIRROR_2, MANY, 1, "d"), 4007, "credit_account_id"),
    (full, Transfer(ID, A_CASH, MIRROR, 11, 1, "d"), 4008, "amount_fen"),
    (nothing, Transfer(ID, A_CASH, MIRROR, MANY, 1, "d"), 4003, "amount_fen"),
]
POST_PRECEDENCE: list[tuple[Callable[[Bench], None], bytes, bytes, int, int]] = [
    (nothing, b"short", derived_id("h"), 0, 4009),
    (posted, derived_id("x"), derived_id("p"), 0, 4009),
    (posted, b"short", derived_id("h"), 0, 1011),
    (posted, derived_id("x"), derived_id("h"), 0, 1011),
    (posted, derived_id("deposit"), derived_id("h"), 6, 4005),
    (posted, derived_id("x"), derived_id("h"), 6, 4010),
    (voided, derived_id("x"), derived_id("h"), 6, 4011),
    (expired, derived_id("x"), derived_id("h"), 6, 4012),
    (hold_of_5, derived_id("x"), derived_id("h"), 6, 4013),
]
NUMBERS = {number for _, _, number, _ in TRANSFER_PRECEDENCE} | {number for *_, number in POST_PRECEDENCE} | {4004}


@pytest.mark.parametrize(("given", "wrong", "number", "field"), TRANSFER_PRECEDENCE)
def test_refusals_of_transfers_and_holds_come_in_one_order(
    bench: Bench, given: Callable[[Bench], None], wrong: Transfer, number: int, field: str
) -> None:
    given(bench)
    assert bench.refused(lambda: funds.transfer(bench.ctx, [wrong])) == (number, field)
    held_field = "kind" if number == 4005 else field
    assert bench.refused(lambda: funds.hold(bench.ctx, wrong)) == (number, held_field)


@pytest.mark.parametrize(("given", "id_", "hold_id", "fen", "number"), POST_PRECEDENCE)
def test_refusals_of_posts_come_in_one_order(
    bench: Bench, given: Callable[[Bench], None], id_: bytes, hold_id: bytes, fen: int, number: int
) -> None:
    given(bench)
    assert bench.refused(lambda: funds.post(bench.ctx, id_, hold_id, fen))[0] == number


def test_a_mirror_never_pays_more_than_it_holds(bench: Bench) -> None:
    # out of reach while each mirror equals its sub-accounts, so the books are bent by hand
    rich = msgspec.structs.replace(ACCOUNTS.need(bench.ctx, A_CASH), balances=Balances(0, 0, 0, 2_000))
    write(bench.ctx, A_CASH, rich)
    assert bench.refused(lambda: funds.transfer(bench.ctx, [order("t", A_CASH, MIRROR, 1_001)])) == (4004, "amount_fen")


def test_a_hold_cannot_expire_in_the_past(bench: Bench) -> None:
    assert bench.refused(lambda: funds.hold(bench.ctx, order("h", A_CASH, B_CASH, 5), bench.ctx.market_ms)) == (
        1011,
        "expires_ms",
    )


@pytest.mark.parametrize(
    ("purpose", "fen", "number"), [("", 1, 1011), ("p", -1, 1011), ("p", MANY + 1, 1011), ("p", 1_001, 4003)]
)
def test_reserve_refuses(bench: Bench, purpose: str, fen: int, number: int) -> None:
    assert bench.refused(lambda: funds.reserve(bench.ctx, A, purpose, fen))[0] == number


@pytest.mark.parametrize(("owner_id", "room_fen", "number"), [(A, MANY + 1, 1011), (7, 0, 4001), (3, 0, 4002)])
def test_room_is_asked_of_an_open_account(bench: Bench, owner_id: int, room_fen: int, number: int) -> None:
    assert bench.refused(lambda: funds.reserve_more(bench.ctx, owner_id, "p", "order:1", 0, room_fen))[0] == number


def test_every_refusal_has_a_case() -> None:
    named = {number for *_, number in CASES} | NUMBERS | {4018}
    assert {refusal.number for refusal in REFUSALS} <= named
