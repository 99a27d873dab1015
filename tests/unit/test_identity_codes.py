"""Credit codes, resident identity numbers, and what stands in their place on the chain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc

from shudian.contracts.identity import messages_codes as codes
from shudian.kernel.outcomes import Refused


@pytest.mark.parametrize(
    "code",
    [
        "91350100M000100Y43",
        "91110000101623741K",
        "91510000MA0000000C",
        "N2510100MF0000000" + str(uscc.calc_check_digit("N2510100MF0000000")),  # a village cooperative
    ],
)
def test_real_and_constructed_credit_codes_pass(code: str) -> None:
    codes.check_uscc(code)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "91350100M000100Y4",
        "91350100M000100Y433",
        "91350100M000100Y44",
        "91350100m000100y43",
        "9135010OM000100Y43",
        "91350I00M000100Y43",
        "91A50100M000100Y4" + str(uscc.calc_check_digit("91A50100M000100Y4")),
        "91350100M000100Y4\n",
        "９1350100M000100Y43",
        " 91350100M000100Y4",
    ],
)
def test_wrong_credit_codes_are_refused(code: str) -> None:
    with pytest.raises(Refused) as caught:
        codes.check_uscc(code)
    assert (caught.value.refusal.number, caught.value.field) == (1011, "uscc")


@given(st.text(codes.USCC_CHARACTERS, min_size=9, max_size=9), st.integers(0, 16))
def test_a_credit_code_agrees_with_stdnum_and_shows_every_single_wrong_character(organisation: str, place: int) -> None:
    body = "91510000" + organisation
    code = body + codes.uscc_check_character(body)
    codes.check_uscc(code)
    assert code[-1] == uscc.calc_check_digit(body)
    assert uscc.is_valid(code)
    alphabet = codes.USCC_CHARACTERS
    wrong = alphabet[(alphabet.index(code[place]) + 1) % len(alphabet)]
    assert not codes.uscc_check_fits(code[:place] + wrong + code[place + 1 :])


@pytest.mark.parametrize("number", ["11010519491231002X", "360426199101010071"])
def test_resident_numbers_pass_as_with_stdnum(number: str) -> None:
    codes.check_resident_id(number)
    assert ric.is_valid(number)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "110105194912310021",  # check character
        "11010519491231002x",
        "1101051949123100 X",
        "11010519491331002" + str(ric.calc_check_digit("11010519491331002X")),  # month 13
        "11010519490229002" + str(ric.calc_check_digit("11010519490229002X")),  # no leap year
        "99010519491231002" + str(ric.calc_check_digit("99010519491231002X")),  # no such province
        "１10105194912310021",
    ],
)
def test_wrong_resident_numbers_are_refused_without_being_repeated(number: str) -> None:
    with pytest.raises(Refused) as caught:
        codes.check_resident_id(number)
    assert caught.value.refusal.number == 1011
    assert caught.value.value == ""


@given(st.dates(), st.integers(0, 999))
def test_check_characters_of_resident_numbers_agree_with_stdnum(birthday: object, order: int) -> None:
    body = "510104" + str(birthday).replace("-", "") + f"{order:03d}"
    if "19000101" <= body[6:14] <= "20991231":
        codes.check_resident_id(body + str(ric.calc_check_digit(body + "0")))


def test_masks_and_salted_hashes_hide_the_number() -> None:
    number = "11010519491231002X"
    assert codes.masked_id(number) == "110105********002X"
    assert codes.masked_id("123") == "***"
    salt, other_salt = bytes(16), bytes(15) + b"\x01"
    assert codes.salted_digest(salt, number) == codes.salted_digest(salt, number)
    assert codes.salted_digest(salt, number) != codes.salted_digest(other_salt, number)
    with pytest.raises(ValueError, match="at least 16"):
        codes.salted_digest(bytes(15), number)
