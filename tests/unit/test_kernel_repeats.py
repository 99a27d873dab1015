"""First answers: rows by block and the dictionary beside them say the same, whatever came, went and was loaded again."""

import random
from dataclasses import dataclass

import pytest

from shudian.kernel.answers import ANSWERS, Answer, Answers
from shudian.kernel.check import CheckFailed
from shudian.kernel.codec import encode
from shudian.kernel.envelope import UNREGISTERED, seal
from shudian.kernel.ids import derived_id
from shudian.kernel.machine import Machine
from shudian.kernel.outcomes import Outcome
from shudian.kernel.repeats import FirstAnswers
from shudian.kernel.tables import Store, encode_key
from tests.support.ledger import CHAIN_ID, EPOCH, SECRETS, START_MS, Ledger, key_of
from tests.unit.test_kernel_machine import CONTRACT, AddCoins

SECOND_MS = 1_000


@pytest.fixture
def ledger() -> Ledger:
    return Ledger([CONTRACT])


def envelope(name: str, expires_ms: int, sender_id: int = 7, signer: str = "a", coins: int = 1) -> bytes:
    body = encode([AddCoins(coins)])
    return seal(CHAIN_ID, sender_id, derived_id(name), expires_ms, body, [key_of(signer)], EPOCH, atomic=False)


def loaded(ledger: Ledger) -> Ledger:
    """The ledger, taken up again from its rows."""
    rows = [
        (table, encode_key(key), encode(row), held.versions[key])
        for table, held in ledger.machine.store.rows.items()
        for key, row in held.data.items()
    ]
    machine = Machine(ledger.machine.market, CHAIN_ID, ledger.blobs.get, SECRETS)
    assert machine.load(ledger.machine.height, rows) == ledger.machine.roots.app_hash()
    machine.settle()
    ledger.machine = machine
    return ledger


def test_the_answers_of_a_block_are_one_row_in_the_order_of_its_envelopes(ledger: Ledger) -> None:
    came = [envelope(name, START_MS + 5 * SECOND_MS, coins=coins) for name, coins in (("b", 5), ("a", 101), ("c", 5))]
    outcomes = ledger.apply(came[0], came[1], came[0], came[2])
    row = ANSWERS.need(ledger.store, 1)
    assert [answer.id for answer in row.answers] == [derived_id("b"), derived_id("c")], (
        "what the door refused is no answer"
    )
    assert [answer.outcomes for answer in row.answers] == [outcomes[0], outcomes[3]]
    assert outcomes[2] == outcomes[0]
    ledger.apply(*came)
    assert ANSWERS.count(ledger.store) == 1, "a block of repeats has no answers of its own"


def test_answers_stay_until_the_last_of_their_block_expires(ledger: Ledger) -> None:
    early, late = envelope("early", START_MS + SECOND_MS), envelope("late", START_MS + 2 * SECOND_MS)
    first = ledger.apply(early, late)
    ledger.advance(START_MS + SECOND_MS)
    for at in (ledger, loaded(ledger)):
        assert at.apply(early, late) == first
        assert at.apply(envelope("early", START_MS + 3 * SECOND_MS, coins=2))[0][0].number == 1009
    ledger.advance(START_MS + 2 * SECOND_MS)
    assert ANSWERS.count(ledger.store) == 0
    assert [outcomes[0].number for outcomes in ledger.apply(early, late)] == [1007, 1007]
    assert ledger.apply(envelope("early", START_MS + 3 * SECOND_MS, coins=2))[0][0].done


def test_an_applicants_id_is_its_own(ledger: Ledger) -> None:
    expires_ms = START_MS + SECOND_MS
    one, other = (envelope("x", expires_ms, UNREGISTERED, name, coins) for name, coins in (("a", 1), ("b", 2)))
    assert [outcomes[0].number for outcomes in ledger.apply(one, other)] == [0, 0]
    assert ledger.apply(envelope("x", expires_ms, UNREGISTERED, "a", 3))[0][0].number == 1009


@dataclass
class Block:
    """What was answered at a height, and when the last of it expires."""

    expires_ms: int
    answers: dict[tuple[int, bytes], Answer]


@pytest.mark.parametrize("seed", range(20))
def test_what_is_held_is_what_the_rows_say(seed: int) -> None:
    chance = random.Random(seed)
    store = Store((ANSWERS,))
    answers, model = FirstAnswers(store), dict[int, Block]()
    for height in range(1, 60):
        now_ms = height * 10
        told: dict[tuple[int, bytes], Answer] = {}
        for _ in range(chance.randrange(4)):
            key = (chance.randrange(3), bytes([chance.randrange(8)]))
            known = next((block.answers[key] for block in model.values() if key in block.answers), told.get(key))
            assert answers.of(key) == known
            if known is None:
                told[key] = Answer(*key, now_ms + chance.randrange(200), bytes([height]), (Outcome(0),))
                answers.keep(key, told[key])
        if told:
            model[height] = Block(max(answer.expires_ms for answer in told.values()), told)
        answers.end_block(height, now_ms)
        model = {at: block for at, block in model.items() if block.expires_ms > now_ms}
        if chance.randrange(5) == 0:
            answers = FirstAnswers(store)
            answers.load()
        answers.check()
        assert [key for key, _ in ANSWERS.range(store)] == [(at,) for at in model]
        assert all(answers.of(key) == answer for block in model.values() for key, answer in block.answers.items())


def test_what_parts_from_the_rows_stops_the_node(ledger: Ledger) -> None:
    ledger.apply(envelope("x", START_MS + SECOND_MS))
    row = ANSWERS.need(ledger.store, 1)
    (answer,) = row.answers
    other = Answer(answer.sender_id, answer.id, answer.expires_ms, answer.digest, (Outcome(1),))
    for wrong in (
        Answers(row.expires_ms, (other,)),
        Answers(row.expires_ms, (answer, answer)),
        Answers(row.expires_ms + 1, row.answers),
        None,
    ):
        mark = ledger.store.mark()
        ledger.store.change(ANSWERS.name, (1,), wrong)
        with pytest.raises(CheckFailed):
            ledger.machine.check_all()
        ledger.store.rollback(mark)
    ledger.machine.check_all()


def test_two_rows_that_answer_one_id_are_not_loaded() -> None:
    store = Store((ANSWERS,))
    answer = Answer(7, derived_id("x"), START_MS, b"", ())
    for height in (1, 2):
        ANSWERS.put(store, (height,), Answers(START_MS, (answer,)))
    with pytest.raises(CheckFailed, match="one first answer"):
        FirstAnswers(store).load()
