"""Market time as integers: milliseconds since the epoch, days as yyyymmdd, slots of a quarter hour, all at UTC+8.

China keeps one offset and no daylight saving, so every day has 96 slots. The calendar arithmetic is the proleptic
Gregorian one (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
"""

from collections.abc import Container, Iterator
from functools import lru_cache
from typing import Final

from shudian.kernel.clock_row import Clock as Clock
from shudian.kernel.units import floor_div, remainder

WALL: Final = "wall"
STEPPED: Final = "stepped"

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
OFFSET_MS: Final = 8 * HOUR_MS

SATURDAY: Final = 5

_KEPT_DAYS_COUNT: Final = 4_096
"""Days whose arithmetic is remembered: rules ask for the same few all the time."""


@lru_cache(maxsize=_KEPT_DAYS_COUNT)
def _serial_of(day: int) -> int:
    """Days since 1970-01-01 of a yyyymmdd day."""
    year, month, date = floor_div(day, 10_000), remainder(floor_div(day, 100), 100), remainder(day, 100)
    year -= month <= 2
    era = floor_div(year, 400)
    year_of_era = year - era * 400
    day_of_year = floor_div(153 * (month + (-3 if month > 2 else 9)) + 2, 5) + date - 1
    day_of_era = year_of_era * 365 + floor_div(year_of_era, 4) - floor_div(year_of_era, 100) + day_of_year
    return era * 146_097 + day_of_era - 719_468


@lru_cache(maxsize=_KEPT_DAYS_COUNT)
def _day_of_serial(serial: int) -> int:
    serial += 719_468
    era = floor_div(serial, 146_097)
    day_of_era = serial - era * 146_097
    leap_days = floor_div(day_of_era, 1_460) - floor_div(day_of_era, 36_524) + floor_div(day_of_era, 146_096)
    year_of_era = floor_div(day_of_era - leap_days, 365)
    day_of_year = day_of_era - (365 * year_of_era + floor_div(year_of_era, 4) - floor_div(year_of_era, 100))
    shifted_month = floor_div(5 * day_of_year + 2, 153)
    date = day_of_year - floor_div(153 * shifted_month + 2, 5) + 1
    month = shifted_month + (3 if shifted_month < 10 else -9)
    return (year_of_era + era * 400 + (month <= 2)) * 10_000 + month * 100 + date


def is_day(day: int) -> bool:
    """Whether ``day`` (yyyymmdd) exists in the calendar, years 1970 to 9999.

    >>> is_day(20260731), is_day(20260732), is_day(20260229)
    (True, False, False)
    """
    return 19_700_101 <= day <= 99_991_231 and _day_of_serial(_serial_of(day)) == day


def day_of(market_ms: int) -> int:
    """The market day (yyyymmdd, UTC+8) of an instant.

    >>> day_of(0)
    19700101
    """
    return _day_of_serial(floor_div(market_ms + OFFSET_MS, DAY_MS))


def ms_at(day: int, hour: int = 0, minute: int = 0) -> int:
    """The instant of a wall time at UTC+8.

    >>> ms_at(19700101, 8)
    0
    """
    return _serial_of(day) * DAY_MS - OFFSET_MS + hour * HOUR_MS + minute * MINUTE_MS


def day_after(day: int, count: int = 1) -> int:
    """The day ``count`` days later (earlier if negative).

    >>> day_after(20260630), day_after(20260301, -1)
    (20260701, 20260228)
    """
    return _day_of_serial(_serial_of(day) + count)


def days_between(first_day: int, last_day: int) -> int:
    """How many days ``last_day`` lies after ``first_day``.

    >>> days_between(20260701, 20260731)
    30
    """
    return _serial_of(last_day) - _serial_of(first_day)


def days(first_day: int, last_day: int) -> Iterator[int]:
    """Every day from ``first_day`` to ``last_day``, both included."""
    if first_day == last_day:
        return iter((first_day,))
    return _days_of(range(_serial_of(first_day), _serial_of(last_day) + 1))


def _days_of(serials: range) -> Iterator[int]:
    for serial in serials:
        yield _day_of_serial(serial)


def weekday(day: int) -> int:
    """0 for Monday to 6 for Sunday.

    >>> weekday(20260701)
    2
    """
    return remainder(_serial_of(day) + 3, 7)


def month_of(day: int) -> int:
    """The month (yyyymm) of a day."""
    return floor_div(day, 100)


def is_month(month: int) -> bool:
    """Whether ``month`` (yyyymm) exists."""
    return is_day(month * 100 + 1)


def month_first_day(month: int) -> int:
    """The first day of a month (yyyymm)."""
    return month * 100 + 1


def month_after(month: int, count: int = 1) -> int:
    """The month ``count`` months later (earlier if negative).

    >>> month_after(202612), month_after(202601, -1)
    (202701, 202512)
    """
    serial = floor_div(month, 100) * 12 + remainder(month, 100) - 1 + count
    return floor_div(serial, 12) * 100 + remainder(serial, 12) + 1


def month_last_day(month: int) -> int:
    """The last day of a month (yyyymm).

    >>> month_last_day(202402)
    20240229
    """
    return day_after(month_first_day(month_after(month)), -1)


def is_working_day(day: int, holidays: Container[int] = (), workdays: Container[int] = ()) -> bool:
    """Monday to Friday but for ``holidays``; ``workdays`` are weekend days declared working (调休)."""
    return day in workdays or (weekday(day) < SATURDAY and day not in holidays)


def working_day(day: int, count: int, holidays: Container[int] = (), workdays: Container[int] = ()) -> int:
    """The ``count``-th working day after ``day`` (count >= 0; 0 gives ``day`` or the next working day).

    >>> working_day(20260731, 8)
    20260812
    """
    if count == 0:
        while not is_working_day(day, holidays, workdays):
            day = day_after(day)
        return day
    while count:
        day = day_after(day)
        count -= is_working_day(day, holidays, workdays)
    return day
