"""Sealing: who opens what, with which key, and for how long; epochs in the state."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shudian.contracts.governance import rules as governance
from shudian.contracts.governance.messages import AdvanceClock
from shudian.contracts.governance.messages_epochs import HandOutEpoch, RotateEpoch
from shudian.kernel import crypto
from shudian.kernel.check import CheckFailed
from shudian.kernel.codec import decode, encode
from shudian.kernel.crypto import AgreementKey, SigningKey, derive, encrypt, is_sound_agreement_key, keyed_digest
from shudian.kernel.envelope import (
    SEALED_EXTRA_BYTES,
    Envelope,
    EpochKey,
    message_key,
    open_body,
    open_envelope,
    seal,
)
from shudian.kernel.epochs import (
    EPOCHS,
    NO_SECRETS,
    BegunSecrets,
    EpochSecret,
    HeldSecrets,
    NodeSecrets,
    SecretMissing,
    epoch_in_force,
)
from shudian.kernel.ids import derived_id
from shudian.kernel.outcomes import Refused
from tests.support.forms import REPLACES
from tests.support.ledger import CHAIN_ID, EPOCH, SECRETS, START_MS, Ledger, key_of

ALICE, BOB = key_of("alice"), key_of("bob")
EXCHANGE = 1


def sealed(text: bytes = b"text", *, key: SigningKey = ALICE, epoch: EpochKey = EPOCH, name: str = "x") -> Envelope:
    return decode(seal(CHAIN_ID, 7, derived_id(name), START_MS, text, [key], epoch, atomic=False), Envelope)


def key_for(envelope: Envelope) -> bytes:
    """The message's key, by the epoch's secret."""
    found = message_key(envelope, SECRETS.of(envelope.epoch_no).agreement, envelope.sealer_key)
    assert found is not None
    return found


def is_closed(envelope: Envelope, key: bytes) -> bool:
    with pytest.raises(Refused) as caught:
        open_body(envelope, key)
    return caught.value.refusal.number == 1014


@given(st.binary(max_size=300))
def test_the_epoch_and_the_sealer_open_it_with_the_same_key(text: bytes) -> None:
    envelope = sealed(text)
    assert open_body(envelope, key_for(envelope)) == text
    assert message_key(envelope, ALICE.sealing, EPOCH.public_key) == key_for(envelope)
    assert message_key(envelope, BOB.sealing, EPOCH.public_key) != key_for(envelope)
    assert len(envelope.body) == len(text) + SEALED_EXTRA_BYTES
    assert not text or len(text) < 4 or text not in encode(envelope)


def test_a_key_opens_its_own_message_alone() -> None:
    later = EpochKey(2, SECRETS.of(2).public_key)
    envelopes = [sealed(), sealed(name="y"), sealed(key=BOB), sealed(epoch=later)]
    for envelope in envelopes:
        others = [other for other in envelopes if other is not envelope]
        assert open_body(envelope, key_for(envelope)) == b"text"
        assert all(is_closed(other, key_for(envelope)) for other in others)


def test_whatever_is_changed_does_not_open() -> None:
    envelope = sealed()
    key = key_for(envelope)
    for place in range(len(envelope.body)):
        changed = bytearray(envelope.body)
        changed[place] ^= 1
        assert is_closed(replace(envelope, body=bytes(changed)), key)
    for short in (b"", envelope.body[:-1], envelope.body[: SEALED_EXTRA_BYTES - 1]):
        assert is_closed(replace(envelope, body=short), key)
    for changes in ({"expires_ms": 1}, {"atomic": True}, {"sender_id": 8}, {"chain_id": "other"}, {"epoch_no": 2}):
        assert is_closed(replace(envelope, **changes), key)
    assert is_closed(envelope, b"short")


def test_a_body_is_bound_to_one_key_even_if_its_tag_fits() -> None:
    """AES-GCM alone does not commit to a key; the commitment does: a tag that fits is not enough."""
    envelope = sealed()
    other = derive(bytes(32), b"other")
    commitment = envelope.body[:32]
    forged = replace(envelope, body=commitment + encrypt(other, commitment[:12], b"another", envelope.header_bytes()))
    assert is_closed(forged, other)


def test_two_texts_under_one_id_share_no_nonce() -> None:
    one, same, two = sealed(b"one"), sealed(b"one"), sealed(b"two")
    assert one.body == same.body
    assert one.body[:12] != two.body[:12]


@pytest.mark.parametrize("public_key", [b"", bytes(31), bytes(33), bytes(32), (1).to_bytes(32, "little")])
def test_unsound_keys_agree_with_nobody(public_key: bytes) -> None:
    assert not is_sound_agreement_key(public_key)
    assert ALICE.sealing.agree(public_key, b"") is None
    with pytest.raises(CheckFailed):
        sealed(epoch=EpochKey(1, public_key))


def test_an_unsound_sealer_is_refused_at_the_door() -> None:
    book = Ledger([governance.CONTRACT])
    envelope = replace(sealed(), sealer_key=(1).to_bytes(32, "little"))
    assert book.apply(resigned(envelope))[0][0].number == 1014
    assert book.apply(resigned(replace(envelope, sealer_key=b"short")))[0][0].number == 1011
    assert book.apply(resigned(replace(envelope, epoch_no=0)))[0][0].number == 1011


def resigned(envelope: Envelope) -> bytes:
    signatures = tuple(
        replace(one, public_key=ALICE.public_key, value=ALICE.sign(envelope.signed_bytes()))
        for one in envelope.signatures
    )
    return encode(replace(envelope, signatures=signatures))


def test_agreement_is_that_of_rfc_7748() -> None:
    """Section 6.1: the two private keys, the two public keys, and one secret for both."""
    alice = AgreementKey(bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"))
    bob = AgreementKey(bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"))
    assert alice.public_key.hex() == "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
    assert bob.public_key.hex() == "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
    shared = bytes.fromhex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
    assert alice.agree(bob.public_key, b"x") == bob.agree(alice.public_key, b"x") == derive(shared, b"x")
    assert alice.agree(bob.public_key, b"x") != alice.agree(bob.public_key, b"y")


@REPLACES
def test_a_key_remembers_a_bounded_number_of_agreements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crypto, "AGREED_MAX_COUNT", 4)
    key = AgreementKey(bytes(range(32)))
    for number in range(9):
        key.agree(AgreementKey(derive(bytes(32), b"%d" % number)).public_key, b"")
    assert key.agree.cache_info().currsize == 4


def test_secrets_are_never_shown() -> None:
    secret = SECRETS.of(1)
    for shown in (repr(secret), repr(secret.agreement), repr(ALICE), repr(ALICE.sealing)):
        assert SECRETS.root(1).hex() not in shown
        assert secret.state_key.hex() not in shown
        assert secret.public_key.hex() in shown or ALICE.public_key.hex() in shown or "AgreementKey" in shown


def test_epochs_have_nothing_in_common() -> None:
    other_chain, other_node = NodeSecrets(key_of("node"), "other"), NodeSecrets(key_of("another node"), CHAIN_ID)
    roots = [SECRETS.root(1), SECRETS.root(2), other_chain.root(1), other_node.root(1)]
    secrets = [EpochSecret(root) for root in roots]
    found = [*roots, *(one.public_key for one in secrets), *(one.state_key for one in secrets)]
    assert len(set(found)) == len(found)
    assert keyed_digest(roots[0], b"") not in found
    assert HeldSecrets({2: roots[1]}).of(1) is None
    held = HeldSecrets({2: roots[1]}).of(2)
    assert held is not None
    assert held.public_key == SECRETS.of(2).public_key


def rotation(epoch_no: int) -> RotateEpoch:
    return RotateEpoch(SECRETS.of(epoch_no).public_key)


def number(ledger: Ledger, epoch: EpochKey, name: str) -> int:
    """The outcome's number of a message that is sealed for an epoch."""
    text = encode([AdvanceClock(ledger.now_ms + 1)])
    data = seal(CHAIN_ID, EXCHANGE, derived_id(name), ledger.now_ms + 60_000, text, [ALICE], epoch, atomic=False)
    return ledger.apply(data)[0][0].number


def test_a_new_epoch_holds_from_the_next_block_and_the_one_before_is_still_taken() -> None:
    book = Ledger([governance.CONTRACT])
    second, third = (EpochKey(no, SECRETS.of(no).public_key) for no in (2, 3))
    assert number(book, second, "too early") == 1015
    book.done(EXCHANGE, rotation(2))
    first_height = book.machine.height + 1
    assert [epoch_in_force(book.store, height) for height in (0, first_height - 1, first_height)] == [1, 1, 2]
    assert [number(book, epoch, str(no)) for no, epoch in enumerate((EPOCH, second, third))] == [0, 0, 1015]
    late = seal(
        CHAIN_ID, EXCHANGE, derived_id("late"), START_MS + 60_000, encode([rotation(3)]), [ALICE], EPOCH, atomic=False
    )
    assert book.apply(late)[0][0].done
    assert [number(book, epoch, f"{no} again") for no, epoch in enumerate((EPOCH, second, third))] == [1015, 0, 0]
    assert book.apply(late)[0][0].done, "a repeat gets its first outcome whatever its epoch"
    heights = [row.from_height for _, row in EPOCHS.range(book.store)]
    assert all(before < after for before, after in pairwise(heights))


def test_a_message_sealed_again_for_a_new_epoch_is_a_repeat() -> None:
    book = Ledger([governance.CONTRACT])
    text = encode([rotation(2)])
    for epoch in (EPOCH, EpochKey(2, SECRETS.of(2).public_key)):
        data = seal(CHAIN_ID, EXCHANGE, derived_id("x"), START_MS + 60_000, text, [ALICE], epoch, atomic=False)
        assert book.apply(data)[0][0].done
    assert EPOCHS.count(book.store) == 2


def test_epochs_that_never_began_cost_nothing() -> None:
    """Sealed rightly for an epoch to come, of which the node could know the secret: refused, and nothing derived or forgotten."""
    secrets = NodeSecrets(key_of("node"), CHAIN_ID)
    book = Ledger([governance.CONTRACT])
    book.machine.door = book.machine.door_with(BegunSecrets(secrets, book.store))
    for epoch_no in range(2, 200):
        assert number(book, EpochKey(epoch_no, EPOCH.public_key), str(epoch_no)) == 1015
    assert secrets.of.cache_info().misses == 0


def test_one_epoch_begins_in_a_block() -> None:
    book = Ledger([governance.CONTRACT])
    envelopes = [book.envelope(EXCHANGE, rotation(no)) for no in (2, 3)]
    assert [outcomes[0].number for outcomes in book.apply(*envelopes)] == [0, 2007]
    assert book.refused(EXCHANGE, RotateEpoch(bytes(32))) == 1011


def test_handing_out_is_for_epochs_that_exist() -> None:
    book = Ledger([governance.CONTRACT])
    assert book.refused(EXCHANGE, HandOutEpoch(2, BOB.sealing.public_key, bytes(32))) == 2008
    assert book.refused(EXCHANGE, HandOutEpoch(1, bytes(32), bytes(32))) == 1011
    book.done(EXCHANGE, HandOutEpoch(1, BOB.sealing.public_key, bytes(32)))
    assert [type(event).__name__ for event in book.events] == ["EpochHandedOut"]


def test_without_the_secret_nothing_is_executed() -> None:
    book = Ledger([governance.CONTRACT])
    book.machine.door._secrets = NO_SECRETS
    assert book.apply(book.envelope(EXCHANGE, rotation(2)))[0][0].number == 1015
    book.machine.secrets = NO_SECRETS
    with pytest.raises(SecretMissing, match="epoch 1 is not held"):
        book.machine.apply(book.now_ms, [])


def test_an_envelope_is_tested_without_being_opened() -> None:
    data = seal(CHAIN_ID, 7, derived_id("x"), START_MS, b"text", [ALICE, BOB], EPOCH, atomic=False)
    assert open_envelope(data, CHAIN_ID).sealer_key == ALICE.sealing.public_key
    with pytest.raises(Refused):
        open_envelope(encode(replace(decode(data, Envelope), body=b"other")), CHAIN_ID)
