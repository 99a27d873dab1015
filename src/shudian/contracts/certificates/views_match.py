"""The hour-by-hour matching report 逐小时匹配: what a member used against what its certificates' devices generated in the same hour."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shudian.contracts.certificates.messages import LotState
from shudian.contracts.certificates.rules_provenance import within
from shudian.contracts.certificates.views_tables import HOURS, LOTS
from shudian.contracts.metering.messages import Direction
from shudian.contracts.metering.views import DAYS
from shudian.kernel import clock, fields
from shudian.kernel.units import PPM, SEGMENTS_PER_DAY
from shudian.reading.reader import Reader, Viewer
from shudian.reading.tables import Row

CLAIMABLE = (LotState.HELD, LotState.RETIRED)
_SLOT = np.dtype("<i4")
_HOUR = np.dtype("<i8")


def match(
    reader: Reader, viewer: Viewer, *, month: int, member_id: int | None = None, retired_only: bool = False
) -> list[Row]:
    """Per hour of a month: use and certified generation in Wh, what of it matches, and the share of the use, rounded down.

    member_id: whose use and certificates; the viewer's own unless an overseer asks. retired_only: count retired certificates alone,
    else those held too; what is for sale, bundled or expired never counts. use_wh: all load meters; energy that certificates carry from
    the month before matches no hour. share_ppm: None in an hour without use. Refuses: 1011.
    """
    fields.month("month", month)
    of_id = member_id or viewer.member_id
    days = list(clock.days(clock.month_first_day(month), clock.month_last_day(month)))
    use_wh = np.concatenate([_use_wh(reader, viewer, of_id, day) for day in days])
    states = (LotState.RETIRED,) if retired_only else CLAIMABLE
    certified_wh = _certified_wh(reader, viewer, of_id, month, states, len(use_wh))
    return [
        _row(days[hour // SEGMENTS_PER_DAY], hour % SEGMENTS_PER_DAY, used, certified)
        for hour, (used, certified) in enumerate(zip(use_wh.tolist(), certified_wh.tolist(), strict=True))
    ]


def _row(day: int, segment: int, use_wh: int, certified_wh: int) -> Row:
    matched_wh = min(use_wh, certified_wh)
    return {
        "day": day,
        "segment": segment,
        "use_wh": use_wh,
        "certified_wh": certified_wh,
        "matched_wh": matched_wh,
        "share_ppm": matched_wh * PPM // use_wh if use_wh else None,
    }


def _use_wh(reader: Reader, viewer: Viewer, owner_id: int, day: int) -> NDArray[np.int64]:
    where = {"owner_id": owner_id, "day": day, "direction": Direction.LOAD}
    total = np.zeros(SEGMENTS_PER_DAY, dtype=np.int64)
    for row in reader.select(viewer, DAYS, where, columns=("values_wh",)):
        slots = np.frombuffer(row["values_wh"], dtype=_SLOT).astype(np.int64)
        total += slots.reshape(SEGMENTS_PER_DAY, -1).sum(axis=1)
    return total


def _certified_wh(
    reader: Reader, viewer: Viewer, holder_id: int, month: int, states: tuple[LotState, ...], hours_count: int
) -> NDArray[np.int64]:
    """Generation behind a holder's certificates by hour of the month."""
    where = {"holder_id": holder_id, "month": month}
    ranges: dict[int, list[Row]] = {}
    for row in reader.select(viewer, HOURS, where):
        ranges.setdefault(row["resource_id"], []).append(row)
    total = np.zeros(hours_count, dtype=np.int64)
    for lot in reader.select(viewer, LOTS, where):
        if lot["state"] not in states:
            continue
        source = next(row for row in ranges[lot["resource_id"]] if _holds(row, lot))
        hours_wh = np.frombuffer(source["hours_wh"], dtype=_HOUR).tolist()
        first_no = lot["first_serial_no"] - source["first_serial_no"] + 1
        parts = within(hours_wh, source["before_wh"], first_no, lot["count_certs"])
        start = source["first_hour_no"]
        total[start : start + len(parts)] += np.array(parts, dtype=np.int64)
    return total


def _holds(source: Row, lot: Row) -> bool:
    first: int = source["first_serial_no"]
    end: int = first + source["count_certs"]
    lot_first: int = lot["first_serial_no"]
    lot_end: int = lot_first + lot["count_certs"]
    return first <= lot_first and lot_end <= end


def packed(hours_wh: tuple[int, ...]) -> bytes:
    """Hours as the read table keeps them."""
    return np.array(hours_wh, dtype=_HOUR).tobytes()


def totals(rows: list[Row]) -> dict[str, Any]:
    """The month of a report: use, certified and matched Wh, the hourly share, and the share that a sum over the month would claim.

    >>> totals([{"use_wh": 10, "certified_wh": 4, "matched_wh": 4}, {"use_wh": 10, "certified_wh": 12, "matched_wh": 10}])["share_ppm"]
    700000
    """
    sums = {name: sum(row[name] for row in rows) for name in ("use_wh", "certified_wh", "matched_wh")}
    use_wh = sums["use_wh"]
    monthly_wh = min(use_wh, sums["certified_wh"])
    share_ppm, monthly_ppm = ((part * PPM // use_wh) if use_wh else None for part in (sums["matched_wh"], monthly_wh))
    return {**sums, "share_ppm": share_ppm, "monthly_share_ppm": monthly_ppm}
