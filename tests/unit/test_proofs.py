"""What proofs prove: rows, absent rows, messages with their outcomes and events, and where the key of a row is spelt otherwise."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shudian.client.client import Client
from shudian.contracts.governance.messages import AdvanceClock, SetSetting
from shudian.kernel.answers import HookEvents
from shudian.kernel.blinding import result_blind, row_blind
from shudian.kernel.codec import decode, encode
from shudian.kernel.comet import EMPTY_HASH, BlockId, Header, SignedHeader, Vote, validators_hash
from shudian.kernel.crypto import SigningKey, sha256
from shudian.kernel.envelope import Envelope
from shudian.kernel.ids import derived_id
from shudian.kernel.machine import STEPPED, WALL, Clock
from shudian.kernel.merkle import app_hash, bucket_no, merkle_path, merkle_root, root_of_leaf, row_path
from shudian.kernel.repeats import answer_key
from shudian.kernel.roots import StateTree
from shudian.kernel.tables import Key, encode_key
from shudian.node.blocks import decode_events
from shudian.node.embedded import EmbeddedNode
from shudian.node.errors import NodeError
from shudian.node.local import LocalTransport
from shudian.node.prove import prove_message, prove_rows
from shudian.node.verify import verify_folder
from shudian.proofs.check import NotProvenError, Proven, check
from shudian.proofs.files import FORMAT_VERSION, Proof, Result, RowProof, ShownRow, StateProof, to_bytes
from tests.support.chain import create, founder, key_of
from tests.support.ledger import SECRETS

SIGNER = key_of("signer")
TABLE = "t.items"
ID = b"0123456789abcdef"
VERSION = 5
STATE_KEY = sha256(b"state key")


CLOCK = Clock(STEPPED, 5)


def signed(header: Header, *signers: SigningKey) -> SignedHeader:
    """A header with the votes of these keys, each at a time of its own."""
    votes = [Vote(key.public_key, place, b"") for place, key in enumerate(sorted(signers, key=lambda k: k.public_key))]
    unsigned = SignedHeader(header, 2, 1, b"parts", tuple(votes))
    keys = {key.public_key: key for key in signers}
    signatures = [keys[vote.public_key].sign(data) for vote, data in zip(votes, unsigned.signed_bytes(), strict=True)]
    marked = [replace(vote, signature=signature) for vote, signature in zip(votes, signatures, strict=True)]
    return replace(unsigned, votes=tuple(marked))


def state_header(root: bytes, validators: Sequence[SigningKey] = (SIGNER,)) -> Header:
    """A header that carries an app hash, of a chain of these validators with power 1 each."""
    of_validators = validators_hash({key.public_key: 1 for key in validators})
    return Header(
        *(11, FORMAT_VERSION, "test", 7, 0, BlockId(), EMPTY_HASH, EMPTY_HASH, of_validators, of_validators),
        *(EMPTY_HASH, root, EMPTY_HASH, EMPTY_HASH, bytes(20)),
    )


def tree_of(rows: dict[Key, bytes]) -> StateTree:
    tree = StateTree()
    tree.update([(TABLE, encode_key(key), row, VERSION) for key, row in rows.items()], lambda _height: STATE_KEY)
    return tree


def shown(key: Key, row: bytes | None) -> ShownRow | None:
    """What a proof shows of a row of the tree."""
    blind = row_blind(STATE_KEY, row_path(TABLE, encode_key(key)), VERSION)
    return None if row is None else ShownRow(blind, VERSION, row)


def row_proof(tree: StateTree, key: Key, row: bytes | None) -> StateProof:
    """A proof of one row of a state that has one contract, signed by a set of one."""
    sub_roots = (("t", tree.root),)
    proof = RowProof(TABLE, encode_key(key), shown(key, row), *tree.beside(TABLE, key))
    return StateProof(signed(state_header(app_hash(sub_roots, encode(CLOCK))), SIGNER), CLOCK, sub_roots, (proof,))


def proven(proof: Proof, key: SigningKey = SIGNER) -> Proven:
    return check(to_bytes(proof), [key.public_key])


keys = st.tuples(st.integers(0, 3), st.integers(0, 5))
held_rows = st.dictionaries(keys, st.binary(max_size=3), max_size=12)


@given(held_rows, keys, st.binary(max_size=3))
def test_a_row_is_proved_as_it_is_and_no_other_way(held: dict[Key, bytes], key: Key, other: bytes) -> None:
    tree = tree_of(held)
    row = held.get(key)
    (found,) = proven(row_proof(tree, key, row)).rows
    assert (found.table, found.key, found.row) == (TABLE, key, row)
    for wrong in (None, other):
        if wrong != row:
            with pytest.raises(NotProvenError):
                proven(row_proof(tree, key, wrong))


def test_rows_that_share_a_bucket_are_told_apart() -> None:
    held: dict[Key, bytes] = {(number,): encode((number,)) for number in range(2_000)}
    tree = tree_of(held)
    shared = [key for key in held if len(tree.beside(TABLE, key)[0]) > 1]
    assert len(shared) > 20
    for key in shared:
        proof = row_proof(tree, key, held[key])
        assert proven(proof).rows[0].row == held[key]
        bucket, aunts = tree.beside(TABLE, key)
        path = row_path(TABLE, encode_key(key))
        without = RowProof(TABLE, encode_key(key), None, tuple(pair for pair in bucket if pair[0] != path), aunts)
        joined = RowProof(TABLE, encode_key(key), None, ((bucket[0][0], b"".join([bucket[0][1], *bucket[1]])),), aunts)
        for absent in (without, joined):
            with pytest.raises(NotProvenError):
                proven(replace(proof, rows=(absent,)))


def test_a_key_in_another_spelling_does_not_pass_for_absent() -> None:
    tree = tree_of({(1,): b"row"})
    for spelling in (b"\x91\xcc\x01", b"\x91\xcd\x00\x01", b"\xdc\x00\x01\x01", b"\x91\xc3", b"\x01"):
        # A true path, to the empty place in which a row of this spelling would lie.
        bucket, aunts = beside_path(tree, row_path(TABLE, spelling))
        proof = row_proof(tree, (1,), b"row")
        absent = RowProof(TABLE, spelling, None, bucket, aunts)
        with pytest.raises(NotProvenError, match="key"):
            proven(replace(proof, rows=(absent,)))


def beside_path(tree: StateTree, path: bytes) -> tuple[tuple[tuple[bytes, bytes], ...], tuple[tuple[bytes, ...], ...]]:
    """Bucket and aunts of a path, through a key that falls into the same bucket."""
    number = next(n for n in range(1 << 22) if bucket_no(row_path(TABLE, encode_key((n,)))) == bucket_no(path))
    return tree.beside(TABLE, (number,))


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=20), st.data())
def test_every_leaf_leads_to_the_root_and_no_other_does(leaves: list[bytes], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(leaves) - 1))
    path = merkle_path(leaves, place)
    assert root_of_leaf(leaves[place], path) == merkle_root(leaves)
    other = data.draw(st.binary(max_size=4))
    assert (root_of_leaf(other, path) == merkle_root(leaves)) is (other == leaves[place])


@pytest.fixture
def node(tmp_path: Path) -> Iterator[EmbeddedNode]:
    made = create(tmp_path)
    yield made
    made.close()


def holiday(day: int) -> SetSetting:
    return SetSetting("governance.holidays_day", "", day, (day,), "test")


def test_every_row_of_a_chain_is_proved_and_its_neighbours_are_absent(node: EmbeddedNode) -> None:
    founder(node, "exchange-operator").submit(holiday(20260701))
    rows = {
        (name, key): encode(row) for name, held in node.machine.store.rows.items() for key, row in held.data.items()
    }
    near = [(name, (*key[:-1], _next(key[-1]))) for name, key in rows if key]
    proof = prove_rows(node, lambda _machine: [*rows, *near])
    found = check(to_bytes(proof), [node.public_key])
    assert len(found.rows) > 100
    assert {(one.table, one.key): one.row for one in found.rows} == {place: rows.get(place) for place in [*near, *rows]}
    assert {one.version for one in found.rows} == {0, 1, None}
    assert all(one.version == 1 for one in found.rows if one.table == "governance.setting_rows" and 20260701 in one.key)
    assert sum(one.row is None for one in found.rows) > 50


def _next(column: int | str | bytes) -> int | str | bytes:
    if isinstance(column, int):
        return column + 1
    return column + (b"\x00" if isinstance(column, bytes) else "x")  # type: ignore[operator] # of its own kind


@pytest.mark.parametrize("clock", [STEPPED, WALL])
def test_the_last_state_is_proved_at_once_and_the_chain_stays_sound(tmp_path: Path, clock: str) -> None:
    node = create(tmp_path, clock)
    for _ in range(3):
        found = check(to_bytes(prove_rows(node, lambda _machine: [("kernel.clock", ())])), [node.public_key])
        assert found.clock.mode == clock
        assert found.height == node.height - 1
        assert found.rows[0].row == encode(found.clock)
    # On a stepped clock an empty block changes nothing, so one carries all that is asked until somebody speaks.
    # On a wall clock one is made whenever time has passed since the last.
    assert node.height == 1 if clock == STEPPED else 1 <= node.height <= 3
    founder(node, "exchange-operator").submit(holiday(20300101))
    place = ("governance.setting_rows", ("governance.holidays_day", "", 20300101))
    assert check(to_bytes(prove_rows(node, lambda _machine: [place])), [node.public_key]).rows[0].row is not None
    node.close()
    assert verify_folder(tmp_path, SECRETS).height == node.height


def test_places_that_no_table_has_are_refused_by_the_maker(node: EmbeddedNode) -> None:
    for table, key, words in (("no.table", (), "no table"), ("funds.accounts", (1, 2), "account_id")):
        with pytest.raises(NodeError, match=words):
            prove_rows(node, lambda _machine, place=(table, key): [place])  # type: ignore[misc] # mypy cannot infer the default


def test_a_message_is_proved_with_its_outcome_and_events(node: EmbeddedNode) -> None:
    exchange = founder(node, "exchange-operator")
    exchange.submit(holiday(20260701), message_id=ID)
    for wanted_height in (2, 2):  # at the tip an empty block is made, once
        found = check(to_bytes(prove_message(node, 1, ID)), [node.public_key])
        assert (found.height, node.height) == (1, wanted_height)
    said = found.message
    assert said is not None
    assert (said.envelope.sender_id, said.envelope.id) == (1, ID)
    assert decode(said.body or b"", list[SetSetting]) == [holiday(20260701)]
    assert [outcome.number for outcome in said.outcomes] == [0]
    assert b"SettingSet" in said.events


def test_results_that_are_alike_are_blinded_apart(node: EmbeddedNode) -> None:
    """The same refusal twice in a block and once in the next: whoever knows the one by its proof cannot tell the others from chance."""
    exchange = founder(node, "exchange-operator")
    ids = [derived_id(f"late {number}") for number in range(3)]
    late = [exchange.seal([AdvanceClock(node.market_ms)], message_id=message_id) for message_id in ids]
    node.submit(late[:2])
    node.submit(late[2:])
    found = [decode(prove_message(node, 1, message_id).result, Result) for message_id in ids]
    assert len({one.outcomes for one in found}) == 1
    for height, one in zip((1, 1, 2), found, strict=True):
        assert one.blind == result_blind(node.machine.state_key_at(height), height, one.envelope_digest)
    assert len({one.blind for one in found}) == 3


def test_a_refusal_and_each_of_a_block_are_proved(node: EmbeddedNode) -> None:
    exchange = founder(node, "exchange-operator")
    late = AdvanceClock(node.market_ms)
    many = [
        exchange.seal([message]) for message in (holiday(20260701), late, holiday(20260703), late, holiday(20260705))
    ]
    node.submit(many)
    assert node.height == 1
    for data, number in zip(many, (0, 2006, 0, 2006, 0), strict=True):
        found = check(to_bytes(prove_message(node, *answer_key(decode(data, Envelope)))), [node.public_key]).message
        assert found is not None
        assert encode(found.envelope) == data
        assert [outcome.number for outcome in found.outcomes] == [number]
        assert (found.events == encode([])) is bool(number)


def test_an_applicants_message_is_proved(node: EmbeddedNode) -> None:
    applicant = Client.applicant(LocalTransport(node), key_of("applicant"))
    data = applicant.seal([holiday(20260701)])
    assert not node.submit([data])[0][0].done
    found = check(to_bytes(prove_message(node, *answer_key(decode(data, Envelope)))), [node.public_key]).message
    assert found is not None
    assert found.envelope.sender_id == 0


def test_what_was_never_said_is_not_proved(node: EmbeddedNode) -> None:
    with pytest.raises(NodeError, match="no message"):
        prove_message(node, 1, derived_id("never"))


def test_the_hooks_events_are_proved_by_a_row(tmp_path: Path) -> None:
    """They belong to no envelope, so they stand in no result: the state keeps the digest of the last ones."""
    node = create(tmp_path)
    events = [event for place, event in decode_events(node.block(0).events, node.machine.event_type) if place == -1]
    assert events
    founder(node, "exchange-operator").submit(holiday(20260701))
    (row,) = check(to_bytes(prove_rows(node, lambda _machine: [("kernel.hook_events", ())])), [node.public_key]).rows
    assert row.row == encode(HookEvents(0, sha256(encode(events))))
    node.close()


def test_a_proof_of_an_old_message_shows_the_clock_as_it_stood(node: EmbeddedNode) -> None:
    exchange = founder(node, "exchange-operator")
    stood_ms = node.market_ms
    exchange.submit(holiday(20260701), message_id=ID)
    exchange.submit(AdvanceClock(stood_ms + 5_000))
    exchange.submit(holiday(20260703))
    assert check(to_bytes(prove_message(node, 1, ID)), [node.public_key]).clock == Clock(STEPPED, stood_ms)
    assert node.market_ms == stood_ms + 5_000


def test_a_row_written_again_has_another_blind_and_leaf_even_as_it_was(node: EmbeddedNode) -> None:
    """So the reader of an old proof neither guesses the present row nor sees that it came back to what it was."""
    exchange = founder(node, "exchange-operator")
    place = ("governance.setting_rows", ("governance.holidays_day", "", 20300101))
    shown_rows = []
    for days in ((20300101,), (20300102,), (20300101,)):
        exchange.submit(SetSetting("governance.holidays_day", "", 20300101, days, "test"))
        (row,) = prove_rows(node, lambda _machine: [place]).rows
        assert row.row is not None
        shown_rows.append(row.row)
    first, second, third = shown_rows
    assert first.row == third.row
    assert first.row != second.row
    assert len({one.blind for one in shown_rows}) == len({one.version for one in shown_rows}) == 3
