"""All division and rounding of the replicated side, each function naming its rounding.

Units (docs/glossary.md): money in fen, energy in kWh, meter readings in Wh, prices in milli-yuan per MWh,
tariffs in 1e-8 yuan per kWh, shares in parts per million. No other module may divide.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # the small verifier reaches this module and has no numpy
    import numpy as np
    from numpy.typing import NDArray

PPM: Final = 1_000_000
PRICE_KWH_PER_FEN: Final = 10_000
TARIFF_KWH_PER_FEN: Final = 1_000_000
WH_PER_KWH: Final = 1_000
KWH_PER_MWH: Final = 1_000
FEN_PER_YUAN: Final = 100
SEGMENTS_PER_DAY: Final = 24
SLOTS_PER_DAY: Final = 96
SLOTS_PER_SEGMENT: Final = 4


def floor_div(numerator: int, denominator: int) -> int:
    """Quotient rounded towards minus infinity.

    >>> floor_div(-7, 2)
    -4
    """
    return numerator // denominator


def floor_div_all(numerators: "NDArray[np.int64]", denominator: int) -> "NDArray[np.int64]":
    """:func:`floor_div` of each number of a column; any 64-bit numbers, a denominator above zero.

    >>> import numpy as np
    >>> floor_div_all(np.array([-7, 7]), 2).tolist()
    [-4, 3]
    """
    return numerators // denominator


def ceil_div(numerator: int, denominator: int) -> int:
    """Quotient rounded towards plus infinity.

    >>> ceil_div(7, 2)
    4
    """
    return -(-numerator // denominator)


def remainder(numerator: int, denominator: int) -> int:
    """What :func:`floor_div` leaves; it has the sign of the denominator.

    >>> remainder(-7, 2)
    1
    """
    return numerator % denominator


def divide_exact(numerator: int, denominator: int) -> int:
    """Quotient of a division that must leave nothing.

    Raises:
        ValueError: if something is left.

    >>> divide_exact(12, 4)
    3
    """
    quotient, left = divmod(numerator, denominator)
    if left:
        message = f"{numerator} is not a multiple of {denominator}"
        raise ValueError(message)
    return quotient


def round_half_away(numerator: int, denominator: int) -> int:
    """Quotient rounded to the nearest integer, halves away from zero, so that a line and its mirror cancel.

    >>> round_half_away(5, 2), round_half_away(-5, 2), round_half_away(7, 3)
    (3, -3, 2)
    """
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    if numerator >= 0:
        return (2 * numerator + denominator) // (2 * denominator)
    return -((denominator - 2 * numerator) // (2 * denominator))


def energy_fen(energy_kwh: int, price_myuan_mwh: int) -> int:
    """Money for energy at a price: fen = kWh x milli-yuan/MWh / 10,000, half away from zero.

    >>> energy_fen(9_300_000, 210_000)
    195300000
    >>> energy_fen(1, -35_000)
    -4
    """
    return round_half_away(energy_kwh * price_myuan_mwh, PRICE_KWH_PER_FEN)


def energy_fen_all(energies_kwh: "NDArray[np.int64]", prices_myuan_mwh: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """:func:`energy_fen` of each energy of a table at the price of its column.

    The caller sees to it that no energy times its price reaches 2**62 either way; numpy would not say so.

    >>> import numpy as np
    >>> energy_fen_all(np.array([[1, 9_300_000]]), np.array([-35_000, 210_000])).tolist()
    [[-4, 195300000]]
    """
    # Half away from zero by one division rounded down: add half the denominator, and one less where the product is negative.
    products = energies_kwh * prices_myuan_mwh
    products += products >> 63
    products += PRICE_KWH_PER_FEN // 2
    products //= PRICE_KWH_PER_FEN
    return products


def tariff_fen(energy_kwh: int, tariff_e8yuan_kwh: int) -> int:
    """Money for energy at a tariff: fen = kWh x 1e-8 yuan/kWh / 1,000,000, half away from zero.

    >>> tariff_fen(9_300_000, 4_716_875)
    43866938
    """
    return round_half_away(energy_kwh * tariff_e8yuan_kwh, TARIFF_KWH_PER_FEN)


def share(amount: int, share_ppm: int) -> int:
    """``amount`` times a share in parts per million, half away from zero; keeps the unit of ``amount``.

    >>> share(1_000, 25_500)
    26
    """
    return round_half_away(amount * share_ppm, PPM)


def tariff_as_price_myuan_mwh(tariff_e8yuan_kwh: int) -> int:
    """A tariff in 1e-8 yuan/kWh as milli-yuan/MWh (1e-6 yuan/kWh), half away from zero.

    >>> tariff_as_price_myuan_mwh(6_440_000)
    64400
    """
    return round_half_away(tariff_e8yuan_kwh, 100)


def split_largest_remainder(total: int, weights: Sequence[int], lot: int = 1) -> list[int]:
    """Share ``total`` by ``weights``: floor to lots, remainder lots to the largest fractions, then to the first.

    What is less than a lot goes to the last lot's receiver, so the parts always sum to ``total``. Weights are
    non-negative with a positive sum; ``total`` is non-negative.

    >>> split_largest_remainder(1_200, [1_200, 1_000])
    [655, 545]
    """
    weight_sum = sum(weights)
    if total < 0 or weight_sum <= 0 or min(weights) < 0:
        message = "total and weights must be non-negative, with a positive weight"
        raise ValueError(message)
    lots, crumbs = divmod(total, lot)
    parts = [lots * weight // weight_sum for weight in weights]
    fractions = [lots * weight % weight_sum for weight in weights]
    order = sorted(range(len(weights)), key=lambda index: (-fractions[index], index))
    left = lots - sum(parts)
    for index in order[:left]:
        parts[index] += 1
    result = [part * lot for part in parts]
    if crumbs:
        result[order[left % len(order)]] += crumbs
    return result


def split_residue_to_largest(total: int, weights: Sequence[int]) -> list[int]:
    """Share ``total`` by ``weights``, each part half away from zero, the residue into the largest part (the first of them).

    The rule of curve decomposition 曲线分解 (domain 3.10): the parts sum to ``total`` exactly.

    >>> split_residue_to_largest(100, [1, 1, 1])
    [34, 33, 33]
    """
    weight_sum = sum(weights)
    parts = [round_half_away(total * weight, weight_sum) for weight in weights]
    largest = parts.index(max(parts))
    parts[largest] += total - sum(parts)
    return parts
