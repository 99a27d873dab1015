"""Codes of companies and persons: the unified social credit code of messages, and the resident identity number that never is in one.

The credit code is checked on the replicated side, which forgives no separators and knows letters in the first two places (a village
cooperative's code begins with N2). A resident identity number is checked, masked and hashed by the member's own client (个人信息保护法: no
personal data on the chain).
"""

from shudian.kernel import fields
from shudian.kernel.clock import is_day
from shudian.kernel.crypto import keyed_digest
from shudian.kernel.outcomes import FIELD_NOT_ALLOWED, both
from shudian.kernel.units import remainder

USCC_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CODE_LENGTH = 18
SALT_MIN_BYTES = 16

_DIGITS = "0123456789"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK_CHARACTERS = "10X98765432"
# GB/T 2260: the first two digits of a region; 83 is given to residents from Taiwan.
_PROVINCES = (
    *("11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42", "43"),
    *("44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82", "83"),
)
# The Gregorian calendar repeats every 400 years; the market's calendar begins in 1970, birthdays do not.
_CALENDAR_CYCLE_DAY = 400 * 10_000


def check_uscc_form(code: str) -> None:
    """Refuse a code that has not 18 characters of the alphabet with six digits of region in places 3 to 8. Refuses: 1011."""
    if len(code) != CODE_LENGTH:
        raise FIELD_NOT_ALLOWED("uscc", fields.in_characters(len(code)), fields.in_characters(CODE_LENGTH))
    for place, character in enumerate(code, start=1):
        if character not in USCC_CHARACTERS:
            found = both(f"第 {place} 位 {character}", f"{character} at place {place}")
            raise FIELD_NOT_ALLOWED("uscc", found, USCC_CHARACTERS)
    if any(character not in _DIGITS for character in code[2:8]):
        raise FIELD_NOT_ALLOWED("uscc", code, both("第 3 至 8 位为数字", "digits in places 3 to 8"))


def uscc_check_fits(code: str) -> bool:
    """Whether the last character of a code of the right form is its check character.

    >>> uscc_check_fits("91350100M000100Y43"), uscc_check_fits("91350100M000100Y44")
    (True, False)
    """
    return code[-1] == uscc_check_character(code[:-1])


def uscc_check_character(body: str) -> str:
    """The check character of the 17 characters before it, all of the alphabet (GB 32100-2015, 5.3): its value is (31 - sum of value x weight mod 31) mod 31.

    Raises:
        ValueError: there are not 17, or one is not of the alphabet.

    >>> uscc_check_character("91350100M000100Y4")
    '3'
    """
    total = sum(
        USCC_CHARACTERS.index(character) * weight for character, weight in zip(body, _USCC_WEIGHTS, strict=True)
    )
    return USCC_CHARACTERS[remainder(-total, len(USCC_CHARACTERS))]


def check_uscc(code: str) -> None:
    """Refuse a unified social credit code 统一社会信用代码 of the wrong form or with the wrong check character. Refuses: 1011."""
    check_uscc_form(code)
    if not uscc_check_fits(code):
        raise FIELD_NOT_ALLOWED(
            "uscc", code, both("校验码正确（GB 32100-2015）", "a code whose check character fits (GB 32100-2015)")
        )


def check_resident_id(number: str) -> None:
    """Refuse a resident identity number 公民身份号码 with a wrong form, province, birthday or check character (GB 11643).

    The refusal never repeats the number. Refuses: 1011.

    >>> check_resident_id("11010519491231002X")
    """
    if not _is_resident_id(number):
        raise FIELD_NOT_ALLOWED(
            "resident_id",
            "",
            both(
                "符合 GB 11643 的 18 个字符，无空格，X 大写", "18 characters by GB 11643, without spaces, X in capitals"
            ),
        )


def _is_resident_id(number: str) -> bool:
    if len(number) != CODE_LENGTH or any(character not in _DIGITS for character in number[:-1]):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, _ID_WEIGHTS, strict=False))
    return (
        number[:2] in _PROVINCES
        and is_day(int(number[6:14]) + _CALENDAR_CYCLE_DAY)
        and number[-1] == _ID_CHECK_CHARACTERS[remainder(total, 11)]
    )


def masked_id(number: str) -> str:
    """A resident identity number as it may be shown: six first and four last characters.

    >>> masked_id("11010519491231002X")
    '110105********002X'
    """
    return number[:6] + "*" * 8 + number[-4:] if len(number) == CODE_LENGTH else "*" * len(number)


def salted_digest(salt: bytes, value: str) -> bytes:
    """HMAC-SHA256 of personal data under the member's secret salt, 32 bytes: what goes on the chain in its place.

    The member keeps the salt; once the salt is destroyed, the hash can be tied to nobody.

    Raises:
        ValueError: if the salt is shorter than 16 bytes and could be guessed.
    """
    if len(salt) < SALT_MIN_BYTES:
        message = f"the salt has {len(salt)} bytes, at least {SALT_MIN_BYTES} are needed"
        raise ValueError(message)
    return keyed_digest(salt, value.encode())
