"""Governance: dated settings, the calendar, the stepped clock."""

import pytest

from shudian.contracts.governance import rules
from shudian.contracts.governance.messages import AdvanceClock, SetSetting
from shudian.kernel.outcomes import Refused
from tests.support.ledger import Ledger

EXCHANGE = 1
HOLIDAYS = "governance.holidays_day"


def ledger() -> Ledger:
    settings = [
        {"name": HOLIDAYS, "from_day": 20260101, "values": [20260701], "source": "test"},
        {"name": "governance.workdays_day", "from_day": 20260101, "values": [20260704], "source": "test"},
    ]
    return Ledger([rules.CONTRACT], {"governance": {"settings": settings}})


@pytest.mark.parametrize(
    ("name", "from_day", "values", "number"),
    [
        ("governance.nothing", 20260701, (20260801,), 2001),
        (HOLIDAYS, 20260701, (7,), 2002),
        (HOLIDAYS, 20260619, (20260801,), 2004),
        ("", 20260701, (1,), 1011),
        (HOLIDAYS, 20260732, (20260801,), 1011),
    ],
)
def test_set_setting_refuses(name: str, from_day: int, values: tuple[int, ...], number: int) -> None:
    assert ledger().refused(EXCHANGE, SetSetting(name, "", from_day, values, "test")) == number


def test_a_setting_holds_from_its_day() -> None:
    book = ledger()
    book.done(EXCHANGE, SetSetting(HOLIDAYS, "", 20260801, (20261001,), "notice"))
    assert rules.setting_values(book.store, HOLIDAYS, 20260731) == (20260701,)
    assert rules.setting_values(book.store, HOLIDAYS, 20260801) == (20261001,)


def test_a_missing_setting_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        rules.setting(ledger().store, HOLIDAYS, 20251231)
    assert caught.value.refusal.number == 2003


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [(20260630, 1, 20260702), (20260703, 1, 20260704), (20260701, 0, 20260702), (20260731, 8, 20260812)],
)
def test_working_days_know_the_calendar(day: int, count: int, expected: int) -> None:
    assert rules.working_day(ledger().store, day, count) == expected


def test_the_clock_moves_forward_and_holds_from_the_next_block() -> None:
    book = ledger()
    start = book.now_ms
    assert book.refused(EXCHANGE, AdvanceClock(start)) == 2006
    book.done(EXCHANGE, AdvanceClock(start + 1_000))
    assert book.now_ms == start + 1_000
