"""Corrections 退补: days cleared anew, objections to paid lines, mediation; the books sum to zero after each."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import GreenTerms, Line, Method, State, Terms
from shudian.contracts.funds.messages import Code
from shudian.contracts.governance.messages import SetSetting
from shudian.contracts.metering.messages import CorrectReadings, UnbindMeter
from shudian.contracts.metering.rules_slots import pack
from shudian.contracts.settlement import rules as settlement
from shudian.contracts.settlement.messages import (
    AcceptStatement,
    AnswerObjection,
    ClearDay,
    DecideMediation,
    IssueStatements,
    ObjectToLine,
    PayStatement,
    PublishRegulationPrices,
    ReclearDay,
    RequestMediation,
)
from shudian.contracts.settlement.messages_events import DayBilled, DayCleared, ObjectionDecided
from shudian.contracts.settlement.messages_facts import BillLine, LineKind, LineState
from shudian.contracts.settlement.rules_formulas import amount_fen
from shudian.kernel import clock
from tests.unit.test_settlement import (
    CONTRACT_KWH,
    EVIDENCE,
    EXCHANGE,
    FEES_A1,
    FIRST,
    GRID,
    HYDRO,
    JULY,
    LAST,
    PARTIES,
    USER,
    USER_METER,
    Town,
    flat_lines,
)

AUGUST = 202608
REGULATOR = 7


def read_again(town: Town, used_kwh: list[int], day: int = FIRST) -> None:
    values = pack([kwh * 250 for kwh in used_kwh for _ in range(4)])
    town.say(GRID, CorrectReadings(USER_METER, day, values, "meter replaced"))


def used_before(day: int = FIRST) -> list[int]:
    return Town._hours(9_300_000, day)


def green_terms(lines: tuple[Line, ...]) -> Terms:
    green = GreenTerms(12_000, 0, "min_of_three", 5_000)
    return Terms(2, HYDRO, USER, Method.BILATERAL, 0, "green", FIRST, LAST, "SC", lines, green=green)


def lines_in(town: Town, month: int, member_id: int = USER) -> list[BillLine]:
    return [row for _, row in settlement.lines_of(town.book.store, member_id, month)]


def signed(rows: list[BillLine], member_id: int = USER) -> dict[str, int]:
    return {row.kind.value: row.amount_fen * (1 if row.payer_id == member_id else -1) for row in rows}


def all_paid(town: Town, ids: dict[int, int]) -> None:
    for member_id in PARTIES:
        town.say(member_id, AcceptStatement(ids[member_id]))
    for member_id in (USER, GRID):
        town.say(member_id, PayStatement(ids[member_id]))


def august_ready(town: Town) -> dict[int, int]:
    """August without energy of its own: its days cleared, statements issued, accepted."""
    town.go_to(20260901)
    for day in clock.days(20260801, 20260831):
        town.read(day, (0,) * 24, (0,) * 24)
        town.publish(day, (300_000,) * 24)
        town.say(EXCHANGE, ClearDay(day))
    ids = dict(zip(PARTIES, town.say(EXCHANGE, IssueStatements(AUGUST, PARTIES))[0].statement_ids, strict=True))
    for member_id in PARTIES:
        town.say(member_id, AcceptStatement(ids[member_id]))
    return ids


def test_a_day_cleared_anew_before_the_month_is_issued_changes_the_lines_alone() -> None:
    town = Town()
    town.agree(flat_lines(CONTRACT_KWH))
    town.month(10_000_000, 9_300_000)
    hours = used_before()
    read_again(town, [hours[0] + 1_000, *hours[1:]])
    reply = town.say(EXCHANGE, ReclearDay(FIRST))[0]
    assert (reply.member_count, reply.line_ids) == (2, ())
    assert {event.member_id for event in town.told(DayBilled)} == {USER, GRID}
    assert [event.version_no for event in town.told(DayCleared)] == [2]
    town.issue()
    amounts = town.amounts(USER)
    assert amounts["deviation"] == -21_000_000 + 30_000
    assert amounts["transmission"] == 59_898_440  # 9,301,000 kWh x 0.0644
    town.book.machine.check_all()


def test_differences_of_an_issued_month_stand_in_the_next_one_linked_and_explained() -> None:
    town = Town()
    ids = town.issued()
    all_paid(town, ids)
    hours = used_before()
    read_again(town, [hours[0] + 1_000, *hours[1:]])
    line_ids = town.say(EXCHANGE, ReclearDay(FIRST))[0].line_ids
    town.book.machine.check_all()
    july = {row.kind: line_id for line_id, row in settlement.lines_of(town.book.store, USER, JULY)}
    rows = {line_id: settlement.line(town.book.store, line_id) for line_id in line_ids}
    # 1 MWh more at 300; of each fee the difference of two rounded amounts: system 411,801.78 - 411,757.50, funds 438,716.54 - 438,669.38.
    assert signed(list(rows.values())) == {
        "deviation": 30_000,
        "loss": 1_557,
        "transmission": 6_440,
        "system": 4_428,
        "levy": 4_716,
    }
    for row in rows.values():
        assert (row.month, row.origin_month, row.energy_kwh) == (AUGUST, JULY, 1_000)
        assert row.corrects_line_id == july[row.kind]
        assert abs(amount_fen(row.explanation)) == row.amount_fen
    assert town.refused(EXCHANGE, ReclearDay(FIRST)) == 10024
    august = august_ready(town)
    owed = sum(row.amount_fen for row in rows.values())
    assert town.statement(august[USER]).payable_fen == owed + 40_500_000
    town.say(USER, PayStatement(august[USER]))
    assert all(row.state is LineState.PAID for row in lines_in(town, AUGUST))
    town.book.machine.check_all()


def test_a_refund_turns_the_sides_and_comes_from_the_ledger_that_was_paid() -> None:
    town = Town()
    ids = town.issued()
    all_paid(town, ids)
    hours = used_before()
    read_again(town, [hours[0] - 1_000, *hours[1:]])
    town.say(EXCHANGE, ReclearDay(FIRST))
    rows = {row.kind: row for row in lines_in(town, AUGUST)}
    assert {(row.payer_id, row.payee_id) for row in rows.values()} == {(GRID, USER)}
    assert rows[LineKind.LOSS].energy_kwh == -rows[LineKind.LOSS].explanation.values[0] + 9_300_000 == 1_000
    august = august_ready(town)
    levy_before = town.free(GRID, Code.LEVY)
    town.say(GRID, PayStatement(august[GRID]))
    assert levy_before - town.free(GRID, Code.LEVY) == rows[LineKind.LEVY].amount_fen
    town.book.machine.check_all()


def test_a_day_cleared_anew_twice_bills_each_difference_once() -> None:
    town = Town()
    town.issued()
    hours = used_before()
    for more in (1_000, 0):
        read_again(town, [hours[0] + more, *hours[1:]])
        town.say(EXCHANGE, ReclearDay(FIRST))
    total: dict[str, int] = {}
    for row in lines_in(town, AUGUST):
        total[row.kind.value] = total.get(row.kind.value, 0) + signed([row])[row.kind.value]
    assert set(total.values()) == {0}
    town.book.machine.check_all()


def test_f4_is_settled_anew_for_the_whole_month() -> None:
    town = Town()
    town.rule(4)
    town.agree(flat_lines(CONTRACT_KWH))
    town.month(10_000_000, 9_600_000)
    town.issue()
    read_again(town, [0, *Town._hours(9_600_000, FIRST)[1:]])
    # Short beyond the band now: without the month's regulation prices it cannot be settled, with them it can, even late.
    assert town.refused(EXCHANGE, ReclearDay(FIRST)) == 10008
    town.say(EXCHANGE, PublishRegulationPrices(JULY, 300_000, 280_000, down_called=False))
    town.say(EXCHANGE, ReclearDay(FIRST))
    short_kwh = Town._hours(9_600_000, FIRST)[0]
    rows = {row.kind: row for row in lines_in(town, AUGUST)}
    assert rows[LineKind.ENERGY].amount_fen == short_kwh * 21
    assert (rows[LineKind.ENERGY].payer_id, rows[LineKind.ENERGY].payee_id) == (HYDRO, USER)
    assert rows[LineKind.ASSESSMENT].corrects_line_id == 0
    assert rows[LineKind.ASSESSMENT].energy_kwh == short_kwh
    town.book.machine.check_all()


def test_refusals_of_clearing_anew() -> None:
    town = Town()
    assert town.refused(EXCHANGE, ReclearDay(FIRST)) == 10023
    town.agree(flat_lines(CONTRACT_KWH))
    town.month(10_000_000, 9_300_000)
    assert town.refused(EXCHANGE, ReclearDay(FIRST)) == 10024


def objected(town: Town, ids: dict[int, int], claimed_fen: int = 200_000_000) -> tuple[int, int]:
    """The user objects to its energy line; all accept. Returns line and objection."""
    line_id = town.line(LineKind.ENERGY)
    objection_id = town.say(USER, ObjectToLine(line_id, claimed_fen, EVIDENCE, "fault"))[0].objection_id
    for member_id in PARTIES:
        town.say(member_id, AcceptStatement(ids[member_id]))
    return line_id, objection_id


def test_a_disputed_line_is_paid_provisionally_and_corrected_in_the_next_month() -> None:
    town = Town()
    ids = town.issued()
    line_id, objection_id = objected(town, ids)
    assert town.say(USER, PayStatement(ids[USER]))[0].line_count == 5
    assert town.refused(USER, PayStatement(ids[USER])) == 10022
    assert town.say(USER, PayStatement(ids[USER], provisional=True))[0].amount_fen == 210_000_000
    assert agreements.agreement(town.book.store, town.agreement_id).state is State.SETTLED
    town.say(EXCHANGE, AnswerObjection(objection_id, True, 205_000_000, "half of it"))
    line = settlement.line(town.book.store, line_id)
    assert (line.state, line.amount_fen) == (LineState.PAID, 210_000_000)
    (added,) = lines_in(town, AUGUST)
    assert (added.payer_id, added.payee_id, added.amount_fen) == (HYDRO, USER, 5_000_000)
    assert (added.corrects_line_id, added.origin_month, added.agreement_id) == (line_id, JULY, town.agreement_id)
    assert amount_fen(added.explanation) == -5_000_000
    august = august_ready(town)
    before = town.free(USER)
    town.say(HYDRO, PayStatement(august[HYDRO]))
    assert town.free(USER) - before == 5_000_000
    town.book.machine.check_all()


def test_the_rule_can_have_all_disputed_lines_paid_provisionally() -> None:
    town = Town()
    set_rule(town, "settlement.provisional_code", 1)
    ids = town.issued()
    line_id, objection_id = objected(town, ids)
    assert town.say(USER, PayStatement(ids[USER]))[0].line_count == 6
    town.say(EXCHANGE, AnswerObjection(objection_id, False, 0, "no"))
    assert settlement.line(town.book.store, line_id).state is LineState.PAID
    assert lines_in(town, AUGUST) == []
    town.book.machine.check_all()


def set_rule(town: Town, name: str, *values: int, scope: str = "", day: int = FIRST) -> None:
    town.say(EXCHANGE, SetSetting(name, scope, day, values, "test"))


def test_mediation_replaces_the_answer_before_payment() -> None:
    town = Town()
    ids = town.issued()
    line_id, objection_id = objected(town, ids)
    town.say(EXCHANGE, AnswerObjection(objection_id, False, 0, "no"))
    town.say(USER, RequestMediation(objection_id, "the photograph shows it"))
    assert settlement.line(town.book.store, line_id).state is LineState.DISPUTED
    assert town.say(USER, PayStatement(ids[USER]))[0].line_count == 5
    town.say(REGULATOR, DecideMediation(objection_id, 207_000_000, "half way"))
    decided: Any = town.told(ObjectionDecided)[0]
    assert (decided.state, decided.change_fen, decided.statement_change_fen) == ("mediated", -3_000_000, -3_000_000)
    assert settlement.line(town.book.store, line_id).state is LineState.CORRECTED
    assert town.say(USER, PayStatement(ids[USER]))[0].amount_fen == 207_000_000
    town.book.machine.check_all()


def test_mediation_after_payment_corrects_what_the_answer_left() -> None:
    town = Town()
    ids = town.issued()
    line_id, objection_id = objected(town, ids)
    town.say(USER, PayStatement(ids[USER], provisional=True))
    town.say(EXCHANGE, AnswerObjection(objection_id, True, 205_000_000, "half"))
    town.say(HYDRO, RequestMediation(objection_id, "it was delivered"))
    town.say(REGULATOR, DecideMediation(objection_id, 208_000_000, "less than half"))
    added = lines_in(town, AUGUST)
    assert [signed([row])["energy"] for row in added] == [-5_000_000, 3_000_000]
    assert {row.corrects_line_id for row in added} == {line_id}
    assert 210_000_000 + sum(signed([row])["energy"] for row in added) == 208_000_000
    town.book.machine.check_all()


def test_mediation_that_changes_nothing_reopens_the_line() -> None:
    town = Town()
    ids = town.issued()
    line_id, objection_id = objected(town, ids)
    town.say(EXCHANGE, AnswerObjection(objection_id, False, 0, "no"))
    town.say(USER, RequestMediation(objection_id, "please"))
    town.say(REGULATOR, DecideMediation(objection_id, 210_000_000, "no"))
    assert settlement.line(town.book.store, line_id).state is LineState.OPEN
    town.book.machine.check_all()


def test_refusals_of_mediation() -> None:
    town = Town()
    ids = town.issued()
    _, objection_id = objected(town, ids)
    assert town.refused(USER, RequestMediation(99, "none")) == 10020
    assert town.refused(GRID, RequestMediation(objection_id, "not mine")) == 10017
    assert town.refused(USER, RequestMediation(objection_id, "early")) == 10031
    assert town.refused(REGULATOR, DecideMediation(objection_id, 1, "early")) == 10034
    assert town.refused(REGULATOR, DecideMediation(99, 1, "none")) == 10020
    assert town.refused(REGULATOR, DecideMediation(objection_id, -1, "negative")) == 1011
    assert town.refused(USER, RequestMediation(objection_id, "")) == 1011
    town.say(EXCHANGE, AnswerObjection(objection_id, False, 0, "no"))
    town.say(USER, RequestMediation(objection_id, "please"))
    assert town.refused(HYDRO, RequestMediation(objection_id, "again")) == 10033
    town.say(REGULATOR, DecideMediation(objection_id, 210_000_000, "no"))
    assert town.refused(USER, RequestMediation(objection_id, "again")) == 10033


def test_mediation_can_be_asked_for_five_working_days_long() -> None:
    town = Town()
    ids = town.issued()
    _, objection_id = objected(town, ids)
    town.say(EXCHANGE, AnswerObjection(objection_id, False, 0, "no"))
    end_day = town.told(ObjectionDecided)[0].mediation_end_day
    # Saturday 1 August: Monday to Friday of the week after.
    assert end_day == 20260807
    town.go_to(clock.day_after(end_day))
    assert town.refused(USER, RequestMediation(objection_id, "late")) == 10032


def test_a_late_answer_says_so() -> None:
    town = Town()
    ids = town.issued()
    _, objection_id = objected(town, ids)
    town.go_to(20260806)
    town.say(EXCHANGE, AnswerObjection(objection_id, False, 0, "no"))
    assert town.told(ObjectionDecided)[0].late


HOURS = st.lists(st.integers(0, 40_000), min_size=24, max_size=24)


@settings(max_examples=10, deadline=None)
@given(st.sampled_from((2, 4)), st.lists(st.tuples(st.integers(0, 30), HOURS), min_size=1, max_size=3))
def test_settling_anew_comes_to_the_same_as_having_been_right_from_the_start(
    rule: int, readings: list[tuple[int, list[int]]]
) -> None:
    july = list(clock.days(FIRST, LAST))
    right = {july[place]: hours for place, hours in readings}

    def settled(*, at_once: bool) -> dict[str, int]:
        town = Town()
        town.rule(rule)
        town.agree(flat_lines(CONTRACT_KWH))
        town.month(10_000_000, 9_300_000)
        town.say(EXCHANGE, PublishRegulationPrices(JULY, 300_000, 280_000, down_called=False))
        if not at_once:
            town.issue()
        for day, hours in right.items():
            if hours != used_before(day):
                read_again(town, hours, day)
                town.say(EXCHANGE, ReclearDay(day))
        if at_once:
            town.issue()
        town.book.machine.check_all()
        found: dict[str, int] = {}
        for row in (*lines_in(town, JULY), *lines_in(town, AUGUST)):
            sign = 1 if row.payer_id == USER else -1
            found[row.kind.value] = found.get(row.kind.value, 0) + sign * row.amount_fen
        return {kind: amount for kind, amount in found.items() if amount}

    assert settled(at_once=False) == settled(at_once=True)


def test_a_shift_between_hours_that_changes_no_total_still_moves_certified_hours() -> None:
    town = Town()
    set_rule(town, "settlement.green_rule_code", 1)
    agreement_id = agreements.bear(town.book.context(), green_terms((Line(3, 31_000, 200_000),)))
    town.month(744_000, 744_000)
    town.issue()
    assert settlement.certified_kwh(town.book.store, agreement_id, JULY) == 31_000
    read_again(town, [1_000, 1_000, 2_000, 0, *(1_000,) * 20])
    reply = town.say(EXCHANGE, ReclearDay(FIRST))[0]
    assert [event.member_id for event in town.told(DayBilled)] == [USER]
    assert settlement.certified_kwh(town.book.store, agreement_id, JULY) == 30_000
    (row,) = (settlement.line(town.book.store, line_id) for line_id in reply.line_ids)
    assert (row.kind, row.payer_id, row.amount_fen) == (LineKind.ENVIRONMENTAL, HYDRO, 1_200)
    town.book.machine.check_all()


def test_corrections_pass_over_every_month_whose_lines_are_made() -> None:
    town = Town()
    ids = town.issued()
    all_paid(town, ids)
    august_ready(town)
    hours = used_before()
    read_again(town, [hours[0] + 1_000, *hours[1:]])
    town.say(EXCHANGE, ReclearDay(FIRST))
    assert lines_in(town, 202609)
    assert {row.origin_month for row in lines_in(town, 202609)} == {JULY}
    town.book.machine.check_all()


def test_a_month_of_corrections_alone_has_statements_for_those_concerned() -> None:
    town = Town()
    town.issued()
    for meter_id in (1, USER_METER):
        town.say(GRID, UnbindMeter(meter_id, LAST))
    hours = used_before()
    read_again(town, [hours[0] + 1_000, *hours[1:]])
    town.say(EXCHANGE, ReclearDay(FIRST))
    town.go_to(20260901)
    assert town.refused(EXCHANGE, IssueStatements(AUGUST, (HYDRO,))) == 10011
    ids = town.say(EXCHANGE, IssueStatements(AUGUST, (GRID, USER)))[0].statement_ids
    assert town.statement(ids[1]).payable_fen == 30_000 + 1_557 + 6_440 + 4_428 + 4_716
    town.book.machine.check_all()


def test_mediation_of_an_upheld_objection_goes_on_with_the_line_that_stands() -> None:
    town = Town()
    ids = town.issued()
    line_id, objection_id = objected(town, ids)
    town.say(EXCHANGE, AnswerObjection(objection_id, True, 205_000_000, "half"))
    town.say(HYDRO, RequestMediation(objection_id, "it was delivered"))
    town.say(REGULATOR, DecideMediation(objection_id, 209_000_000, "nearly all"))
    rows = [(i, row) for i, row in settlement.lines_of(town.book.store, USER, JULY) if row.kind is LineKind.ENERGY]
    first, second, third = rows
    assert [row.amount_fen for _, row in rows] == [210_000_000, 205_000_000, 209_000_000]
    assert [row.state for _, row in rows] == [LineState.CORRECTED, LineState.CORRECTED, LineState.OPEN]
    assert (first[0], second[1].corrects_line_id, third[1].corrects_line_id) == (line_id, line_id, second[0])
    assert town.say(USER, PayStatement(ids[USER]))[0].amount_fen == 209_000_000 + sum(FEES_A1.values())
    town.book.machine.check_all()
