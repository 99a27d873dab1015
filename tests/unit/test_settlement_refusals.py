"""Every refusal of settlement, and invariants that see broken books."""

from typing import Any

import msgspec
import pytest

from shudian.contracts.governance.messages import SetSetting
from shudian.contracts.metering.messages import UnbindMeter
from shudian.contracts.roles import Kind
from shudian.contracts.settlement.messages import (
    AcceptStatement,
    AnswerObjection,
    ClearDay,
    IssueStatements,
    ObjectToLine,
    PayStatement,
    PublishDayAhead,
    PublishReferencePrices,
    PublishRegulationPrices,
)
from shudian.contracts.settlement.messages_facts import LineKind
from shudian.kernel import clock
from shudian.kernel.machine import CLOCK, STEPPED, Clock
from shudian.kernel.messages import Message
from tests.unit.test_settlement import (
    CONTRACT_KWH,
    EVIDENCE,
    EXCHANGE,
    FIRST,
    GRID,
    HYDRO,
    HYDRO_METER,
    JULY,
    SPARE,
    USER,
    USER_METER,
    Town,
    flat_lines,
)


def prices(day: int, price: int = 100_000) -> PublishReferencePrices:
    return PublishReferencePrices(day, (price,) * 24, (100_000,) * 24, (100_000,) * 24)


def day_ready(*, read: bool = True, priced: bool = True, rule: int = 2, cleared: bool = False) -> Town:
    """2 July 08:00 with what is needed to clear the 1st."""
    town = Town()
    if rule != 2:
        town.rule(rule)
    town.go_to(20260702)
    if read:
        town.read(FIRST, (0,) * 24, (10,) * 24)
    if priced:
        town.publish(FIRST, (100_000,) * 24)
    if cleared:
        town.say(EXCHANGE, ClearDay(FIRST))
    return town


def mixed() -> Town:
    town = day_ready()
    town.say(EXCHANGE, SetSetting("settlement.rule_code", Kind.USER, 20260702, (4,), "test"))
    town.go_to(20260802)
    town.publish(20260801, (100_000,) * 24)
    town.read(20260801, (0,) * 24, (10,) * 24)
    return town


DAY_CASES = [
    ({}, ClearDay(20260702), 10001),
    ({}, prices(20260703), 10001),
    ({"cleared": True}, ClearDay(FIRST), 10002),
    ({"cleared": True}, PublishDayAhead(FIRST, (USER,), (0,) * 24), 10002),
    ({}, PublishDayAhead(FIRST, (99,), (0,) * 24), 3001),
    ({}, prices(FIRST, 800_001), 10003),
    ({}, prices(FIRST, -50_001), 10003),
    ({"priced": False}, ClearDay(FIRST), 10004),
    ({"read": False}, ClearDay(FIRST), 7003),
    ({"rule": 1}, ClearDay(FIRST), 10005),
    ({"rule": 3}, ClearDay(FIRST), 10006),
    ({"cleared": True}, IssueStatements(JULY, (USER,)), 10007),
    ({}, IssueStatements(JULY, (USER, USER)), 1011),
    ({}, PublishDayAhead(FIRST, (USER,), (0,) * 23), 1011),
    ({}, PublishReferencePrices(FIRST, (0,) * 24, (0,) * 24, (0,) * 23), 1011),
    ({}, AnswerObjection(1, False, 5, "no"), 1011),
    ({}, PublishRegulationPrices(JULY, -1, 0, False), 1011),
]


@pytest.mark.parametrize(("given", "message", "number"), DAY_CASES)
def test_refusals_of_a_day(given: dict[str, Any], message: Message, number: int) -> None:
    assert day_ready(**given).refused(EXCHANGE, message) == number


def test_a_month_is_not_issued_before_it_is_over() -> None:
    town = day_ready(cleared=True)
    town.say(GRID, UnbindMeter(HYDRO_METER, FIRST), UnbindMeter(USER_METER, FIRST))
    assert town.refused(EXCHANGE, IssueStatements(JULY, (USER,))) == 10007  # later days of July can still be booked
    town.go_to(20260801)
    town.issue(USER)


def test_rules_that_do_not_fit_together_are_refused() -> None:
    assert mixed().refused(EXCHANGE, ClearDay(20260801)) == 10006


def test_prices_at_the_bounds_are_taken() -> None:
    town = day_ready(priced=False)
    town.say(EXCHANGE, prices(FIRST, 800_000), prices(FIRST, -50_000))


def test_refusals_of_a_month() -> None:
    town = Town()
    town.rule(4)
    town.agree(flat_lines(CONTRACT_KWH))
    town.month(10_000_000, 9_300_000)
    assert town.refused(EXCHANGE, IssueStatements(JULY, (USER,))) == 10008
    town.say(EXCHANGE, PublishRegulationPrices(JULY, 300_000, 280_000, down_called=False))
    assert town.refused(EXCHANGE, IssueStatements(JULY, (99,))) == 3001
    assert town.refused(EXCHANGE, IssueStatements(JULY, (SPARE,))) == 10011
    town.issue(USER)
    assert town.refused(EXCHANGE, PublishRegulationPrices(JULY, 1, 1, down_called=True)) == 10009
    assert town.refused(EXCHANGE, IssueStatements(JULY, (HYDRO, USER))) == 10010


def test_refusals_around_statements_and_lines() -> None:
    town = Town()
    town.agree(flat_lines(CONTRACT_KWH))
    town.month(10_000_000, 9_300_000)
    ids = town.issue(USER)
    statement_id, energy = ids[USER], town.line(LineKind.ENERGY)
    loss = town.line(LineKind.LOSS)
    assert town.refused(USER, AcceptStatement(99)) == 10012
    assert town.refused(HYDRO, AcceptStatement(statement_id)) == 10013
    assert town.refused(HYDRO, PayStatement(statement_id)) == 10013
    assert town.refused(USER, PayStatement(99)) == 10012
    assert town.refused(USER, PayStatement(statement_id)) == 10015
    assert town.refused(USER, ObjectToLine(99, 1, EVIDENCE, "no such")) == 10016
    assert town.refused(HYDRO, ObjectToLine(loss, 1, EVIDENCE, "not mine")) == 10017
    assert town.refused(HYDRO, ObjectToLine(energy, 1, EVIDENCE, "no statement yet")) == 10012
    objection_id = town.say(USER, ObjectToLine(energy, 1, EVIDENCE, "wrong"))[0].objection_id
    assert town.refused(USER, ObjectToLine(energy, 1, EVIDENCE, "again")) == 10019
    assert town.refused(EXCHANGE, AnswerObjection(99, False, 0, "no")) == 10020
    town.say(EXCHANGE, AnswerObjection(objection_id, False, 0, "no"))
    assert town.refused(EXCHANGE, AnswerObjection(objection_id, False, 0, "no")) == 10021
    town.say(USER, AcceptStatement(statement_id))
    assert town.refused(USER, AcceptStatement(statement_id)) == 10014
    assert town.refused(USER, ObjectToLine(loss, 1, EVIDENCE, "too late")) == 10014
    assert town.refused(USER, PayStatement(statement_id)) == 10022


def test_an_objection_in_the_very_block_that_ends_the_period_is_too_late() -> None:
    town = Town()
    ids = town.issued()
    end_day = town.statement(ids[USER]).objection_end_day
    CLOCK.put(town.book.machine.store, (), Clock(STEPPED, clock.ms_at(clock.day_after(end_day))))
    assert town.refused(USER, ObjectToLine(town.line(LineKind.LOSS), 1, EVIDENCE, "late")) == 10018


def test_invariants_see_broken_books() -> None:
    town = Town()
    ids = town.issued()
    row = town.statement(ids[USER])
    state = town.book.store.rows["settlement.statements"].data
    state[ids[USER],] = msgspec.structs.replace(row, payable_fen=row.payable_fen + 1)
    with pytest.raises(Exception, match="totals are the sums"):
        town.book.machine.check_all()
    state[ids[USER],] = row
    bills = town.book.store.rows["settlement.day_bills"].data
    key = (JULY, USER, FIRST)
    bills[key] = msgspec.structs.replace(bills[key], deviation_fen=1)
    with pytest.raises(Exception, match="sum to zero"):
        town.book.machine.check_all()
    lines = town.book.store.rows["settlement.lines"].data
    line_id = town.line(LineKind.LOSS)
    lines[line_id,] = msgspec.structs.replace(lines[line_id,], payee_id=USER)
    with pytest.raises(Exception, match="one payer, another payee"):
        town.book.machine.check_all()
