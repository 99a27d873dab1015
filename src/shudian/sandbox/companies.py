"""The organisations of the sandbox. Names and persons are invented; their credit codes are valid."""

from dataclasses import dataclass

from stdnum.cn import uscc as uscc_rule

from shudian.kernel.units import FEN_PER_YUAN
from shudian.sandbox.dice import Dice
from shudian.sandbox.packaged import table

_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_DIGITS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass(frozen=True)
class Company:
    """One organisation; ``kind`` is generator, retailer, user, grid, exchange, bank or regulator.

    Names and persons are invented. ``assets_fen`` is total assets, ``staff_count`` full-time staff (retailer rule, domain
    2.2). ``region_code`` is GB/T 2260; ``uscc`` the valid unified social credit code (GB 32100) of that region.
    """

    key: str
    kind: str
    name_zh: str
    name_en: str
    uscc: str
    region_code: str
    city_zh: str
    city_en: str
    legal_person_zh: str
    assets_fen: int
    staff_count: int


@dataclass(frozen=True)
class Applicant:
    """A company that asks to be a member and must be turned down, with the exchange's reason."""

    company: Company
    refusal_zh: str
    refusal_en: str


def companies() -> tuple[Company, ...]:
    """Every member of the sandbox, institutions first."""
    return tuple(_company(row) for row in table("companies.csv"))


def applicants() -> tuple[Applicant, ...]:
    """Those whom the exchange has to turn down."""
    return tuple(Applicant(_company(row), row["refusal_zh"], row["refusal_en"]) for row in table("applicants.csv"))


def credit_code(kind_code: str, region_code: str, number: int) -> str:
    """A valid unified social credit code: kind (91 company, 11 authority), region, organisation code, check character.

    The organisation code follows GB 11714 (its ninth character checks the first eight), the last character GB 32100.

    >>> uscc_rule.is_valid(credit_code("91", "510100", 7))
    True
    """
    base = len(_DIGITS)
    body = "MA" + "".join(_DIGITS[number // base**place % base] for place in range(5, -1, -1))
    values = [int(character, 36) for character in body]
    check = 11 - sum(value * weight for value, weight in zip(values, _ORGANISATION_WEIGHTS, strict=True)) % 11
    code = f"{kind_code}{region_code}{body}{'0' if check == 11 else 'X' if check == 10 else check}"
    return code + str(uscc_rule.calc_check_digit(code))


def _company(row: dict[str, str]) -> Company:
    city = next(city for city in table("cities.csv") if city["region_code"] == row["region_code"])
    number = Dice(0).draw("credit code", row["key"]) % len(_DIGITS) ** 6
    return Company(
        key=row["key"],
        kind=row["kind"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        uscc=credit_code("11" if row["kind"] == "regulator" else "91", row["region_code"], number),
        region_code=row["region_code"],
        city_zh=city["city_zh"],
        city_en=city["city_en"],
        legal_person_zh=row["legal_person_zh"],
        assets_fen=int(row["assets_yuan"]) * FEN_PER_YUAN,
        staff_count=int(row["staff_count"]),
    )
