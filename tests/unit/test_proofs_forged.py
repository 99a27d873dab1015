"""The verifier against forgers: every field and byte of real proofs changed, parts of several proofs mixed, and bytes of chance."""

import itertools
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from shudian.contracts.governance.messages import SetSetting
from shudian.kernel.blinding import height_bytes
from shudian.kernel.codec import decode, encode
from shudian.kernel.comet import BlockId, Header, SignedHeader, Vote, data_hash, validators_hash, vote_bytes
from shudian.kernel.crypto import SigningKey, sha256
from shudian.kernel.envelope import Envelope, Signature, seal
from shudian.kernel.machine import STEPPED, WALL, Clock
from shudian.kernel.merkle import NOTHING, app_hash, bucket_no, root_of_leaf, row_leaf, row_path, sub_root_of_bucket
from shudian.kernel.tables import encode_key
from shudian.node.embedded import EmbeddedNode
from shudian.node.prove import prove_message, prove_rows
from shudian.proofs.check import NotProvenError, Proven, check
from shudian.proofs.files import (
    FORMAT_VERSION,
    MessageProof,
    Proof,
    Result,
    RowProof,
    ShownRow,
    StateProof,
    result_leaf,
    to_bytes,
)
from shudian.proofs.words import facts, sentence
from tests.support.chain import create, founder, key_of
from tests.support.ledger import EPOCH
from tests.unit.test_proofs import CLOCK, SIGNER, TABLE, row_proof, signed, state_header, tree_of

NODE_KEY = key_of("node").public_key
FIRST, SECOND, THIRD = b"first message id", b"second messageid", b"third message id"
PRESENT = ("governance.setting_rows", ("governance.holidays_day", "", 20300101))
ABSENT = ("governance.setting_rows", ("governance.holidays_day", "", 20300102))


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedNode]:
    """A chain with a block of three messages, all alike but for their day, the last one refused."""
    made = create(tmp_path_factory.mktemp("forged"))
    exchange = founder(made, "exchange-operator")
    days = ((FIRST, 20300101), (SECOND, 20300201), (THIRD, 20200301))
    made.submit([exchange.seal([_holiday(day)], message_id=message_id) for message_id, day in days])
    yield made
    made.close()


def _holiday(day: int) -> SetSetting:
    return SetSetting("governance.holidays_day", "", day, (day,), "test")


@pytest.fixture(scope="module")
def present(node: EmbeddedNode) -> StateProof:
    return prove_rows(node, lambda _machine: [PRESENT])


@pytest.fixture(scope="module")
def message(node: EmbeddedNode) -> MessageProof:
    return prove_message(node, 1, SECOND)


def is_refused(data: bytes, *trusted: bytes | dict[bytes, int]) -> bool:
    """Whether the bytes prove nothing; whatever else than a refusal comes out of the verifier fails the test."""
    powers: dict[bytes, int] = {}
    for one in trusted or (NODE_KEY,):
        powers |= one if isinstance(one, dict) else {one: 1}
    try:
        proven = check(data, powers)
    except NotProvenError as error:
        return bool(error.zh) and bool(error.en)
    assert_tellable(proven)
    return False


def assert_tellable(proven: Proven) -> None:
    assert sentence(proven, "zh")
    assert sentence(proven, "en")
    assert msgspec.json.encode(facts(proven))


def forgeries(value: Any) -> Iterator[Any]:
    """The value changed in one place: each number, text, bytes, truth, list and record in it, in several ways."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1, 0 if value else 2**63)
    elif isinstance(value, str):
        yield from (value + "x", value[:-1] if value else "y", value.upper() if value.upper() != value else "z")
    elif isinstance(value, bytes):
        yield from (value + b"\x00", bytes(32) if not value else value[:-1])
        yield from (value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :] for at in {0, len(value) // 2} if value)
    elif value is None:
        yield b""
    elif isinstance(value, tuple):
        yield (*value, *value[-1:]) if value else (b"",)
        for at, part in enumerate(value):
            yield value[:at] + value[at + 1 :]
            if at and part != value[at - 1]:
                yield (*value[: at - 1], part, value[at - 1], *value[at + 1 :])
            yield from ((*value[:at], other, *value[at + 1 :]) for other in forgeries(part))
    else:
        for name in value.__struct_fields__:
            yield from (replace(value, **{name: other}) for other in forgeries(getattr(value, name)))


def test_the_real_proofs_pass(present: StateProof, message: MessageProof) -> None:
    for proof in (present, message):
        assert not is_refused(to_bytes(proof))


@pytest.mark.parametrize("kind", ["present", "message"])
def test_every_forged_field_is_refused(kind: str, request: pytest.FixtureRequest) -> None:
    proof: Proof = request.getfixturevalue(kind)
    passed, count = [], 0
    for forged in forgeries(proof):
        count += 1
        # A row given twice says no more than once; everything else must be noticed.
        is_repeat = (
            isinstance(forged, StateProof)
            and isinstance(proof, StateProof)
            and set(map(encode, forged.rows)) == {encode(proof.rows[0])}
            and replace(forged, rows=proof.rows) == proof
        )
        if not is_repeat:
            passed += [] if is_refused(to_bytes(forged)) else [forged]
    assert count > 80
    assert passed == []


def test_a_forged_proof_of_absence_is_refused_or_true(node: EmbeddedNode) -> None:
    proof = prove_rows(node, lambda _machine: [ABSENT])
    stored = node.machine.store.rows[ABSENT[0]].data
    for forged in forgeries(proof):
        if not is_refused(to_bytes(forged)):
            proven = check(to_bytes(forged), [NODE_KEY])
            assert proven.carrier == proof.carrier.header
            assert all(row.row is None and row.key not in stored for row in proven.rows)
    assert is_refused(to_bytes(replace(proof, rows=(replace(proof.rows[0], row=ShownRow(bytes(32), 0, b"")),))))
    there = replace(proof.rows[0], key=encode_key(PRESENT[1]))
    assert is_refused(to_bytes(replace(proof, rows=(there,))))


@pytest.mark.parametrize("kind", ["present", "message"])
def test_every_changed_byte_and_every_cut_is_refused(kind: str, request: pytest.FixtureRequest) -> None:
    data = to_bytes(request.getfixturevalue(kind))
    passed = [
        (at, mask)
        for at, mask in itertools.product(range(len(data)), (0x01, 0x80, 0xFF))
        if not is_refused(data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :])
    ]
    assert passed == []
    assert all(is_refused(data[:size]) for size in range(len(data)))
    assert is_refused(data + b"\x00")


def test_parts_of_true_proofs_do_not_mix(node: EmbeddedNode, message: MessageProof) -> None:
    others = [prove_message(node, 1, message_id) for message_id in (FIRST, THIRD)]
    for other in others:
        assert not is_refused(to_bytes(other))
        assert is_refused(to_bytes(replace(message, result=other.result, result_path=other.result_path)))
        assert is_refused(to_bytes(replace(message, envelope=other.envelope, envelope_path=other.envelope_path)))
    earlier = prove_message(node, 1, FIRST)
    founder(node, "exchange-operator").submit(_holiday(20310101), message_id=b"another block id")
    later = prove_message(node, 1, b"another block id")
    for mixed in (
        replace(earlier, carrier=later.carrier),
        replace(earlier, header=later.header),
        replace(earlier, header=later.header, carrier=later.carrier),
        replace(earlier, carrier=replace(earlier.carrier, header=earlier.header)),
        replace(earlier, clock=later.clock, clock_path=later.clock_path),
    ):
        assert is_refused(to_bytes(mixed))


def test_an_inner_node_does_not_pass_for_a_leaf(message: MessageProof) -> None:
    step, *rest = message.envelope_path
    leaf = root_of_leaf(sha256(message.envelope), ())
    pair = step.digest + leaf if step.left else leaf + step.digest
    assert root_of_leaf(sha256(message.envelope), message.envelope_path) == message.header.data_hash
    assert root_of_leaf(pair, rest) != message.header.data_hash


def carrying(header: Header, after: Header, envelope: bytes, result: bytes) -> tuple[Header, Header]:
    """Two headers of a chain that the signer validates alone: of a block with this one envelope, and after it."""
    header = replace(header, data_hash=data_hash([sha256(envelope)]))
    return header, replace(
        after,
        last_block_id=replace(after.last_block_id, hash=header.hash()),
        last_results_hash=root_of_leaf(result_leaf(result), ()),
        validators_hash=validators_hash({SIGNER.public_key: 1}),
    )


def test_an_envelope_that_no_node_would_take_in_is_refused(message: MessageProof) -> None:
    """Even if a trusted signer put it into a block: a stranger's signature, another chain's message, no envelope at all."""
    envelope = decode(message.envelope, Envelope)
    stranger = Signature(SIGNER.public_key, envelope.signatures[0].value)
    elsewhere = seal("elsewhere", 1, SECOND, 0, envelope.body, [SIGNER], EPOCH, atomic=False)
    for data, is_sound in (
        (message.envelope, True),
        (encode(replace(envelope, signatures=(stranger,))), False),
        (elsewhere, False),
        (b"no envelope", False),
    ):
        result = encode(Result(bytes(32), sha256(data), (), encode([])))
        header, carrier = carrying(message.header, message.carrier.header, data, result)
        forged = MessageProof(
            signed(carrier, SIGNER), message.clock, message.clock_path, header, data, b"", (), result, ()
        )
        assert is_refused(to_bytes(forged), SIGNER.public_key) is not is_sound
        skipped = replace(forged, carrier=signed(replace(carrier, height=carrier.height + 1), SIGNER))
        assert is_refused(to_bytes(skipped), SIGNER.public_key)


def nibbles(number: int) -> tuple[int, int]:
    """The highest and the lowest nibble of the bucket of the row with this number."""
    bucket = bucket_no(row_path(TABLE, encode_key((number,))))
    return bucket >> 12, bucket & 15


def test_aunts_of_another_form_do_not_make_a_row_absent() -> None:
    """The true children of the root, cut so that the hash of nothing falls on an empty place instead of the row's."""
    tree = tree_of({(number,): b"row" for number in range(400) if nibbles(number)[0] <= 2})
    target = next(number for number in range(400) if nibbles(number)[0] == 2 and nibbles(number)[1] > 2)
    key, lowest = (target,), nibbles(target)[1]
    proof = row_proof(tree, key, b"row")
    node = bytes(tree._nodes[0][0])[1:]
    a, b, c, *none = (node[first : first + 32] for first in range(0, len(node), 32))
    assert none == [NOTHING] * 13
    nothing = ((b"",) * 15,) * 3
    one_level = ((a, b, c, *[b""] * 12),)
    joined = (*nothing, (a + b, c, *[b""] * 12))
    joined_and_split = (*nothing, (a + b, c, *[b""] * 11, bytes(1), bytes(31)))
    assert lowest > 2
    for aunts in (one_level, joined, joined_and_split):
        assert sub_root_of_bucket(bucket_no(row_path(TABLE, encode_key(key))), (), aunts) == tree.root
        row = RowProof(TABLE, encode_key(key), None, (), aunts)
        assert is_refused(to_bytes(replace(proof, rows=(row,))), SIGNER.public_key)


@pytest.mark.parametrize("shift", [-1, 1, 8])
def test_the_border_between_blind_version_and_row_does_not_move(shift: int) -> None:
    """The same bytes under the leaf, cut elsewhere, would show another version and another row."""
    row = b"a row of some length"
    proof = row_proof(tree_of({(1,): row}), (1,), row)
    true = proof.rows[0].row
    assert true is not None
    joined = true.blind + height_bytes(true.version) + true.row
    cut = 32 + shift
    moved = ShownRow(joined[:cut], int.from_bytes(joined[cut : cut + 8], "big"), joined[cut + 8 :])
    assert row_leaf(moved.blind, moved.version, moved.row) == row_leaf(true.blind, true.version, true.row)
    assert is_refused(to_bytes(replace(proof, rows=(replace(proof.rows[0], row=moved),))), SIGNER.public_key)


@pytest.mark.parametrize("aunts", [((b"",) * 14,) * 4, ((b"",) * 16,) * 4, ((b"",) * 15,) * 5, ((NOTHING,) * 15,) * 4])
def test_nothing_has_one_spelling(aunts: Any) -> None:
    proof = row_proof(tree_of({}), (1,), None)
    assert not is_refused(to_bytes(proof), SIGNER.public_key)
    row = replace(proof.rows[0], aunts=aunts)
    assert is_refused(to_bytes(replace(proof, rows=(row,))), SIGNER.public_key)


KEYS = [key_of(f"validator {number}") for number in range(4)]
ROW_PROOF = row_proof(tree_of({(1,): b"row"}), (1,), b"row")
ROOT = ROW_PROOF.carrier.header.app_hash


@pytest.mark.parametrize(
    ("trusted_count", "signers", "passes"),
    [
        (1, (0,), True),
        (1, (), False),
        (1, (1,), False),
        (1, (0, 1), False),  # a stranger's signature beside a trusted one is not ours to judge
        (2, (0,), False),
        (2, (0, 1), True),
        (3, (0, 1), False),  # two thirds are not more than two thirds
        (3, (0, 1, 2), True),
        (4, (0, 1, 2), True),
        (4, (0, 1), False),
        (0, (), False),
    ],
)
def test_more_than_two_thirds_of_the_trusted_keys_sign(
    trusted_count: int, signers: tuple[int, ...], passes: bool
) -> None:
    proof = row_proof(tree_of({(1,): b"row"}), (1,), b"row")
    trusted = [key.public_key for key in KEYS[:trusted_count]]
    header = replace(proof.carrier.header, validators_hash=validators_hash(dict.fromkeys(trusted, 1)))
    proof = replace(proof, carrier=signed(header, *(KEYS[place] for place in signers)))
    try:
        check(to_bytes(proof), trusted)
    except NotProvenError:
        assert not passes
    else:
        assert passes


def test_powers_count_not_heads() -> None:
    """One of four keys holds more than two thirds of the power; a header by it alone is good, one by the three others is not."""
    powers = {KEYS[0].public_key: 7, **{key.public_key: 1 for key in KEYS[1:]}}
    header = replace(state_header(ROOT), validators_hash=validators_hash(powers))
    for signers, passes in ((KEYS[:1], True), (KEYS[1:], False), (KEYS, True)):
        proof = replace(ROW_PROOF, carrier=signed(header, *signers))
        assert is_refused(to_bytes(proof), powers) is not passes
    by_mighty = to_bytes(replace(ROW_PROOF, carrier=signed(header, KEYS[0])))
    assert is_refused(by_mighty, powers | {KEYS[0].public_key: 6})
    assert is_refused(by_mighty, powers | {KEYS[0].public_key: 700})
    assert is_refused(by_mighty, *(key.public_key for key in KEYS))


@pytest.mark.parametrize("others", [[], KEYS[:3], KEYS, [*KEYS[:3], key_of("validator 9")]])
def test_the_trusted_keys_are_just_the_validators_of_the_header(others: list[SigningKey]) -> None:
    """Even where enough of those that are trusted have signed."""
    validators = [*KEYS[:3], SIGNER]
    header = state_header(ROOT, others)
    proof = to_bytes(replace(ROW_PROOF, carrier=signed(header, *validators)))
    assert is_refused(proof, *(key.public_key for key in validators))
    header = state_header(ROOT, validators)
    proof = to_bytes(replace(ROW_PROOF, carrier=signed(header, *validators)))
    assert not is_refused(proof, *(key.public_key for key in validators))


def test_one_key_counts_once() -> None:
    (mark,) = signed(ROW_PROOF.carrier.header, KEYS[0]).votes
    for marks in ((mark, mark), (mark, mark, mark)):
        twice = to_bytes(replace(ROW_PROOF, carrier=replace(ROW_PROOF.carrier, votes=marks)))
        assert is_refused(twice, KEYS[0].public_key, KEYS[1].public_key)
        assert is_refused(twice, KEYS[0].public_key)
    pair = signed(state_header(ROOT, KEYS[:2]), KEYS[0], KEYS[1])
    assert not is_refused(to_bytes(replace(ROW_PROOF, carrier=pair)), *(key.public_key for key in KEYS[:2]))
    crooked = replace(pair, votes=pair.votes[::-1])
    assert is_refused(to_bytes(replace(ROW_PROOF, carrier=crooked)), *(key.public_key for key in KEYS[:2]))


HEADER = ROW_PROOF.carrier.header
BLOCK_ID = BlockId(HEADER.hash(), 1, b"parts")
TRUE_VOTE: dict[str, Any] = {
    "chain_id": "test",
    "height": 7,
    "round_no": 2,
    "block_id": BLOCK_ID,
    "time_ns": 3,
    "kind": 2,
}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"chain_id": "another"},
        {"chain_id": ""},
        {"height": 6},
        {"height": 0},
        {"round_no": 1},
        {"round_no": 0},
        {"time_ns": 4},
        {"kind": 1},  # a prevote
        {"block_id": BlockId()},  # a vote for no block
        {"block_id": replace(BLOCK_ID, hash=state_header(b"").hash())},
        {"block_id": replace(BLOCK_ID, parts_total=2)},
        {"block_id": replace(BLOCK_ID, parts_hash=b"other parts")},
    ],
)
def test_a_vote_for_anything_else_does_not_count(change: dict[str, Any]) -> None:
    signature = SIGNER.sign(vote_bytes(**TRUE_VOTE | change))
    carrier = SignedHeader(HEADER, 2, 1, b"parts", (Vote(SIGNER.public_key, 3, signature),))
    assert is_refused(to_bytes(replace(ROW_PROOF, carrier=carrier)), SIGNER.public_key) is bool(change)


def test_a_signature_of_something_else_does_not_count() -> None:
    for content in (b"", encode(HEADER), HEADER.hash(), vote_bytes(**TRUE_VOTE)[1:]):
        mark = Vote(SIGNER.public_key, 3, SIGNER.sign(content))
        forged = replace(ROW_PROOF, carrier=SignedHeader(HEADER, 2, 1, b"parts", (mark,)))
        assert is_refused(to_bytes(forged), SIGNER.public_key)


@pytest.mark.parametrize("clock", [Clock(WALL, 5), Clock(STEPPED, 6), Clock("sundial", 5), Clock("", 0)])
def test_another_clock_is_refused(clock: Clock, message: MessageProof) -> None:
    assert is_refused(to_bytes(replace(ROW_PROOF, clock=clock)), SIGNER.public_key)
    assert is_refused(to_bytes(replace(message, clock=replace(clock, market_ms=message.clock.market_ms + 1))))
    if clock.mode != STEPPED:
        assert is_refused(to_bytes(replace(message, clock=replace(message.clock, mode=clock.mode))))


def test_a_clock_of_no_known_kind_is_refused_even_under_a_true_signature() -> None:
    clock = Clock("sundial", 5)
    carrier = signed(state_header(app_hash(ROW_PROOF.sub_roots, encode(clock))), SIGNER)
    assert is_refused(to_bytes(replace(ROW_PROOF, carrier=carrier, clock=clock)), SIGNER.public_key)


@pytest.mark.parametrize("version", [0, FORMAT_VERSION - 1, FORMAT_VERSION + 1])
def test_another_format_is_named(version: int) -> None:
    header = replace(HEADER, app_version=version)
    with pytest.raises(NotProvenError, match=f"format {version}"):
        check(to_bytes(replace(ROW_PROOF, carrier=signed(header, SIGNER))), [SIGNER.public_key])


@pytest.mark.parametrize(
    "table", ["t", "", "u.items", ".items", "t.", "t.items\n", "T.items", "t.items\x1b[2J", "t.i.j"]
)
def test_a_table_of_no_contract_has_no_absent_rows(table: str) -> None:
    proof = row_proof(tree_of({}), (1,), None)
    row = replace(proof.rows[0], table=table)
    assert is_refused(to_bytes(replace(proof, rows=(row,))), SIGNER.public_key)


def test_a_proof_of_nothing_is_refused() -> None:
    proof = row_proof(tree_of({(1,): b"row"}), (1,), b"row")
    assert is_refused(to_bytes(replace(proof, rows=())), SIGNER.public_key)


@given(st.binary(max_size=400))
@example(b"")
@example(b"\xdd\xff\xff\xff\xff")
@example(b"\x91\xaaStateProof")
@example(b"\x94" * 300)
def test_bytes_of_chance_are_refused(data: bytes) -> None:
    assert is_refused(data)


digests = st.one_of(st.binary(max_size=40), st.binary(min_size=32, max_size=32), st.just(bytes(32)))
aunts = st.lists(
    st.lists(st.one_of(st.just(b""), digests), min_size=14, max_size=16).map(tuple), min_size=3, max_size=5
).map(tuple)
row_proofs = st.builds(
    RowProof,
    table=st.one_of(st.sampled_from([TABLE, "t.other", "u.items"]), st.text(max_size=8)),
    key=st.one_of(st.binary(max_size=8), st.lists(st.integers(0, 3), max_size=2).map(encode)),
    row=st.one_of(st.none(), st.builds(ShownRow, digests, st.integers(-2, 2**64 - 1), st.binary(max_size=8))),
    bucket=st.lists(st.tuples(digests, digests), max_size=3).map(tuple),
    aunts=aunts,
)


@given(
    # Without the root of no rows: under it all are truly absent.
    st.lists(
        st.tuples(st.sampled_from(["t", "u", ""]), digests.filter(lambda digest: digest != NOTHING)), max_size=3
    ).map(tuple),
    st.lists(row_proofs, min_size=1, max_size=3).map(tuple),
)
def test_well_formed_chance_under_a_true_signature_is_refused(
    sub_roots: tuple[tuple[str, bytes], ...], rows: tuple[RowProof, ...]
) -> None:
    """Past the signature and the app hash, so that what lies behind them is reached."""
    carrier = signed(state_header(app_hash(sub_roots, encode(CLOCK))), SIGNER)
    assert is_refused(to_bytes(StateProof(carrier, CLOCK, sub_roots, rows)), SIGNER.public_key)


@given(st.binary(max_size=60), st.binary(max_size=60), st.text(max_size=5), st.integers(0, 2**63 - 2))
def test_signed_chance_is_no_message(envelope: bytes, result: bytes, chain_id: str, height: int) -> None:
    blank = replace(state_header(app_hash((), encode(CLOCK))), chain_id=chain_id, height=height)
    ours, after = carrying(blank, replace(blank, height=height + 1), envelope, result)
    proof = MessageProof(signed(after, SIGNER), CLOCK, (), ours, envelope, b"", (), result, ())
    assert is_refused(to_bytes(proof), SIGNER.public_key)


@given(st.integers(-(2**63), 2**64 - 1), st.integers(-(2**63), 2**64 - 1), st.binary(max_size=20), st.text(max_size=10))
def test_whatever_a_trusted_signer_signs_can_be_told(height: int, market_ms: int, row: bytes, chain_id: str) -> None:
    proof, clock = row_proof(tree_of({(1,): row}), (1,), row), Clock(WALL, market_ms)
    root = app_hash(proof.sub_roots, encode(clock))
    header = replace(state_header(root), height=height, time_ns=market_ms, chain_id=chain_id)
    told = replace(proof, carrier=signed(header, SIGNER), clock=clock)
    assert not is_refused(to_bytes(told), SIGNER.public_key)


def test_the_trusted_key_is_asked_for(present: StateProof) -> None:
    assert is_refused(to_bytes(present), SigningKey(bytes(32)).public_key)
