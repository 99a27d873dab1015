"""Green agreements: certified volume by month and by hour, shared without certifying anything twice, and what it costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import GreenTerms, Line, Method, Terms
from shudian.contracts.metering.messages import CorrectReadings
from shudian.contracts.metering.rules_slots import pack
from shudian.contracts.settlement import rules as settlement
from shudian.contracts.settlement.messages import AcceptStatement, ClearDay, IssueStatements, PayStatement, ReclearDay
from shudian.contracts.settlement.messages_facts import BillLine, Formula, LineKind
from shudian.contracts.settlement.rules_formulas import amount_fen
from shudian.contracts.settlement.rules_green import Claim, share_out
from shudian.kernel import clock
from tests.unit.test_resources import PLANT, but, register
from tests.unit.test_settlement import (
    EXCHANGE,
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
from tests.unit.test_settlement_corrections import set_rule

ENVIRONMENTAL, COMPENSATION = 12_000, 5_000
PLANT_ID = 1


def green(resource_id: int = 0) -> GreenTerms:
    return GreenTerms(ENVIRONMENTAL, resource_id, "min_of_three", COMPENSATION)


def terms(lines: tuple[Line, ...], last_day: int = LAST, resource_id: int = 0) -> Terms:
    return Terms(2, HYDRO, USER, Method.BILATERAL, 0, "green", FIRST, last_day, "SC", lines, green=green(resource_id))


def agree(town: Town, lines: tuple[Line, ...], last_day: int = LAST, resource_id: int = 0) -> int:
    return agreements.bear(town.book.context(), terms(lines, last_day, resource_id))


def green_lines(town: Town, month: int = JULY) -> dict[tuple[int, LineKind], BillLine]:
    kinds = (LineKind.ENVIRONMENTAL, LineKind.COMPENSATION)
    rows = settlement.lines_of(town.book.store, USER, month)
    return {(row.agreement_id, row.kind): row for _, row in rows if row.kind in kinds}


# contract, generation, use in kWh -> certified kWh, environmental and compensation fen
MONTHS = [
    (1_000_000, 940_000, 975_000, 940_000, 1_128_000, 30_000),  # domain 3.7: 11,280.00
    (1_000_000, 1_200_000, 975_000, 975_000, 1_170_000, None),  # the buyer used less: the seller owes nothing
    (1_000_000, 1_200_000, 1_100_000, 1_000_000, 1_200_000, None),
    (1_000_000, 0, 1_000_000, 0, 0, 500_000),
]


@pytest.mark.parametrize(("contract", "generated", "used", "certified", "value_fen", "short_fen"), MONTHS)
def test_the_smallest_of_contract_generation_and_use(
    contract: int, generated: int, used: int, certified: int, value_fen: int, short_fen: int | None
) -> None:
    town = Town()
    agreement_id = agree(town, flat_lines(contract))
    town.month(generated, used)
    assert settlement.certified_kwh(town.book.store, agreement_id, JULY) == 0
    ids = town.issue()
    assert settlement.certified_kwh(town.book.store, agreement_id, JULY) == certified
    rows = green_lines(town)
    value = rows[agreement_id, LineKind.ENVIRONMENTAL]
    assert (value.payer_id, value.payee_id, value.amount_fen, value.energy_kwh) == (USER, HYDRO, value_fen, certified)
    assert value.explanation.values == (contract, generated, used, ENVIRONMENTAL)
    short = rows.get((agreement_id, LineKind.COMPENSATION))
    assert (short and (short.payer_id, short.payee_id, short.amount_fen)) == (short_fen and (HYDRO, USER, short_fen))
    for member_id in PARTIES:
        town.say(member_id, AcceptStatement(ids[member_id]))
    for member_id in PARTIES:
        if town.statement(ids[member_id]).payable_fen:
            town.say(member_id, PayStatement(ids[member_id]))
    assert agreements.agreement(town.book.store, agreement_id).state == "settled"
    town.book.machine.check_all()


def test_agreements_that_are_not_green_certify_nothing() -> None:
    town = Town()
    agreement_id = town.agree(flat_lines(1_000_000))
    town.month(1_000_000, 1_000_000)
    town.issue()
    assert settlement.certified_kwh(town.book.store, agreement_id, JULY) == 0
    assert green_lines(town) == {}


def test_the_older_agreement_comes_first_and_nothing_is_certified_twice() -> None:
    town = Town()
    first, second = agree(town, flat_lines(600_000)), agree(town, flat_lines(600_000))
    town.month(940_000, 2_000_000)
    town.issue()
    certified = [settlement.certified_kwh(town.book.store, number, JULY) for number in (first, second)]
    assert certified == [600_000, 340_000]
    assert green_lines(town)[second, LineKind.COMPENSATION].amount_fen == 260_000 * COMPENSATION // 10_000


def test_by_hour_a_surplus_does_not_help_another_hour() -> None:
    town = Town()
    set_rule(town, "settlement.green_rule_code", 1)
    agreement_id = agree(town, (Line(3, 1_000, 200_000), Line(13, 1_000, 200_000)), FIRST)
    town.go_to(20260801)
    for day in clock.days(FIRST, LAST):
        own = [{3: (500, 2_000), 13: (3_000, 900)}.get(hour, (0, 0)) for hour in range(24)] if day == FIRST else []
        hours = own or [(0, 0)] * 24
        town.read(day, [generated for generated, _ in hours], [used for _, used in hours])
        town.publish(day, (300_000,) * 24)
        town.say(EXCHANGE, ClearDay(day))
    town.issue()
    rows = green_lines(town)
    value, short = rows[agreement_id, LineKind.ENVIRONMENTAL], rows[agreement_id, LineKind.COMPENSATION]
    # Hour 3: min(1,000, 500, 2,000); hour 13: min(1,000, 3,000, 900). The devices missed 500 kWh of the contract.
    assert value.explanation.formula is Formula.GREEN_HOURS
    assert value.explanation.values == (ENVIRONMENTAL, FIRST, 1_400, *(0,) * 30)
    assert (value.amount_fen, value.energy_kwh) == (1_680, 1_400)
    assert (short.amount_fen, short.energy_kwh) == (250, 500)
    assert settlement.certified_kwh(town.book.store, agreement_id, JULY) == 1_400
    town.book.machine.check_all()


def test_corrected_readings_move_certified_volume_and_its_value() -> None:
    town = Town()
    agreement_id = agree(town, flat_lines(1_000_000))
    town.month(940_000, 975_000)
    town.issue()
    hours = [kwh * 250 for kwh in [0, *Town._hours(975_000, LAST)[1:]] for _ in range(4)]
    lost_kwh = Town._hours(975_000, LAST)[0]
    generated = [kwh * 250 for kwh in [0, *Town._hours(940_000, LAST)[1:]] for _ in range(4)]
    town.say(GRID, CorrectReadings(USER_METER, LAST, pack(hours), "wrong"))
    town.say(GRID, CorrectReadings(PLANT_ID, LAST, pack(generated), "wrong"))
    town.say(EXCHANGE, ReclearDay(LAST))
    gone_kwh = Town._hours(940_000, LAST)[0]
    assert lost_kwh > 0 < gone_kwh
    assert settlement.certified_kwh(town.book.store, agreement_id, JULY) == 940_000 - gone_kwh
    rows = green_lines(town, 202608)
    value = rows[agreement_id, LineKind.ENVIRONMENTAL]
    assert (value.payer_id, value.energy_kwh, value.origin_month) == (HYDRO, gone_kwh, JULY)
    assert amount_fen(value.explanation) == -value.amount_fen
    assert rows[agreement_id, LineKind.COMPENSATION].payer_id == HYDRO
    town.book.machine.check_all()


def test_a_named_device_counts_alone_with_its_units() -> None:
    town = Town()
    register(town.book, HYDRO, but(PLANT, name_zh="另一水电站", name_en="Another"))
    own, other = agree(town, flat_lines(500_000), LAST, PLANT_ID), agree(town, flat_lines(500_000), LAST, 3)
    town.month(940_000, 975_000)
    town.issue()
    certified = [settlement.certified_kwh(town.book.store, number, JULY) for number in (own, other)]
    assert certified == [500_000, 0]


ENERGIES = st.lists(st.integers(0, 9), min_size=3, max_size=3)


@given(st.lists(ENERGIES, min_size=1, max_size=5), ENERGIES, ENERGIES, st.lists(st.sampled_from((0, 1, 3)), min_size=5))
def test_shares_never_exceed_contract_devices_or_use(
    contracts: list[list[int]], first: list[int], used: list[int], named: list[int]
) -> None:
    town = TOWN
    claims = [
        Claim(number, terms(()), green(device), contract)
        for number, (contract, device) in enumerate(zip(contracts, named, strict=False))
    ]
    second = [9 - kwh for kwh in first]
    shares = share_out(town.book.store, claims, {PLANT_ID: first, 3: second}, {USER: used})
    for step in range(3):
        certified = [share.certified_kwh[step] for share in shares.values()]
        assert sum(certified) <= min(used[step], first[step] + second[step])
        assert all(0 <= kwh <= claim.contract_kwh[step] for kwh, claim in zip(certified, claims, strict=True))
        for device, generated in ((PLANT_ID, first), (3, second)):
            own = [kwh for kwh, claim in zip(certified, claims, strict=True) if claim.green.resource_id == device]
            assert sum(own) <= generated[step]


TOWN = Town()
register(TOWN.book, HYDRO, but(PLANT, name_zh="另一水电站", name_en="Another"))


def test_a_month_without_statements_cannot_be_read_ahead() -> None:
    town = Town()
    agreement_id = agree(town, flat_lines(1_000_000), 20260831)
    town.month(940_000, 975_000)
    town.say(EXCHANGE, IssueStatements(JULY, PARTIES))
    assert settlement.certified_kwh(town.book.store, agreement_id, JULY) > 0
    assert settlement.certified_kwh(town.book.store, agreement_id, 202608) == 0
