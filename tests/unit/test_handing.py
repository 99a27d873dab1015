"""What is handed over opens to its recipient alone, for its purpose alone, and unchanged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shudian.client.handing import FORMAT, Handed, HandingError, hand_over, take_over
from shudian.kernel.codec import decode, encode
from tests.support.ledger import key_of

AUDITOR, OTHER = key_of("auditor"), key_of("other")
RECIPIENT = AUDITOR.sealing.public_key


@given(st.binary(max_size=300))
def test_the_recipient_opens_it_and_nobody_else(content: bytes) -> None:
    file = hand_over(content, RECIPIENT, "test")
    assert take_over(file, AUDITOR, "test") == content
    assert hand_over(content, RECIPIENT, "test") != file
    with pytest.raises(HandingError, match="another key"):
        take_over(file, OTHER, "test")
    forged = replace(decode(file, Handed), recipient_key=OTHER.sealing.public_key)
    with pytest.raises(HandingError, match="changed on its way"):
        take_over(encode(forged), OTHER, "test")


def test_whatever_is_changed_is_refused() -> None:
    file = hand_over(b"content", RECIPIENT, "test")
    for place in range(len(file)):
        for mask in (0x01, 0x80):
            with pytest.raises(HandingError):
                take_over(file[:place] + bytes([file[place] ^ mask]) + file[place + 1 :], AUDITOR, "test")
        with pytest.raises(HandingError):
            take_over(file[:place], AUDITOR, "test")
    with pytest.raises(HandingError, match="purpose"):
        take_over(file, AUDITOR, "another")
    again = replace(decode(file, Handed), purpose="another")
    with pytest.raises(HandingError, match="changed"):
        take_over(encode(again), AUDITOR, "another")
    with pytest.raises(HandingError, match="format"):
        take_over(encode(replace(again, format=FORMAT + 1)), AUDITOR, "another")


@pytest.mark.parametrize("recipient", [b"", bytes(32), RECIPIENT[1:], (1).to_bytes(32, "little")])
def test_a_key_that_everybody_could_open_is_no_recipient(recipient: bytes) -> None:
    with pytest.raises(HandingError, match="no usable key"):
        hand_over(b"content", recipient, "test")
