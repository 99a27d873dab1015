"""Certificates: filing, issue from readings, sale, green delivery, retirement, expiry; the worked examples 3.7 and 5.2; every refusal."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from stdnum.iso7064 import mod_37_36

from shudian.contracts.agreements import rules as agreements
from shudian.contracts.agreements.messages import GreenTerms, Line, Method, Terms
from shudian.contracts.certificates import rules as certificates
from shudian.contracts.certificates import rules_provenance
from shudian.contracts.certificates.messages import (
    BuyCertificates,
    DeliverCertificates,
    FileProject,
    IssueCertificates,
    ListCertificates,
    LotState,
    Purpose,
    RetireCertificates,
    WithdrawCertificates,
)
from shudian.contracts.certificates.messages_codes import check_character
from shudian.contracts.certificates.messages_events import (
    BundleReleased,
    CertificatesBundled,
    CertificatesExpired,
    CertificatesIssued,
    CertificatesTransferred,
)
from shudian.contracts.certificates.messages_refusals import REFUSALS
from shudian.contracts.certificates.state import ISSUANCES, LISTINGS, LOTS, PROJECTS, RETIREMENTS, Provenance
from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import ConfirmDeposit, OpenAccount
from shudian.contracts.governance.messages import SetSetting
from shudian.contracts.identity.messages import FreezeMember
from shudian.contracts.metering.messages import BindMeter, CorrectReadings, Direction, SubmitReadings
from shudian.contracts.metering.rules_slots import pack
from shudian.contracts.resources.messages import Fuel
from shudian.contracts.roles import Kind
from shudian.contracts.settlement import rules as settlement
from shudian.contracts.settlement.messages import ClearDay, IssueStatements, LineKind, PublishReferencePrices
from shudian.kernel import check, clock
from shudian.kernel.codec import decode, encode
from shudian.kernel.crypto import sha256
from shudian.kernel.machine import CLOCK, STEPPED, Clock
from shudian.kernel.messages import Message
from shudian.market import MARKET
from tests.support.ledger import Ledger
from tests.unit.test_resources import LOAD, PLANT, STORAGE, WIND, but, change, market, register, unit_of

EXCHANGE, GRID, OWNER, USER, BANK, OTHER, REGULATOR = 1, 2, 3, 4, 5, 6, 7
KINDS = (Kind.EXCHANGE, Kind.GRID_COMPANY, Kind.GENERATOR, Kind.USER, Kind.BANK, Kind.RETAILER, Kind.REGULATOR)
FARM, SMELTER, NEW_HYDRO, OLD_HYDRO = 1, 2, 3, 4
FARM_METER, SMELTER_METER, NEW_METER, OLD_METER = 1, 2, 3, 4
JULY, AUGUST, SEPTEMBER = 202607, 202608, 202609
MWH = 1_000_000
RICH_FEN = 1_000_000_000
CONTRACTS = MARKET.contracts[2 : MARKET.contracts.index(certificates.CONTRACT) + 1]
"""All from funds up to certificates."""


def days_of(month: int) -> list[int]:
    return list(clock.days(clock.month_first_day(month), clock.month_last_day(month)))


def spread(total_wh: int, month: int) -> list[tuple[int, ...]]:
    """A month's energy evenly over its slots, what is left on the very first one."""
    days_count = len(days_of(month))
    each, rest = divmod(total_wh, days_count * 96)
    return [(each + rest * (place == 0), *[each] * 95) for place in range(days_count)]


class Grove:
    """A wind farm (200 MW), a new and an old hydro plant of one owner, and a smelter; metered from July on, with money at the bank."""

    def __init__(self) -> None:
        self.book: Ledger = market(*CONTRACTS, kinds=KINDS)
        register(self.book, OWNER, WIND)
        register(self.book, USER, LOAD)
        register(self.book, OWNER, PLANT, PLANT)
        first_day = clock.month_first_day(JULY)
        for meter_id, direction in ((1, Direction.GENERATION), (2, Direction.LOAD), (3, Direction.GENERATION)):
            self.say(GRID, BindMeter(f"M{meter_id}", meter_id, direction, first_day))
        self.say(GRID, BindMeter("M4", OLD_HYDRO, Direction.GENERATION, first_day))
        for member_id in (OWNER, USER, OTHER):
            self.say(member_id, OpenAccount(BANK, sha256(b"account")))
            self.say(BANK, ConfirmDeposit(member_id, RICH_FEN, sha256(b"deposit %d" % member_id)))
        self.say(EXCHANGE, FileProject(FARM, 20190101, True))
        self.say(EXCHANGE, FileProject(NEW_HYDRO, 20230101, True), FileProject(OLD_HYDRO, 20000101, True))

    def say(self, sender_id: int, *messages: Message) -> list[Any]:
        """Say messages in one block; each must be carried out. Returns the replies."""
        outcomes = self.book.apply(self.book.envelope(sender_id, *messages))[0]
        assert all(outcome.done for outcome in outcomes), outcomes
        return [self.book.reply(outcome) for outcome in outcomes]

    def refused(self, sender_id: int, message: Message) -> int:
        return self.book.refused(sender_id, message)

    def go_to(self, day: int, hour: int = 8) -> None:
        self.book.advance(clock.ms_at(day, hour))

    def read(self, month: int, **month_wh: int) -> None:
        """A month of even readings per meter in Wh, none for meters that are not named; the month is over afterwards."""
        names = {"farm": FARM_METER, "smelter": SMELTER_METER, "new": NEW_METER, "old": OLD_METER}
        columns = {meter_id: spread(month_wh.get(name, 0), month) for name, meter_id in names.items()}
        self.read_columns(month, columns)

    def read_columns(self, month: int, columns: dict[int, list[tuple[int, ...]]]) -> None:
        self.go_to(clock.month_first_day(clock.month_after(month)))
        meter_ids = tuple(sorted(columns))
        messages = [
            SubmitReadings(day, meter_ids, b"".join(pack(columns[meter_id][place]) for meter_id in meter_ids))
            for place, day in enumerate(days_of(month))
        ]
        self.say(GRID, *messages)

    def correct(self, day: int, total_wh: int) -> None:
        """The farm's readings of a day are replaced."""
        self.say(
            GRID,
            CorrectReadings(
                FARM_METER, day, pack((total_wh - 95 * (total_wh // 96), *[total_wh // 96] * 95)), "recount"
            ),
        )

    def issue(self, month: int, *resource_ids: int) -> tuple[int, ...]:
        counts: tuple[int, ...] = self.say(EXCHANGE, IssueCertificates(month, resource_ids or (FARM,)))[0].counts_certs
        return counts

    def event(self, kind: type[Any]) -> Any:
        return next(event for event in self.book.events if isinstance(event, kind))

    def lots(self, resource_id: int = FARM, month: int = AUGUST) -> list[tuple[int, int, int, str]]:
        """(first serial, count, holder, state)."""
        return [
            (int(key[2]), lot.count_certs, lot.holder_id, lot.state.value)
            for key, lot in LOTS.range(self.book, resource_id, month)
        ]

    def sell(self, first: int, count: int, price_fen: int = 231, buyer_id: int = 0, month: int = AUGUST) -> int:
        listing_id: int = self.say(OWNER, ListCertificates(FARM, month, first, count, price_fen, buyer_id))[
            0
        ].listing_id
        return listing_id

    def agree(self, resource_id: int = FARM, total_kwh: int = 1_000_000, month: int = AUGUST) -> int:
        each = total_kwh // 24
        lines = tuple(Line(hour, each + (total_kwh - 24 * each) * (hour == 0), 300_000) for hour in range(24))
        green = GreenTerms(12_000, resource_id, "min_of_three", 5_000)
        first_day, last_day = clock.month_first_day(month), clock.month_last_day(month)
        terms = Terms(2, OWNER, USER, Method.BILATERAL, 0, "monthly", first_day, last_day, "SC", lines, green)
        return agreements.bear(self.book.context(), terms)


def retire(first: int, count: int, month: int = AUGUST, resource_id: int = FARM) -> RetireCertificates:
    return RetireCertificates(resource_id, month, first, count, "某铝业公司", Purpose.OWN_USE, AUGUST, AUGUST)


@pytest.fixture
def grove() -> Grove:
    return Grove()


@pytest.fixture
def august() -> Grove:
    """5.2: 0.5 MWh carried from July, 1,234.567 MWh in August, issued."""
    town = Grove()
    town.read(JULY, farm=500_000)
    assert town.issue(JULY) == (0,)
    town.read(AUGUST, farm=1_234_567_000, new=2 * MWH, old=3 * MWH)
    assert town.issue(AUGUST) == (1_235,)
    return town


@pytest.fixture
def certified(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[int, int], int]:
    """What settlement says it certified, by (agreement, month); a month that is named here is on a statement."""
    volumes: dict[tuple[int, int], int] = {}

    def certified_kwh(_at: Any, agreement_id: int, month: int) -> int:
        return volumes.get((agreement_id, month), 0)

    def statement_of(_at: Any, _member_id: int, month: int) -> tuple[int, None] | None:
        return (1, None) if any(named == month for _, named in volumes) else None

    monkeypatch.setattr(settlement, "certified_kwh", certified_kwh)
    monkeypatch.setattr(settlement, "statement_of", statement_of)
    return volumes


# ---------------------------------------------------------------------------------------------- worked examples


def test_example_5_2_issue_sell_retire(august: Grove) -> None:
    issued = august.event(CertificatesIssued)
    assert (issued.count_certs, issued.carry_in_wh, issued.carry_out_wh) == (1_235, 500_000, 67_000)
    assert issued.valid_to_day == 20280731
    listing_id = august.sell(1, 935)
    bought = august.say(USER, BuyCertificates(listing_id, 935))[0]
    assert (bought.paid_fen, bought.left_certs) == (215_985, 0)
    assert funds.free_fen(august.book, funds.account_of(august.book, OWNER)) == RICH_FEN + 215_985
    assert funds.free_fen(august.book, funds.account_of(august.book, USER)) == RICH_FEN - 215_985
    august.say(OWNER, retire(936, 300))
    assert august.lots() == [(1, 935, USER, "held"), (936, 300, OWNER, "retired")]
    assert august.refused(USER, ListCertificates(FARM, AUGUST, 1, 1, 231)) == 11015
    assert august.refused(OWNER, retire(936, 300)) == 11010
    august.say(USER, retire(1, 935))
    august.book.machine.check_all()


def test_example_3_7_green_delivery(grove: Grove, certified: dict[tuple[int, int], int]) -> None:
    agreement_id = grove.agree()
    grove.read(JULY)
    grove.read(AUGUST, farm=940 * MWH, smelter=975 * MWH)
    assert grove.issue(JULY) == (0,)
    assert grove.issue(AUGUST) == (940,)
    assert grove.event(CertificatesBundled).agreement_id == agreement_id
    assert grove.lots() == [(1, 940, OWNER, "bundled")]
    assert grove.refused(EXCHANGE, DeliverCertificates(agreement_id, AUGUST)) == 11022
    certified[agreement_id, AUGUST] = 940_000
    reply = grove.say(EXCHANGE, DeliverCertificates(agreement_id, AUGUST))[0]
    assert (reply.moved_certs, reply.due_certs) == (940, 0)
    moved = grove.event(CertificatesTransferred)
    assert (moved.seller_id, moved.buyer_id, moved.count_certs, moved.paid_fen) == (OWNER, USER, 940, 0)
    assert grove.lots() == [(1, 940, USER, "held")]
    assert grove.refused(USER, ListCertificates(FARM, AUGUST, 1, 940, 231)) == 11015
    grove.say(USER, retire(1, 940))
    grove.book.machine.check_all()


def test_example_3_7_with_the_real_settlement(grove: Grove) -> None:
    """Contract 1,000, generation 940, use 975 MWh: 940 certificates, 11,280.00 yuan of environmental fee."""
    agreement_id = grove.agree()
    grove.read(JULY)
    grove.read(AUGUST, farm=940 * MWH, smelter=975 * MWH)
    grove.issue(JULY)
    grove.issue(AUGUST)
    prices = (300_000,) * 24
    for day in days_of(AUGUST):
        grove.say(EXCHANGE, PublishReferencePrices(day, prices, prices, prices), ClearDay(day))
    assert grove.refused(EXCHANGE, DeliverCertificates(agreement_id, AUGUST)) == 11022
    grove.say(EXCHANGE, IssueStatements(AUGUST, (GRID, OWNER, USER)))
    lines = settlement.lines_of(grove.book, USER, AUGUST)
    assert [line.amount_fen for _, line in lines if line.kind is LineKind.ENVIRONMENTAL] == [1_128_000]
    grove.say(EXCHANGE, DeliverCertificates(agreement_id, AUGUST))
    assert grove.lots() == [(1, 940, USER, "held")]
    grove.book.machine.check_all()


# ---------------------------------------------------------------------------------------------- filing and issue


@pytest.mark.parametrize(
    ("resource", "commissioning_day", "fully_in_market", "tradable"),
    [
        (WIND, 20190101, False, True),
        (but(WIND, fuel=Fuel.SOLAR), 20190101, False, True),
        (WIND, 0, True, False),  # nobody knows since when
        (PLANT, 20221231, True, False),
        (PLANT, 20230101, True, True),
        (PLANT, 20230101, False, False),
        (PLANT, 0, True, False),
    ],
)
def test_trade_class(
    grove: Grove, resource: Any, commissioning_day: int, fully_in_market: bool, tradable: bool
) -> None:
    (resource_id,) = register(grove.book, OWNER, resource)
    grove.say(GRID, BindMeter("N", resource_id, Direction.GENERATION, clock.month_first_day(JULY)))
    code = grove.say(EXCHANGE, FileProject(resource_id, commissioning_day, fully_in_market))[0].project_code
    grove.read_columns(JULY, {5: spread(3 * MWH, JULY)})
    grove.issue(JULY, resource_id)
    assert grove.event(CertificatesIssued).tradable is tradable
    assert len(code) == 17
    assert mod_37_36.is_valid(code)
    (piece,) = grove.event(CertificatesIssued).pieces
    assert (piece.lot.project_code, piece.lot.tradable) == (code, tradable)


def test_classes_are_dated(grove: Grove) -> None:
    grove.read(JULY, farm=MWH)
    grove.read(AUGUST, farm=MWH)
    rule = SetSetting("certificates.trade_class_code", "wind", 20260901, (2,), "test")
    grove.say(EXCHANGE, rule)
    grove.issue(JULY)
    grove.issue(AUGUST)
    assert grove.event(CertificatesIssued).tradable
    grove.read(SEPTEMBER, farm=MWH)
    grove.issue(SEPTEMBER)
    assert not grove.event(CertificatesIssued).tradable
    assert grove.refused(OWNER, ListCertificates(FARM, SEPTEMBER, 1, 1, 100)) == 11014
    grove.say(OWNER, retire(1, 1, SEPTEMBER))


def test_owner_cannot_make_a_filed_project_tradable(grove: Grove) -> None:
    """The card holds what the exchange has checked; a later word of the owner changes nothing."""
    grove.say(OWNER, change(OLD_HYDRO, PLANT, commissioning_day=20240101))
    grove.read(JULY, old=MWH)
    grove.issue(JULY, OLD_HYDRO)
    assert not grove.event(CertificatesIssued).tradable


@pytest.mark.parametrize(
    ("metered", "counts", "carries"),
    [
        # devices 101 and 103 of the reference set: a big and a small one
        ((2_416_448_975, 838_525_940, 1_333_854_492), (2_416, 838, 1_334), (448_975, 974_915, 829_407)),
        ((1_038_910, 1_104_623, 813_269), (1, 1, 0), (38_910, 143_533, 956_802)),
    ],
)
def test_remainders_are_carried(
    grove: Grove, metered: Sequence[int], counts: Sequence[int], carries: Sequence[int]
) -> None:
    found = []
    for month, month_wh in zip((JULY, AUGUST, SEPTEMBER), metered, strict=True):
        grove.read(month, farm=month_wh)
        (count,) = grove.issue(month)
        found.append((count, grove.event(CertificatesIssued).carry_out_wh))
    assert found == list(zip(counts, carries, strict=True))


def test_corrected_readings_change_the_next_issue(grove: Grove) -> None:
    grove.read(JULY, farm=31 * 960_000)
    assert grove.issue(JULY) == (29,)
    grove.correct(20260705, 2_960_000)
    grove.read(AUGUST, farm=10 * MWH)
    assert grove.issue(AUGUST) == (12,)
    issued = grove.event(CertificatesIssued)
    assert (issued.carry_in_wh, issued.corrected_wh, issued.carry_out_wh) == (760_000, 2 * MWH, 760_000)
    grove.correct(20260705, 0)
    grove.read(SEPTEMBER, farm=MWH)
    assert grove.issue(SEPTEMBER) == (0,)
    assert grove.event(CertificatesIssued).carry_out_wh == -1_200_000, "too many were issued; the next months make up"
    grove.read(202610, farm=5 * MWH)
    assert grove.issue(202610) == (3,)
    assert grove.event(CertificatesIssued).hours.before_wh == 0
    grove.book.machine.check_all()


def test_issue_refuses(grove: Grove) -> None:
    storage_id, coal_id, bare_id, unit_plant_id = register(
        grove.book, OWNER, STORAGE, but(WIND, fuel=Fuel.COAL), WIND, PLANT
    )
    (unit_id,) = register(grove.book, OWNER, unit_of(unit_plant_id))
    for resource_id in (SMELTER, storage_id, coal_id):
        assert grove.refused(EXCHANGE, FileProject(resource_id, 20200101, True)) == 11002
    assert grove.refused(EXCHANGE, FileProject(99, 0, True)) == 6001
    grove.say(EXCHANGE, FileProject(unit_id, 20240101, True), FileProject(bare_id, 20240101, True))
    grove.go_to(20260731, 23)
    assert grove.refused(EXCHANGE, IssueCertificates(JULY, (FARM,))) == 11003
    grove.go_to(20260801, 0)
    assert grove.refused(EXCHANGE, IssueCertificates(JULY, (FARM,))) == 7003
    grove.read(JULY, farm=MWH)
    assert grove.refused(EXCHANGE, IssueCertificates(JULY, (unit_plant_id,))) == 11001
    assert grove.refused(EXCHANGE, IssueCertificates(JULY, (FARM, bare_id))) == 11006
    assert ISSUANCES.count(grove.book) == 0
    grove.say(EXCHANGE, SetSetting("certificates.trade_class_code", "wind", 20260801, (0,), "test"))
    grove.read(AUGUST, farm=MWH)
    grove.read(SEPTEMBER, farm=MWH)
    grove.issue(JULY)
    assert grove.refused(EXCHANGE, IssueCertificates(JULY, (FARM,))) == 11004
    assert grove.refused(EXCHANGE, IssueCertificates(SEPTEMBER, (FARM,))) == 11002
    grove.say(EXCHANGE, SetSetting("certificates.trade_class_code", "wind", 20261001, (1,), "test"))
    grove.issue(JULY, NEW_HYDRO)
    assert grove.refused(EXCHANGE, IssueCertificates(SEPTEMBER, (NEW_HYDRO,))) == 11005


def test_never_above_capacity_times_time(grove: Grove) -> None:
    most_wh = 200_000 * 1_000 * 24 * 31
    full: list[tuple[int, ...]] = [(50_000_000,) * 96 for _ in days_of(JULY)]
    grove.read_columns(JULY, {FARM_METER: full, SMELTER_METER: spread(0, JULY)})
    assert grove.issue(JULY) == (most_wh // MWH,)
    more = [(50_000_001, *full[0][1:]), *full[1:]]
    grove.read_columns(AUGUST, {FARM_METER: more, SMELTER_METER: spread(0, AUGUST)})
    assert grove.refused(EXCHANGE, IssueCertificates(AUGUST, (FARM,))) == 11007


def test_a_device_counts_its_own_meters_alone(grove: Grove) -> None:
    grove.read(JULY, farm=3 * MWH, new=5 * MWH)
    assert grove.issue(JULY, FARM, NEW_HYDRO) == (3, 5)


# ---------------------------------------------------------------------------------------------- lots and the market


def test_ranges_split_and_are_found_again(august: Grove) -> None:
    august.say(OWNER, retire(100, 50))
    listing_id = august.sell(500, 20, buyer_id=OTHER)
    august.say(OTHER, BuyCertificates(listing_id, 5))
    assert august.lots() == [
        (1, 99, OWNER, "held"),
        (100, 50, OWNER, "retired"),
        (150, 350, OWNER, "held"),
        (500, 5, OTHER, "held"),
        (505, 15, OWNER, "listed"),
        (520, 716, OWNER, "held"),
    ]
    place, lot = certificates.lot_of(august.book, FARM, AUGUST, 510)
    assert (place.first_serial_no, lot.state) == (505, LotState.LISTED)
    august.say(OWNER, WithdrawCertificates(listing_id))
    assert august.lots()[4] == (505, 15, OWNER, "held")
    august.book.machine.check_all()


def _listed(town: Grove) -> None:
    town.sell(1, 10)


def _directed(town: Grove) -> None:
    town.sell(1, 10, buyer_id=OTHER)


def _sold(town: Grove) -> None:
    town.say(USER, BuyCertificates(town.sell(1, 10), 10))


def _retired(town: Grove) -> None:
    town.say(OWNER, retire(1, 10))


def _frozen_seller(town: Grove) -> None:
    town.sell(1, 10)
    town.say(REGULATOR, FreezeMember(OWNER, "inquiry", 20260930))


def _poor_buyer(town: Grove) -> None:
    town.sell(1, 1_235, price_fen=1_000_000)


def _nothing(_town: Grove) -> None:
    pass


LIST, BUY = ListCertificates(FARM, AUGUST, 1, 10, 231), BuyCertificates(1, 10)


@pytest.mark.parametrize(
    ("given", "sender_id", "message", "number"),
    [
        (_nothing, OWNER, ListCertificates(FARM, AUGUST, 1_236, 1, 231), 11008),
        (_nothing, OWNER, ListCertificates(FARM, AUGUST, 1, 1_236, 231), 11008),
        (_nothing, OWNER, ListCertificates(FARM, JULY, 1, 1, 231), 11008),
        (_retired, OWNER, retire(11, 2_000), 11008),
        (_nothing, USER, LIST, 11009),
        (_nothing, USER, retire(1, 1), 11009),
        (_sold, OWNER, LIST, 11009),
        (_sold, OWNER, retire(1, 1), 11009),
        (_retired, OWNER, retire(1, 10), 11010),
        (_retired, OWNER, retire(5, 1), 11010),
        (_retired, OWNER, LIST, 11010),
        (_listed, OWNER, LIST, 11012),
        (_listed, OWNER, retire(10, 1), 11012),
        (_sold, USER, LIST, 11015),
        (_nothing, OWNER, ListCertificates(FARM, AUGUST, 1, 1, 231, OWNER), 11019),
        (_nothing, OWNER, ListCertificates(FARM, AUGUST, 1, 1, 231, 99), 3001),
        (_nothing, OWNER, ListCertificates(FARM, AUGUST, 1, 1, 231, BANK), 3004),
        (_nothing, USER, BUY, 11016),
        (_sold, OTHER, BUY, 11016),
        (_listed, USER, WithdrawCertificates(1), 11017),
        (_nothing, OWNER, WithdrawCertificates(1), 11016),
        (_directed, USER, BUY, 11018),
        (_listed, OWNER, BUY, 11019),
        (_listed, USER, BuyCertificates(1, 11), 11020),
        (_listed, GRID, BUY, 4001),
        (_poor_buyer, USER, BuyCertificates(1, 1_235), 4003),
        (_frozen_seller, USER, BUY, 3003),
    ],
)
def test_lots_and_listings_refuse(august: Grove, given: Any, sender_id: int, message: Message, number: int) -> None:
    given(august)
    before = august.lots()
    assert august.refused(sender_id, message) == number
    assert august.lots() == before
    august.book.machine.check_all()


def test_two_buyers_race_for_one_listing(august: Grove) -> None:
    listing_id = august.sell(1, 10)
    buys = [august.book.envelope(who, BuyCertificates(listing_id, 10)) for who in (USER, OTHER)]
    assert [outcome[0].number for outcome in august.book.apply(*buys)] == [0, 11016]
    assert august.refused(OTHER, retire(1, 1)) == 11009


def test_old_hydro_is_not_tradable_but_retires(august: Grove) -> None:
    august.issue(JULY, NEW_HYDRO, OLD_HYDRO)
    august.issue(AUGUST, NEW_HYDRO, OLD_HYDRO)
    assert august.refused(OWNER, ListCertificates(OLD_HYDRO, AUGUST, 1, 1, 100)) == 11014
    august.say(OWNER, ListCertificates(NEW_HYDRO, AUGUST, 1, 1, 100))
    august.say(OWNER, retire(1, 3, resource_id=OLD_HYDRO))


def test_expiry_at_midnight(august: Grove) -> None:
    listing_id = august.sell(1, 10)
    august.say(OWNER, retire(11, 5))
    august.go_to(20280731, 23)
    august.say(USER, BuyCertificates(listing_id, 3))
    august.go_to(20280801, 0)
    assert [event.count_certs for event in august.book.events if isinstance(event, CertificatesExpired)] == [
        3,
        7,
        1_220,
    ]
    assert august.lots() == [
        (1, 3, USER, "expired"),
        (4, 7, OWNER, "expired"),
        (11, 5, OWNER, "retired"),
        (16, 1_220, OWNER, "expired"),
    ]
    assert LISTINGS.count(august.book) == 0
    assert august.refused(USER, BuyCertificates(listing_id, 1)) == 11016
    assert august.refused(OWNER, retire(20, 1)) == 11011
    assert august.refused(OWNER, ListCertificates(FARM, AUGUST, 16, 1, 231)) == 11011
    august.book.machine.check_all()


@pytest.mark.parametrize(
    ("sender_id", "message"), [(USER, BUY), (OWNER, retire(11, 1)), (OWNER, ListCertificates(FARM, AUGUST, 11, 1, 231))]
)
def test_expired_lots_do_not_move_before_the_hook_has_run(august: Grove, sender_id: int, message: Message) -> None:
    """The first messages after midnight are handled before the hook of their block."""
    august.sell(1, 10)
    CLOCK.put(august.book.store, (), Clock(STEPPED, clock.ms_at(20280801)))
    assert august.refused(sender_id, message) == 11011


# ---------------------------------------------------------------------------------------------- green agreements


def green(certified: dict[tuple[int, int], int], kwh: int, *, farm: int = 940) -> tuple[Grove, int]:
    town = Grove()
    agreement_id = town.agree()
    town.read(JULY)
    town.read(AUGUST, farm=farm * MWH)
    town.issue(JULY)
    town.issue(AUGUST)
    certified[agreement_id, AUGUST] = kwh
    return town, agreement_id


def test_bundled_certificates_are_locked_and_the_rest_is_free(certified: dict[tuple[int, int], int]) -> None:
    town, _ = green(certified, 975_000, farm=1_100)
    assert town.lots() == [(1, 1_000, OWNER, "bundled"), (1_001, 100, OWNER, "held")]
    assert town.refused(OWNER, ListCertificates(FARM, AUGUST, 1, 10, 231)) == 11013
    assert town.refused(OWNER, retire(1, 10)) == 11013
    town.say(OWNER, retire(1_001, 100))


def test_what_is_not_certified_is_released(certified: dict[tuple[int, int], int]) -> None:
    town, agreement_id = green(certified, 975_000, farm=1_100)
    town.say(EXCHANGE, DeliverCertificates(agreement_id, AUGUST))
    assert town.event(BundleReleased).count_certs == 25
    assert town.lots() == [(1, 975, USER, "held"), (976, 25, OWNER, "held"), (1_001, 100, OWNER, "held")]
    assert town.refused(EXCHANGE, DeliverCertificates(agreement_id, AUGUST)) == 11024
    certified[agreement_id, AUGUST] = 980_000  # settlement corrected upwards
    assert town.say(EXCHANGE, DeliverCertificates(agreement_id, AUGUST))[0].moved_certs == 5
    town.book.machine.check_all()


def test_zero_certified_releases_all(certified: dict[tuple[int, int], int]) -> None:
    town, agreement_id = green(certified, 0)
    assert town.say(EXCHANGE, DeliverCertificates(agreement_id, AUGUST))[0].moved_certs == 0
    assert town.lots() == [(1, 940, OWNER, "held")]


def test_what_is_kept_for_one_agreement_goes_to_no_other(certified: dict[tuple[int, int], int]) -> None:
    town, agreement_id = green(certified, 940_000)
    other_id = town.agree()
    certified[other_id, AUGUST] = 940_000
    assert town.refused(EXCHANGE, DeliverCertificates(other_id, AUGUST)) == 11023
    town.say(EXCHANGE, DeliverCertificates(agreement_id, AUGUST))


def test_remainder_of_one_agreement_over_two_months(certified: dict[tuple[int, int], int]) -> None:
    town = Grove()
    lines = tuple(Line(hour, 1_000, 300_000) for hour in range(24))
    terms = Terms(
        2,
        OWNER,
        USER,
        Method.BILATERAL,
        0,
        "annual",
        20260701,
        20260831,
        "SC",
        lines,
        GreenTerms(12_000, 0, "min_of_three", 0),
    )
    agreement_id = agreements.bear(town.book.context(), terms)
    for month, kwh, moved in ((JULY, 3_600, 3), (AUGUST, 2_400, 3)):
        town.read(month, farm=10 * MWH)
        town.issue(month)
        certified[agreement_id, month] = kwh
        assert town.say(EXCHANGE, DeliverCertificates(agreement_id, month))[0].moved_certs == moved
    assert town.refused(EXCHANGE, DeliverCertificates(agreement_id, JULY)) == 11005
    town.book.machine.check_all()


def test_delivery_refuses(certified: dict[tuple[int, int], int]) -> None:
    town = Grove()
    agreement_id = town.agree()
    plain = Terms(1, OWNER, USER, Method.BILATERAL, 0, "monthly", 20260801, 20260831, "SC", (Line(0, 1_000, 300_000),))
    plain_id = agreements.bear(town.book.context(), plain)
    assert town.refused(EXCHANGE, DeliverCertificates(99, AUGUST)) == 8001
    assert town.refused(EXCHANGE, DeliverCertificates(plain_id, AUGUST)) == 11021
    assert town.refused(EXCHANGE, DeliverCertificates(agreement_id, AUGUST)) == 11022
    certified[agreement_id, AUGUST] = 940_000
    assert town.refused(EXCHANGE, DeliverCertificates(agreement_id, AUGUST)) == 11023


def test_bought_certificates_are_not_delivered_on(certified: dict[tuple[int, int], int]) -> None:
    """A seller of green power that bought certificates cannot hand them on: once is once."""
    town, agreement_id = green(certified, 940_000)
    town.say(EXCHANGE, DeliverCertificates(agreement_id, AUGUST))
    terms = msgspec.structs.replace(agreements.terms(town.book, agreement_id), seller_id=USER, buyer_id=OTHER)
    onward_id = agreements.bear(town.book.context(), terms)
    certified[onward_id, AUGUST] = 5_000
    assert town.refused(EXCHANGE, DeliverCertificates(onward_id, AUGUST)) == 11023


def test_late_issue_is_delivered_by_saying_it_again(certified: dict[tuple[int, int], int]) -> None:
    town = Grove()
    agreement_id = town.agree(resource_id=0, total_kwh=10_000)
    town.read(JULY)
    town.read(AUGUST, farm=4 * MWH, new=4 * MWH, old=4 * MWH)
    for month in (JULY, AUGUST):
        town.issue(month, FARM, OLD_HYDRO)
    certified[agreement_id, AUGUST] = 8_000
    reply = town.say(EXCHANGE, DeliverCertificates(agreement_id, AUGUST))[0]
    assert (reply.moved_certs, reply.due_certs) == (4, 4), "old hydro cannot be traded"
    for month in (JULY, AUGUST):
        town.issue(month, NEW_HYDRO)
    assert town.lots(NEW_HYDRO) == [(1, 4, OWNER, "bundled")], "what is due is kept"
    reply = town.say(EXCHANGE, DeliverCertificates(agreement_id, AUGUST))[0]
    assert (reply.moved_certs, reply.due_certs) == (4, 0)
    assert town.lots(OLD_HYDRO) == [(1, 4, OWNER, "held")]


def test_green_terms_name_their_device() -> None:
    town = Grove()
    town.agree(resource_id=NEW_HYDRO, total_kwh=3_000)
    town.read(JULY)
    town.read(AUGUST, farm=4 * MWH, new=4 * MWH)
    for month in (JULY, AUGUST):
        town.issue(month, FARM, NEW_HYDRO)
    assert town.lots(FARM) == [(1, 4, OWNER, "held")]
    assert town.lots(NEW_HYDRO) == [(1, 3, OWNER, "bundled"), (4, 1, OWNER, "held")]


# ---------------------------------------------------------------------------------------------- provenance, codes, promises


def test_every_wh_of_a_certificate_has_its_quarter_hour(august: Grove) -> None:
    whole = certificates.slots_wh(august.book.context(), FARM, AUGUST, 1, 1_235)
    assert len(whole) == 31 * 96
    assert sum(whole) == 1_235 * MWH - 500_000, "what July carried in has no quarter hour of August"
    parts = [certificates.slots_wh(august.book.context(), FARM, AUGUST, first, 5) for first in range(1, 1_236, 5)]
    assert [sum(column) for column in zip(*parts, strict=True)] == list(whole)
    kept = decode(august.book.machine.cold.get(ISSUANCES.need(august.book, FARM, AUGUST).provenance), Provenance)
    assert sum(kept.slots_wh) == 1_234_567_000
    assert whole[-1] == kept.slots_wh[-1] - 67_000, "the remainder is the end of the last slot"


@pytest.mark.parametrize(
    ("values", "opening", "first", "count", "wanted"),
    [
        ((MWH, MWH), 0, 1, 1, (MWH, 0)),
        ((MWH, MWH), 0, 2, 1, (0, MWH)),
        ((MWH, MWH), 250_000, 1, 2, (MWH, 750_000)),
        ((MWH, MWH), -250_000, 1, 1, (750_000, 250_000)),
        ((0, 3 * MWH, 0), 0, 2, 1, (0, MWH, 0)),
    ],
)
def test_ranges_of_serials(
    values: Sequence[int], opening: int, first: int, count: int, wanted: tuple[int, ...]
) -> None:
    assert rules_provenance.within(values, opening, first, count) == wanted


@pytest.mark.parametrize("body", ["PW01901513400016", "PH31101510400003", "USX0000000000ZZZ", "A12425GABC1234002"])
def test_check_character_is_that_of_iso_7064(body: str) -> None:
    assert check_character(body) == mod_37_36.calc_check_digit(body)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (FileProject(0, 0, True), "resource_id"),
        (FileProject(1, 20260230, True), "commissioning_day"),
        (IssueCertificates(202613, (1,)), "month"),
        (IssueCertificates(AUGUST, ()), "resource_ids"),
        (IssueCertificates(AUGUST, (2, 1)), "resource_ids[1]"),
        (ListCertificates(1, AUGUST, 0, 1, 1), "first_serial_no"),
        (ListCertificates(1, AUGUST, 1, 0, 1), "count_certs"),
        (ListCertificates(1, AUGUST, 1, 1, 0), "price_fen"),
        (ListCertificates(1, AUGUST, 1, 1, 1, -1), "buyer_id"),
        (BuyCertificates(1, 0), "count_certs"),
        (WithdrawCertificates(0), "listing_id"),
        (DeliverCertificates(1, 202600), "month"),
        (RetireCertificates(1, AUGUST, 1, 1, "", Purpose.OWN_USE, AUGUST, AUGUST), "beneficiary"),
        (RetireCertificates(1, AUGUST, 1, 1, "x", Purpose.OWN_USE, AUGUST, JULY), "last_month"),
    ],
)
def test_malformed_fields_are_named(grove: Grove, message: Message, field: str) -> None:
    outcome = grove.book.say(OWNER, message)
    assert (outcome.number, outcome.field) == (1011, field)


def test_broken_promises_are_seen(august: Grove) -> None:
    august.sell(1, 10)
    august.say(OWNER, retire(11, 10))
    store, key = august.book.store, (FARM, AUGUST, 21)
    lot = LOTS.need(store, *key)
    breaks: list[Callable[[], object]] = [
        lambda: LOTS.delete(store, *key),
        lambda: LOTS.put(store, key, msgspec.structs.replace(lot, count_certs=lot.count_certs + 1)),
        lambda: LOTS.put(store, key, msgspec.structs.replace(lot, holder_id=USER)),
        lambda: LOTS.put(store, key, msgspec.structs.replace(lot, tradable=False, transferred=True)),
        lambda: LOTS.put(store, key, msgspec.structs.replace(lot, state=LotState.RETIRED)),
        lambda: LISTINGS.delete(store, 1),
        lambda: RETIREMENTS.delete(store, 1),
        lambda: ISSUANCES.put(
            store, (FARM, AUGUST), msgspec.structs.replace(ISSUANCES.need(store, FARM, AUGUST), carry_in_wh=0)
        ),
        lambda: ISSUANCES.put(
            store,
            (FARM, JULY),
            msgspec.structs.replace(ISSUANCES.need(store, FARM, JULY), carry_out_wh=0, metered_wh=0),
        ),
    ]
    for spoil in breaks:
        mark = store.mark()
        spoil()
        with pytest.raises(check.CheckFailed):
            august.book.machine.check_all()
        store.rollback(mark)
    august.book.machine.check_all()


def test_two_runs_come_to_the_same_bytes() -> None:
    hashes = []
    for _ in range(2):
        town = Grove()
        town.read(JULY, farm=12_345_678)
        town.issue(JULY)
        town.say(OWNER, retire(1, 3, JULY))
        hashes.append((town.book.last.app_hash, encode(PROJECTS.need(town.book, FARM))))
    assert hashes[0] == hashes[1]


def test_every_refusal_has_a_line() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    missing = [refusal.number for refusal in REFUSALS if str(refusal.number) not in text]
    assert not missing
