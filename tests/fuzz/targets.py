"""What is fuzzed: each target takes any bytes and must end in its declared refusal or in a value that keeps its promise."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import replace

from shudian.kernel.codec import Malformed, decode, encode
from shudian.kernel.comet import EMPTY_HASH, BlockId, Header, SignedHeader, Vote, data_hash, validators_hash
from shudian.kernel.crypto import SigningKey, sha256
from shudian.kernel.envelope import Envelope, EpochKey, Signature, message_key, open_body, seal
from shudian.kernel.epochs import NodeSecrets
from shudian.kernel.machine import STEPPED, Clock, Machine
from shudian.kernel.merkle import app_hash, merkle_root
from shudian.kernel.outcomes import Outcome, Refused
from shudian.kernel.roots import StateTree
from shudian.kernel.tables import encode_key
from shudian.market import MARKET
from shudian.proofs import check as verifier
from shudian.proofs.files import (
    FORMAT_VERSION,
    MessageProof,
    Proof,
    Result,
    RowProof,
    ShownRow,
    StateProof,
    result_leaf,
)
from shudian.proofs.words import facts, sentence
from tests.fuzz.samples import sample

CHAIN_ID = "fuzz"
ID = bytes(range(16))
SEAL, SIGN, AS_IT_IS = b"\x00", b"\x01", b"\x02"
KEY = SigningKey(sha256(b"fuzz"))
SECRETS = NodeSecrets(KEY, CHAIN_ID)
EPOCH = EpochKey(1, SECRETS.of(1).public_key)
MACHINE = Machine(MARKET, CHAIN_ID, lambda _digest: None, SECRETS)
MESSAGES = list(MARKET.handlers)
KINDS: list[Any] = [
    *MESSAGES,
    *(kind for contract in MARKET.contracts for kind in (*contract.events, *contract.replies)),
    *(rows.table.record for rows in MACHINE.store.rows.values()),
]
PROOF_KIND: Any = Proof


@dataclass(frozen=True)
class Target:
    """``run`` takes the fuzzer's bytes; ``seeds`` are where it begins."""

    run: Callable[[bytes], None]
    seeds: Iterable[bytes]


def _decoder(data: bytes) -> None:
    """Two bytes choose a type of message, event, reply or row; the rest is decoded as one and as what the log holds of them."""
    kind = KINDS[int.from_bytes(data[:2], "big") % len(KINDS)]
    try:
        value = decode(data[2:], kind)
    except Malformed:
        return
    assert type(value) is kind
    assert encode(value) == data[2:]
    if kind in MARKET.handlers:
        _check(value)


def _check(message: Any) -> None:
    with suppress(Refused):
        message.check()


def _opener(data: bytes) -> None:
    """The first byte says what the rest is: a body, to be well sealed and signed; an envelope, to be well signed; or an envelope as it is."""
    kind, rest = data[:1] or b"\x00", data[1:]
    if kind == SEAL:
        _open(_sealed(rest))
    elif kind == SIGN:
        try:
            envelope = decode(rest, Envelope)
        except Malformed:
            return
        signature = Signature(KEY.public_key, KEY.sign(envelope.signed_bytes()))
        _open(encode(replace(envelope, signatures=(signature,))))
    else:
        _open(rest)


def _sealed(body: bytes) -> bytes:
    return seal(CHAIN_ID, 1, ID, 5, body, [KEY], EPOCH, atomic=False)


def _open(envelope: bytes) -> None:
    try:
        opened = MACHINE.door.open(envelope)
    except Refused:
        return
    door, form = MACHINE.door, decode(envelope, Envelope)
    assert encode(opened.messages) == open_body(form, door.message_key(form))


def _verifier(data: bytes) -> None:
    """An odd first byte: the rest is a proof file; an even one: so it is, once a trusted key has signed it, so that what lies behind is reached."""
    file = data[1:]
    if data[:1] and not data[0] & 1:
        try:
            proof: Proof = decode(file, PROOF_KIND)
        except Malformed:
            return
        file = encode(_vouched(proof))
    try:
        proven = verifier.check(file, [KEY.public_key])
    except verifier.NotProvenError:
        return
    assert sentence(proven, "zh")
    assert sentence(proven, "en")
    assert msgspec.json.encode(facts(proven))


def _vouched(proof: Proof) -> Proof:
    """The proof with headers that lead to what it shows, signed."""
    header = replace(
        proof.carrier.header, app_version=FORMAT_VERSION, validators_hash=validators_hash({KEY.public_key: 1})
    )
    if isinstance(proof, StateProof):
        header = replace(header, app_hash=app_hash(proof.sub_roots, encode(proof.clock)))
        return replace(proof, carrier=_signed(header))
    before = replace(proof.header, data_hash=data_hash([sha256(proof.envelope)]))
    header = replace(
        header,
        app_hash=app_hash((), encode(proof.clock)),
        last_block_id=replace(header.last_block_id, hash=before.hash()),
        last_results_hash=merkle_root([result_leaf(proof.result)]),
    )
    return replace(proof, carrier=_signed(header), header=before, clock_path=(), envelope_path=(), result_path=())


def _signed(header: Header) -> SignedHeader:
    unsigned = SignedHeader(header, 0, 1, b"", (Vote(KEY.public_key, 0, b""),))
    return replace(unsigned, votes=(Vote(KEY.public_key, 0, KEY.sign(unsigned.signed_bytes()[0])),))


def _decoder_seeds() -> Iterable[bytes]:
    for place, kind in enumerate(KINDS):
        yield place.to_bytes(2, "big") + encode(sample(kind))


def _opener_seeds() -> Iterable[bytes]:
    for kind in MESSAGES:
        yield SEAL + encode([sample(kind)])
    for way in (SIGN, AS_IT_IS):
        yield way + _sealed(encode([sample(MESSAGES[0])]))


def _verifier_seeds() -> Iterable[bytes]:
    header = Header(
        *(11, FORMAT_VERSION, CHAIN_ID, 7, 0, BlockId(), EMPTY_HASH, EMPTY_HASH, EMPTY_HASH, EMPTY_HASH),
        *(EMPTY_HASH, EMPTY_HASH, EMPTY_HASH, EMPTY_HASH, bytes(20)),
    )
    carrier, clock, tree = _signed(replace(header, height=8)), Clock(STEPPED, 5), StateTree()
    tree.update([("t.items", encode_key((1,)), b"row", 3)], lambda _height: bytes(32))
    for row in (ShownRow(bytes(32), 3, b"row"), None):
        rows = (RowProof("t.items", encode_key((1 if row else 2,)), row, *tree.beside("t.items", (1 if row else 2,))),)
        yield from _twice(StateProof(carrier, clock, (("t", tree.root),), rows))
    envelope = _sealed(encode([sample(MESSAGES[0])]))
    result = encode(Result(bytes(32), sha256(envelope), (Outcome(0),), encode([])))
    for key in (_key_of(envelope), b""):
        yield from _twice(MessageProof(carrier, clock, (), header, envelope, key, (), result, ()))


def _key_of(envelope: bytes) -> bytes:
    return message_key(decode(envelope, Envelope), KEY.sealing, EPOCH.public_key) or b""


def _twice(proof: Proof) -> Iterable[bytes]:
    yield b"\x00" + encode(proof)
    yield b"\x01" + encode(_vouched(proof))


class _NoForm:
    """A planted fault: the form of a table's name is not tested any more, so one without a dot is an IndexError deep in the verifier."""

    @staticmethod
    def fullmatch(table: str) -> list[str]:
        return ["", table.split(".")[-2]]


def _canary(data: bytes) -> None:
    sound, verifier._TABLE_NAME = verifier._TABLE_NAME, _NoForm()  # type: ignore[assignment] # the fault
    try:
        _verifier(data)
    finally:
        verifier._TABLE_NAME = sound


TARGETS = {
    "decoder": Target(_decoder, _decoder_seeds()),
    "opener": Target(_opener, _opener_seeds()),
    "verifier": Target(_verifier, _verifier_seeds()),
    "canary": Target(_canary, _verifier_seeds()),
}
