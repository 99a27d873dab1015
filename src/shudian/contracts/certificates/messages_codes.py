"""The 32-character code of a certificate: 17 of the project, 15 of the energy (layout in docs/certificates.md)."""

from shudian.contracts.resources.messages import Fuel, Regulation, Resource, ResourceType
from shudian.kernel import check, clock
from shudian.kernel.units import floor_div, remainder

PROJECT_CODE_COUNT = 17
CODE_COUNT = 32
SERIAL_MAX_NO = 999_999_999
TRADABLE, NOT_TRADABLE = "T", "N"

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BASE = len(_ALPHABET)
_PROJECT_SERIAL_COUNT = 5
_ENERGY_KINDS = {
    Fuel.HYDRO: "H",
    Fuel.WIND: "W",
    Fuel.SOLAR: "S",
    Fuel.BIOMASS: "B",
    Fuel.GEOTHERMAL: "G",
    Fuel.WASTE: "R",
}
"""Energies for which a code can be made; which of them earn certificates is a setting."""
_REGULATIONS = tuple(Regulation)


def has_code(resource: Resource) -> bool:
    """Whether a resource is of a kind that a project code exists for: a plant or unit of a renewable energy."""
    return resource.type in (ResourceType.PLANT, ResourceType.UNIT) and resource.fuel in _ENERGY_KINDS


def project_code(resource_id: int, resource: Resource, commissioning_day: int) -> str:
    """The first 17 characters: kind, energy, technology, commissioning month, place, serial, check character.

    >>> from shudian.contracts.resources.messages import Voltage
    >>> farm = dict.fromkeys(Resource.__struct_fields__, 0) | {"type": ResourceType.PLANT, "fuel": Fuel.WIND}
    >>> project_code(42, Resource(**farm | {"regulation": Regulation.NONE, "region_code": 513400}), 20190101)
    'PW01901513400016S'
    """
    check.that(has_code(resource), "only renewable plants and units have a project code")
    kind = "P" if resource.type is ResourceType.PLANT else "U"
    technology = _REGULATIONS.index(resource.regulation)
    commissioned = remainder(clock.month_of(commissioning_day), 10_000)
    place = floor_div(resource.region_code, 100)
    body = f"{kind}{_ENERGY_KINDS[resource.fuel]}{technology}{commissioned:04d}{place:04d}{_in_base(resource_id)}"
    return body + check_character(body)


def _in_base(number: int) -> str:
    digits = ""
    for _ in range(_PROJECT_SERIAL_COUNT):
        digits = _ALPHABET[remainder(number, _BASE)] + digits
        number = floor_div(number, _BASE)
    check.that(number == 0, "the resource number fits five characters")
    return digits


def check_character(body: str) -> str:
    """The check character by ISO/IEC 7064, MOD 37,36.

    >>> check_character("A12425GABC1234002")
    'M'
    """
    product = _BASE
    for character in body:
        total = remainder(product + _ALPHABET.index(character), _BASE) or _BASE
        product = remainder(total * 2, _BASE + 1)
    return _ALPHABET[remainder(_BASE + 1 - product, _BASE)]


def certificate_code(project: str, month: int, serial_no: int, *, tradable: bool) -> str:
    """The whole code: the project's 17 characters, then production month, serial, energy class, trade class.

    >>> certificate_code("PW01901513400016S", 202608, 1235, tradable=True)
    'PW01901513400016S2608000001235WT'
    """
    year_month = remainder(month, 10_000)
    return f"{project}{year_month:04d}{serial_no:09d}{project[1]}{TRADABLE if tradable else NOT_TRADABLE}"
