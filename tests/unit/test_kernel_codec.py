"""Canonical bytes: one value, one encoding; everything else is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shudian.kernel.codec import Malformed, Record, decode, encode


class Leaf(Record, tag=True):
    amount_fen: int
    name: str
    parts: tuple[int, ...]


@given(st.integers(-(2**63), 2**63 - 1), st.text(max_size=30), st.lists(st.integers(0, 2**40), max_size=9))
def test_a_record_comes_back_from_its_bytes(amount: int, name: str, parts: list[int]) -> None:
    leaf = Leaf(amount, name, tuple(parts))
    assert decode(encode(leaf), Leaf) == leaf


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (encode(Leaf(1, "a", ())) + b"\x00", "trailing byte"),
        (b"\x94\xa4Leaf\xcc\x01\xa1a\x90", "long form of a small integer"),
        (b"\x94\xa4Leaf\x01\xd9\x01a\x90", "long form of a short text"),
        (b"\x95\xa4Leaf\x01\xa1a\x90\x01", "one field too many"),
        (b"\x93\xa4Leaf\x01\xa1a", "one field too few"),
        (b"\x94\xa4Twig\x01\xa1a\x90", "another tag"),
        (b"\x94\xa4Leaf\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00\xa1a\x90", "a float"),
        (b"\x84\xa4Leaf\x01\x01\x01\x01\x01\x01\x01", "a map"),
        (b"\x91" * 100_000, "deep nesting"),
        (b"", "nothing"),
        (b"\x94\xa4Leaf\x01\xa1\xff\x90", "text that is not UTF-8"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_bytes_are_refused(data: bytes, why: str) -> None:
    assert why
    with pytest.raises(Malformed):
        decode(data, Leaf)


@given(st.binary(max_size=60))
def test_what_is_accepted_is_canonical(data: bytes) -> None:
    try:
        value = decode(data, Leaf)
    except Malformed:
        return
    assert encode(value) == data
