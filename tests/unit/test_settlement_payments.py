"""Netting, lines that become receivables, and what the ledgers of the grid company can pay."""

import pytest

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import Method, State, Terms
from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import CloseAccount, OpenAccount, Transfer
from shudian.contracts.settlement import rules as settlement
from shudian.contracts.settlement.messages import (
    AcceptStatement,
    AnswerObjection,
    DecideMediation,
    ObjectToLine,
    PayStatement,
    RequestMediation,
)
from shudian.contracts.settlement.messages_events import (
    LineConverted,
    LinePaid,
    LinesNetted,
    StatementOverdue,
    StatementPostponed,
)
from shudian.contracts.settlement.messages_facts import LineKind, LineState
from shudian.kernel import check, clock
from shudian.kernel.outcomes import Refused
from tests.unit.test_settlement import (
    BANK,
    EVIDENCE,
    FEES_A1,
    FIRST,
    GRID,
    HYDRO,
    JULY,
    LAST,
    PARTIES,
    RICH_FEN,
    USER,
    Town,
    flat_lines,
)
from tests.unit.test_settlement_corrections import set_rule

RECEIVABLE = "receivable:1"
CASH_FEES_FEN = sum(FEES_A1.values()) - FEES_A1["levy"]
DEVIATION_FEN = 21_000_000
"""What the grid company owes the user for 700 MWh not used at 300."""


def netting_town(user_fen: int = RICH_FEN) -> tuple[Town, dict[int, int]]:
    town = Town(user_fen=user_fen)
    set_rule(town, "settlement.netting_code", 1)
    return town, town.accepted()


def test_two_members_pay_the_difference_of_what_they_owe_each_other() -> None:
    # With 21,000,000 fen less than the gross bill, only the net can be paid.
    gross_fen = 210_000_000 + sum(FEES_A1.values())
    town, ids = netting_town(user_fen=gross_fen - DEVIATION_FEN)
    grid_before = town.free(GRID)
    reply = town.say(USER, PayStatement(ids[USER]))[0]
    assert (reply.line_count, reply.amount_fen, reply.netted_fen) == (6, gross_fen, DEVIATION_FEN)
    (netted,) = town.told(LinesNetted)
    assert (netted.payer_id, netted.payee_id) == (USER, GRID)
    assert (netted.gross_fen, netted.counter_fen) == (CASH_FEES_FEN, DEVIATION_FEN)
    assert (town.free(USER), town.free(GRID) - grid_before) == (0, CASH_FEES_FEN - DEVIATION_FEN)
    assert len(town.told(LinePaid)) == 7
    for statement_id in (ids[USER], ids[GRID]):
        row = town.statement(statement_id)
        assert (row.paid_fen, row.received_fen) == (row.payable_fen, row.receivable_fen)
    # Levies are not netted: they go to a ledger. Nothing is left for the other side to pay.
    levy = settlement.line(town.book.store, town.line(LineKind.LEVY))
    assert (levy.state, levy.netting_id) == (LineState.PAID, 0)
    assert town.refused(GRID, PayStatement(ids[GRID])) == 10022
    town.book.machine.check_all()


def test_who_is_owed_more_leaves_the_payment_to_the_other_side() -> None:
    town, ids = netting_town()
    assert town.refused(GRID, PayStatement(ids[GRID])) == 10022
    due_day = town.statement(ids[GRID]).due_day
    town.go_to(clock.day_after(due_day))
    assert [event.statement_id for event in town.told(StatementPostponed)] == [ids[GRID]]
    overdue = {event.statement_id: event.overdue_fen for event in town.told(StatementOverdue)}
    assert overdue == {ids[USER]: 210_000_000 + sum(FEES_A1.values()) - DEVIATION_FEN}
    assert town.say(USER, PayStatement(ids[USER]))[0].late
    town.book.machine.check_all()


def test_netting_that_the_payer_cannot_pay_changes_nothing() -> None:
    town, ids = netting_town(user_fen=1_000)
    before = settlement.lines_of(town.book.store, USER, JULY)
    assert town.refused(USER, PayStatement(ids[USER])) == 4003
    assert settlement.lines_of(town.book.store, USER, JULY) == before
    town.book.machine.check_all()


def test_equal_amounts_are_netted_without_a_transfer() -> None:
    town = Town()
    set_rule(town, "settlement.netting_code", 1)
    # The user sells back to the plant what it bought, at the same price.
    lines = flat_lines(744_000)
    town.agree(lines)
    agreements.bear(
        town.book.context(), Terms(1, USER, HYDRO, Method.BILATERAL, 0, "monthly", FIRST, LAST, "SC", lines)
    )
    town.month(0, 0)
    ids = town.issue()
    for member_id in PARTIES:
        town.say(member_id, AcceptStatement(ids[member_id]))
    before = town.free(HYDRO)
    town.say(HYDRO, PayStatement(ids[HYDRO]))
    assert [(event.gross_fen, event.counter_fen) for event in town.told(LinesNetted)] == [(15_624_000, 15_624_000)]
    assert town.free(HYDRO) == before
    town.book.machine.check_all()


def test_without_the_setting_both_pay_in_full() -> None:
    town = Town()
    ids = town.accepted()
    assert town.say(USER, PayStatement(ids[USER]))[0].netted_fen == 0
    assert town.say(GRID, PayStatement(ids[GRID]))[0].amount_fen == DEVIATION_FEN
    town.book.machine.check_all()


def test_a_payee_that_closed_its_account_waits_and_delays_nobody() -> None:
    town = Town()
    ids = town.accepted()
    energy_line = town.line(LineKind.ENERGY)
    cash, elsewhere = (funds.account_of(town.book.store, member_id) for member_id in (HYDRO, GRID))
    funds.transfer(town.book.context(), [Transfer(EVIDENCE[:16], cash, elsewhere, RICH_FEN, 1, "test:1")])
    town.say(HYDRO, CloseAccount())
    reply = town.say(USER, PayStatement(ids[USER]))[0]
    assert reply.amount_fen == sum(FEES_A1.values()), "all but the energy of the hydro plant"
    assert settlement.line(town.book.store, energy_line).state is LineState.OPEN
    assert town.refused(USER, PayStatement(ids[USER])) == 10022
    due_day = town.statement(ids[USER]).due_day
    town.go_to(clock.day_after(due_day))
    assert ids[USER] not in {event.statement_id for event in town.told(StatementOverdue)}, "no fault of the payer"
    assert ids[USER] in {event.statement_id for event in town.told(StatementPostponed)}
    town.say(HYDRO, OpenAccount(BANK, EVIDENCE))
    reply = town.say(USER, PayStatement(ids[USER]))[0]
    assert (reply.amount_fen, reply.late) == (210_000_000, False)
    assert town.free(HYDRO) == 210_000_000
    town.book.machine.check_all()


def convert(town: Town, line_id: int) -> None:
    settlement.convert_line(town.book.context(), line_id, RECEIVABLE)
    town.book.apply()


def test_a_converted_line_is_paid_through_its_receivable_alone() -> None:
    town = Town()
    ids = town.accepted()
    funds.reserve(town.book.context(), USER, f"agreement:{town.agreement_id}", 400_000_000)
    line_id, context = town.line(LineKind.ENERGY), town.book.context()
    line = settlement.convert_line(context, line_id, RECEIVABLE)
    assert (line.amount_fen, line.payer_id, line.payee_id) == (210_000_000, USER, HYDRO)
    assert any(isinstance(event, LineConverted) for event in context.events)
    # The debt goes on in the receivable: the agreement is settled, its collateral free.
    assert agreements.agreement(town.book.store, town.agreement_id).state is State.SETTLED
    assert town.free(USER) == RICH_FEN
    assert town.statement(ids[USER]).converted_fen == town.statement(ids[HYDRO]).assigned_fen == 210_000_000
    assert town.say(USER, PayStatement(ids[USER]))[0].amount_fen == sum(FEES_A1.values())
    assert town.refused(USER, PayStatement(ids[USER])) == 10022
    assert settlement.line(town.book.store, line_id).state is LineState.CONVERTED
    settlement.settle_converted(town.book.context(), line_id)
    assert settlement.line(town.book.store, line_id).state is LineState.REDEEMED
    town.book.machine.check_all()
    town.go_to(clock.day_after(town.statement(ids[USER]).due_day))
    assert ids[USER] not in {event.statement_id for event in town.told(StatementOverdue)}
    assert not town.told(StatementPostponed)


@pytest.mark.parametrize(
    ("state", "number"),
    [
        ("unknown", 10016),
        ("disputed", 10025),
        ("paid", 10026),
        ("converted", 10027),
        ("redeemed", 10027),
        ("corrected", 10028),
        ("not accepted", 10029),
        ("zero", 10030),
    ],
)
def test_what_cannot_become_a_receivable(state: str, number: int) -> None:
    town = Town()
    ids = town.issued()
    line_id = 999 if state == "unknown" else town.line(LineKind.ENERGY)
    if state == "zero":
        line_id = town.line(LineKind.DEVIATION, HYDRO)
    if state in ("disputed", "corrected"):
        objection_id = town.say(USER, ObjectToLine(line_id, 1, EVIDENCE, "fault"))[0].objection_id
    if state == "corrected":
        town.say(1, AnswerObjection(objection_id, True, 1, "yes"))
    for member_id in PARTIES if state != "not accepted" else (USER,):
        town.say(member_id, AcceptStatement(ids[member_id]))
    if state == "paid":
        town.say(USER, PayStatement(ids[USER]))
    if state in ("converted", "redeemed"):
        convert(town, line_id)
    if state == "redeemed":
        settlement.settle_converted(town.book.context(), line_id)
    with pytest.raises(Refused) as refused:
        settlement.convert_line(town.book.context(), line_id, RECEIVABLE)
    assert refused.value.refusal.number == number


def test_only_a_converted_line_is_redeemed() -> None:
    town = Town()
    town.accepted()
    with pytest.raises(check.CheckFailed):
        settlement.settle_converted(town.book.context(), town.line(LineKind.ENERGY))


def test_a_converted_line_waits_for_no_objection_but_mediation_corrects_it_later() -> None:
    town = Town()
    ids = town.issued()
    line_id = town.line(LineKind.ENERGY)
    objection_id = town.say(USER, ObjectToLine(line_id, 1, EVIDENCE, "fault"))[0].objection_id
    town.say(1, AnswerObjection(objection_id, False, 0, "no"))
    for member_id in PARTIES:
        town.say(member_id, AcceptStatement(ids[member_id]))
    convert(town, line_id)
    town.say(USER, RequestMediation(objection_id, "please"))
    town.say(7, DecideMediation(objection_id, 200_000_000, "a little"))
    assert settlement.line(town.book.store, line_id).state is LineState.CONVERTED
    (added,) = (row for _, row in settlement.lines_of(town.book.store, USER, 202608))
    assert (added.payer_id, added.amount_fen, added.corrects_line_id) == (HYDRO, 10_000_000, line_id)
    town.book.machine.check_all()
