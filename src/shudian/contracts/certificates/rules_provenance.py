"""Where certificates come from: their quarter hours and hours, by the running sum of a device-month's readings.

A device-month's energy runs on from what was carried in, slot after slot; certificate n is its n-th MWh. So each slot holds a range of
serials, and each certificate has its slots to the Wh.
"""

from collections.abc import Sequence

from shudian.contracts.certificates.messages import Hours
from shudian.contracts.certificates.state import ISSUANCES, WH_PER_CERTIFICATE, Provenance
from shudian.kernel.codec import decode
from shudian.kernel.contract import BlockContext
from shudian.kernel.units import SLOTS_PER_SEGMENT


def within(values_wh: Sequence[int], opening_wh: int, first_serial_no: int, count_certs: int) -> tuple[int, ...]:
    """What of each value belongs to the certificates with these serials; ``opening_wh`` comes before the first value.

    >>> within((600_000, 600_000, 900_000), 500_000, 1, 1)
    (500000, 0, 0)
    >>> within((600_000, 600_000, 900_000), 500_000, 2, 1)
    (100000, 600000, 300000)
    """
    start_wh = (first_serial_no - 1) * WH_PER_CERTIFICATE
    end_wh = start_wh + count_certs * WH_PER_CERTIFICATE
    reached_wh, parts = opening_wh, []
    for value_wh in values_wh:
        before_wh, reached_wh = reached_wh, reached_wh + value_wh
        parts.append(max(0, min(reached_wh, end_wh) - max(before_wh, start_wh)))
    return tuple(parts)


def slots_wh(at: BlockContext, resource_id: int, month: int, first_serial_no: int, count_certs: int) -> tuple[int, ...]:
    """The Wh of issued certificates by quarter hour of their month, from its first; carried energy is in none of them."""
    kept = _provenance(at, resource_id, month)
    return within(kept.slots_wh, kept.opening_wh, first_serial_no, count_certs)


def hours(at: BlockContext, resource_id: int, month: int, first_serial_no: int, count_certs: int) -> Hours:
    """The Wh of issued certificates by hour, without the empty hours around them."""
    quarters_wh = slots_wh(at, resource_id, month, first_serial_no, count_certs)
    by_hour = [
        sum(quarters_wh[start : start + SLOTS_PER_SEGMENT]) for start in range(0, len(quarters_wh), SLOTS_PER_SEGMENT)
    ]
    filled = [hour for hour, energy_wh in enumerate(by_hour) if energy_wh]
    first, end = (filled[0], filled[-1] + 1) if filled else (0, 0)
    before_wh = count_certs * WH_PER_CERTIFICATE - sum(by_hour)
    return Hours(first, before_wh, tuple(by_hour[first:end]))


def _provenance(at: BlockContext, resource_id: int, month: int) -> Provenance:
    return decode(at.cold.get(ISSUANCES.need(at, resource_id, month).provenance), Provenance)
