"""The machine: the way of a message, its refusals at the door, repetition, batches, faults, hooks and the clock."""

from typing import ClassVar

import msgspec
import pytest

from shudian.contracts.governance.messages import AdvanceClock
from shudian.kernel import fields
from shudian.kernel.answers import ANSWERS
from shudian.kernel.check import CheckFailed
from shudian.kernel.codec import Record, encode
from shudian.kernel.contract import BlockContext, Context, Contract, Market, RowInvariant, StateInvariant
from shudian.kernel.envelope import ENVELOPE_MAX_BYTES, Envelope, seal
from shudian.kernel.ids import derived_id
from shudian.kernel.machine import EXPIRY_MAX_MS
from shudian.kernel.messages import Authority, Event, Message
from shudian.kernel.outcomes import FIELD_NOT_ALLOWED, Refusal, Reply
from shudian.kernel.tables import Key, Table, next_id
from tests.support.ledger import CHAIN_ID, EPOCH, START_MS, Ledger, anybody, key_of

HOUR_MS = 3_600_000
ANYBODY = Authority((), "", "", "")


class Jar(Record):
    coins: int


class AddCoins(Message):
    authority: ClassVar[Authority] = ANYBODY
    coins: int
    then: str = ""

    def check(self) -> None:
        fields.whole("coins", self.coins, 0, 100)


class CoinsAdded(Event):
    coins: int


class JarReply(Reply):
    coins: int


JARS = Table("jar.jars", Jar, ("jar_id",))
TOO_MANY = Refusal(1101, "too_many_coins", "硬币过多", "too many coins")


def add_coins(ctx: Context, message: AddCoins) -> JarReply:
    held = JARS.get(ctx, 1)
    coins = message.coins + (held.coins if held else 0)
    JARS.put(ctx, (1,), Jar(coins))
    next_id(ctx, "jar.turn")
    ctx.emit(CoinsAdded(deed="jar:1", parties=(), coins=coins))
    if coins > 50:
        raise TOO_MANY("coins", coins, "<= 50")
    if message.then == "fault":
        raise ZeroDivisionError
    if message.then == "memory":
        raise MemoryError
    if message.then == "break":
        JARS.put(ctx, (1,), Jar(-1))
    return JarReply(coins)


def count_blocks(ctx: BlockContext) -> None:
    next_id(ctx, "jar.blocks")


def never_negative(_key: Key, row: Jar) -> bool:
    return row.coins >= 0


CONTRACT = Contract(
    "jar",
    1,
    (JARS,),
    {AddCoins: add_coins},
    (CoinsAdded,),
    (TOO_MANY,),
    (JarReply,),
    hooks=(count_blocks,),
    invariants=(
        RowInvariant("never negative", JARS, never_negative),
        StateInvariant("one jar", lambda ctx: JARS.count(ctx) <= 1),
    ),
)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger([CONTRACT])


def coins(ledger: Ledger) -> int:
    jar = JARS.get(ledger.store, 1)
    return 0 if jar is None else jar.coins


def sealed(ledger: Ledger, **changes: object) -> bytes:
    envelope = msgspec.msgpack.decode(ledger.envelope(7, AddCoins(1)), type=Envelope)
    return encode(msgspec.structs.replace(envelope, **changes))


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"version": 1}, 1013),
        ({"chain_id": "other"}, 1003),
        ({"id": b"short"}, 1011),
        ({"signatures": ()}, 1004),
        ({"sender_id": 8}, 1005),
        ({"expires_ms": START_MS + HOUR_MS + 1}, 1005),
        ({"atomic": True}, 1005),
        ({"body": encode([AddCoins(2)])}, 1005),
    ],
)
def test_forged_envelopes_are_refused(ledger: Ledger, changes: dict[str, object], number: int) -> None:
    assert ledger.apply(sealed(ledger, **changes))[0][0].number == number
    assert coins(ledger) == 0


@pytest.mark.parametrize(
    ("body", "expires_ms", "number"),
    [
        (encode([["Nothing", 1]]), START_MS + 1, 1006),
        (encode([]), START_MS + 1, 1012),
        (encode([AddCoins(1)] * 4_097), START_MS + 1, 1012),
        (encode([AddCoins(101)]), START_MS + 1, 1011),
        (encode([AddCoins(1)]), START_MS, 1007),
        (encode([AddCoins(1)]), START_MS + EXPIRY_MAX_MS + 1, 1008),
    ],
)
def test_bad_contents_are_refused(ledger: Ledger, body: bytes, expires_ms: int, number: int) -> None:
    data = seal(CHAIN_ID, 7, derived_id("x"), expires_ms, body, [key_of("a")], EPOCH, atomic=False)
    assert ledger.apply(data)[0][0].number == number
    assert ANSWERS.count(ledger.store) == 0


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x98" + b"\x00" * 8, b"\xc1" * 50])
def test_malformed_bytes_are_refused(ledger: Ledger, data: bytes) -> None:
    assert ledger.apply(data)[0][0].number == 1001


def test_oversized_bytes_are_refused(ledger: Ledger) -> None:
    assert ledger.apply(bytes(ENVELOPE_MAX_BYTES + 1))[0][0].number == 1002


def test_two_signatures_by_one_key_are_refused(ledger: Ledger) -> None:
    assert ledger.apply(ledger.envelope(7, AddCoins(1), signers=("a", "a")))[0][0].number == 1011


def test_a_repeat_gets_its_first_outcome_and_changes_nothing(ledger: Ledger) -> None:
    data = ledger.envelope(7, AddCoins(5))
    first = ledger.apply(data)
    assert ledger.apply(data) == first
    assert ledger.apply(data, data) == [first[0], first[0]]
    assert coins(ledger) == 5


def test_an_id_stands_for_one_act_only(ledger: Ledger) -> None:
    for value, number in ((5, 0), (6, 1009)):
        body = encode([AddCoins(value)])
        data = seal(CHAIN_ID, 7, derived_id("x"), START_MS + 1, body, [key_of("a")], EPOCH, atomic=False)
        assert ledger.apply(data)[0][0].number == number
    assert coins(ledger) == 5


def test_answers_are_forgotten_at_expiry(ledger: Ledger) -> None:
    data = ledger.envelope(7, AddCoins(5))
    ledger.apply(data)
    assert ANSWERS.count(ledger.store) == 1
    ledger.advance(START_MS + HOUR_MS)
    assert ANSWERS.count(ledger.store) == 0
    assert all(rows.versions.keys() == rows.data.keys() for rows in ledger.store.rows.values())
    assert ledger.apply(data)[0][0].number == 1007


def test_a_refusal_leaves_only_its_outcome(ledger: Ledger) -> None:
    ledger.done(7, AddCoins(40))
    before = ledger.machine.roots.sub_roots()["jar"]
    assert ledger.refused(7, AddCoins(11)) == 1101
    assert (coins(ledger), ledger.events) == (40, [])
    assert ledger.machine.roots.sub_roots()["jar"] == before


@pytest.mark.parametrize(("atomic", "numbers", "left"), [(False, [0, 1101, 0], 42), (True, [1010, 1101, 1010], 0)])
def test_a_batch_stands_each_or_as_a_whole(ledger: Ledger, atomic: bool, numbers: list[int], left: int) -> None:
    data = ledger.envelope(7, AddCoins(40), AddCoins(30), AddCoins(2), atomic=atomic)
    assert [outcome.number for outcome in ledger.apply(data)[0]] == numbers
    assert coins(ledger) == left
    assert len([event for event in ledger.events if isinstance(event, CoinsAdded)]) == (2 if left else 0)


def test_a_fault_of_ours_is_refused_and_told(ledger: Ledger) -> None:
    envelopes = [ledger.envelope(7, AddCoins(1, "fault")), ledger.envelope(7, AddCoins(2))]
    applied = ledger.machine.apply(ledger.now_ms, ledger.machine.door.open_all(envelopes))
    assert [outcomes[0].number for outcomes in applied.outcomes] == [1000, 0]
    assert applied.faults == ["AddCoins: ZeroDivisionError: "]
    assert coins(ledger) == 2


@pytest.mark.parametrize(("then", "error"), [("memory", MemoryError), ("break", CheckFailed)])
def test_what_must_stop_the_node_stops_it(ledger: Ledger, then: str, error: type[BaseException]) -> None:
    with pytest.raises(error):
        ledger.machine.apply(ledger.now_ms, ledger.machine.door.open_all([ledger.envelope(7, AddCoins(1, then))]))


def test_the_reply_comes_back(ledger: Ledger) -> None:
    assert ledger.done(7, AddCoins(9)) == JarReply(9)


def test_applicants_with_one_id_do_not_meet(ledger: Ledger) -> None:
    for name in ("a", "b"):
        body = encode([AddCoins(1)])
        data = seal(CHAIN_ID, 0, derived_id("x"), START_MS + 1, body, [key_of(name)], EPOCH, atomic=False)
        assert ledger.apply(data)[0][0].done
    assert coins(ledger) == 2


def test_names_and_numbers_are_unique() -> None:
    with pytest.raises(ValueError, match="two records"):
        Market((CONTRACT, CONTRACT), anybody, tuple(CONTRACT.handlers))
    foreign = Refusal(2001, "foreign", "", "")
    with pytest.raises(ValueError, match="wrong contract"):
        Market((Contract("jar", 1, (), {}, (), (foreign,)),), anybody, ())


def test_every_message_has_a_handler_and_every_handler_its_message() -> None:
    handled = tuple(CONTRACT.handlers)
    wrong: list[tuple[type[Message], ...]] = [handled[1:], (*handled, AdvanceClock)]
    for messages in wrong:
        with pytest.raises(ValueError, match="without"):
            Market((CONTRACT,), anybody, messages)


def test_every_kernel_refusal_speaks_both_languages() -> None:
    assert FIELD_NOT_ALLOWED.zh
    assert FIELD_NOT_ALLOWED.en
