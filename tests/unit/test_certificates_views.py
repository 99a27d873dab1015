"""What is shown of certificates, and to whom; the hour-by-hour matching report."""

from typing import Any

import pytest

from shudian.contracts.certificates.messages import (
    BuyCertificates,
    FileProject,
    IssueCertificates,
    ListCertificates,
    WithdrawCertificates,
)
from shudian.contracts.certificates.views import VIEWS
from shudian.contracts.certificates.views_match import totals
from shudian.contracts.metering.views import VIEWS as METERING
from shudian.contracts.roles import OVERSIGHT
from shudian.kernel.messages import Event
from shudian.kernel.outcomes import Refused
from shudian.reading.projector import Projector
from shudian.reading.reader import THE_PUBLIC, Viewer
from shudian.reading.tables import Row
from tests.unit.test_certificates import (
    AUGUST,
    EXCHANGE,
    FARM,
    FARM_METER,
    JULY,
    KINDS,
    MWH,
    OTHER,
    OWNER,
    SMELTER_METER,
    USER,
    Grove,
    days_of,
    retire,
)

QUERIES = {query.__name__: query for query in VIEWS.queries}
VIEWERS = {"public": THE_PUBLIC} | {
    name: Viewer(member_id, KINDS[member_id - 1])
    for name, member_id in (("exchange", EXCHANGE), ("owner", OWNER), ("user", USER), ("other", OTHER))
}


class Screen(Grove):
    """A grove whose every block is projected."""

    def __init__(self) -> None:
        self.projector = Projector(None, (METERING, VIEWS), OVERSIGHT)
        super().__init__()
        keep = self.book._keep

        def keep_and_project(applied: Any) -> Any:
            kept = keep(applied)
            events: list[tuple[int, Event]] = kept.events
            self.projector.project(self.projector.height + 1, kept.market_ms, [], events)
            return kept

        self.book._keep = keep_and_project  # type: ignore[method-assign] # the test listens to every block
        self.say(EXCHANGE, FileProject(FARM, 20190101, False))
        self.say(EXCHANGE, FileProject(FARM, 20190101, True))

    def ask(self, query: str, viewer: str, **filters: Any) -> Any:
        return QUERIES[query](self.projector.reader, VIEWERS[viewer], **filters)


@pytest.fixture(scope="module")
def screen() -> Screen:
    """July: the farm makes 10 MWh a day between 10 and 12, the smelter uses 1 MW flat.

    Serials 1-100 are sold to the user, who retires 40 of them; the owner lists 50 for anybody and 10 for the retailer.
    """
    town = Screen()
    hour = tuple(1_250_000 if 40 <= slot < 48 else 0 for slot in range(96))
    use = (250_000,) * 96
    days = days_of(JULY)
    town.read_columns(JULY, {FARM_METER: [hour] * len(days), SMELTER_METER: [use] * len(days)})
    town.say(EXCHANGE, IssueCertificates(JULY, (FARM,)))
    town.say(USER, BuyCertificates(town.sell(1, 100, month=JULY), 100))
    town.say(USER, retire(11, 40, JULY))
    town.sell(101, 50, month=JULY)
    town.sell(151, 10, month=JULY, buyer_id=OTHER)
    return town


SCOPES = [
    ("projects", {}, "public", 1),
    ("issuances", {"month": JULY}, "public", 0),
    ("issuances", {"month": JULY}, "owner", 1),
    ("issuances", {"month": JULY}, "user", 0),
    ("lots", {}, "public", 0),
    ("lots", {}, "user", 3),
    ("lots", {"state": "retired"}, "user", 1),
    ("lots", {}, "owner", 3),
    ("lots", {}, "exchange", 6),
    ("listings", {}, "public", 0),
    ("listings", {}, "user", 1),
    ("listings", {}, "other", 2),
    ("listings", {}, "owner", 2),
    ("transfers", {}, "other", 0),
    ("transfers", {}, "user", 1),
    ("transfers", {}, "owner", 1),
    ("retirements", {}, "public", 1),
    ("deliveries", {}, "user", 0),
]


@pytest.mark.parametrize(("query", "filters", "viewer", "count"), SCOPES)
def test_who_sees_what(screen: Screen, query: str, filters: dict[str, Any], viewer: str, count: int) -> None:
    assert len(screen.ask(query, viewer, **filters)) == count


def test_codes_of_lots(screen: Screen) -> None:
    lot = screen.ask("lots", "user", state="retired")[0]
    assert (lot["first_code"], lot["last_code"]) == (
        "PW01901000000001K2607000000011WT",
        "PW01901000000001K2607000000050WT",
    )
    assert len(lot["first_code"]) == 32


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("PW01901000000001K2607000000011WT", True),
        ("PW01901000000001K2607000000050WT", True),
        ("PW01901000000001K2607000000010WT", False),
        ("PW01901000000001K2607000000051WT", False),
        ("PW01901000000001K2608000000011WT", False),
        ("PW01901000000001K2607000000011WN", False),
        ("PW01901000000002K2607000000011WT", False),
        ("?" * 32, False),
    ],
)
def test_anybody_finds_the_retirement_of_a_code(screen: Screen, code: str, found: bool) -> None:
    row = screen.ask("retirement_of", "public", code=code)
    assert (row is not None) is found
    assert not found or row["beneficiary"] == "某铝业公司"


def test_malformed_questions_are_refused(screen: Screen) -> None:
    for query, filters in (("lots", {"state": "gone"}), ("match", {"month": 202613}), ("retirement_of", {"code": "x"})):
        with pytest.raises(Refused):
            screen.ask(query, "user", **filters)


def hours(rows: list[Row], name: str) -> dict[tuple[int, int], int]:
    return {(row["day"], row["segment"]): row[name] for row in rows if row[name]}


def test_match_hour_by_hour(screen: Screen) -> None:
    """10 MWh a day between 10 and 12: serials 1-100 are the first ten days; 1 MWh an hour is used, so a fifth of it matches."""
    rows = screen.ask("match", "user", month=JULY)
    assert len(rows) == 744
    assert hours(rows, "certified_wh") == {
        (day, hour): 5 * MWH for day in range(20260701, 20260711) for hour in (10, 11)
    }
    noon = next(row for row in rows if (row["day"], row["segment"]) == (20260705, 10))
    assert noon == {
        "day": 20260705,
        "segment": 10,
        "use_wh": MWH,
        "certified_wh": 5 * MWH,
        "matched_wh": MWH,
        "share_ppm": 1_000_000,
    }
    assert totals(rows) == {
        "use_wh": 744 * MWH,
        "certified_wh": 100 * MWH,
        "matched_wh": 20 * MWH,
        "share_ppm": 20_000_000 // 744,
        "monthly_share_ppm": 100_000_000 // 744,
    }


def test_match_of_retired_certificates_alone(screen: Screen) -> None:
    """Serials 11-50: the second to the fifth day."""
    rows = screen.ask("match", "user", month=JULY, retired_only=True)
    assert sorted({day for day, _ in hours(rows, "certified_wh")}) == [20260702, 20260703, 20260704, 20260705]


def test_match_is_for_oneself_and_overseers(screen: Screen) -> None:
    assert screen.ask("match", "exchange", month=JULY, member_id=USER) == screen.ask("match", "user", month=JULY)
    foreign = totals(screen.ask("match", "other", month=JULY, member_id=USER))
    assert (foreign["use_wh"], foreign["certified_wh"], foreign["share_ppm"]) == (0, 0, None)


def test_what_is_for_sale_matches_nothing(screen: Screen) -> None:
    rows = screen.ask("match", "owner", month=JULY)
    assert totals(rows)["certified_wh"] == (310 - 160) * MWH
    assert rows[0]["share_ppm"] is None


def test_carried_energy_matches_no_hour() -> None:
    town = Screen()
    town.read(JULY, farm=999_000)
    town.issue(JULY)
    slots = [tuple([0] * 95 + [1_001_000])] + [(0,) * 96] * 30
    town.read_columns(AUGUST, {FARM_METER: slots})
    town.issue(AUGUST)
    rows = town.ask("match", "owner", month=AUGUST)
    assert hours(rows, "certified_wh") == {(20260801, 23): 1_001_000}
    town.say(OWNER, retire(1, 1))
    rows = town.ask("match", "owner", month=AUGUST, retired_only=True)
    assert hours(rows, "certified_wh") == {(20260801, 23): 1_000}


def test_listings_shorten_and_end() -> None:
    town = Screen()
    town.read(JULY, farm=20 * MWH)
    town.issue(JULY)
    listing_id = town.sell(1, 10, month=JULY)
    directed_id = town.sell(11, 5, month=JULY, buyer_id=OTHER)
    town.say(USER, BuyCertificates(listing_id, 4))
    (row,) = town.ask("listings", "user")
    assert (row["first_serial_no"], row["count_certs"]) == (5, 6)
    town.say(OTHER, BuyCertificates(directed_id, 5))
    town.say(OWNER, WithdrawCertificates(listing_id))
    assert town.ask("listings", "owner") == []
    town.say(OWNER, ListCertificates(FARM, JULY, 5, 6, 100))
    town.go_to(20280701, 0)
    assert town.ask("listings", "owner") == []
    assert {row["state"] for row in town.ask("lots", "exchange")} == {"expired"}


def test_lots_shown_are_the_lots_kept(screen: Screen) -> None:
    shown = [
        (row["first_serial_no"], row["count_certs"], row["holder_id"], row["state"])
        for row in screen.ask("lots", "exchange", month=JULY)
    ]
    assert shown == screen.lots(month=JULY)


def test_a_retirement_names_its_period(screen: Screen) -> None:
    (row,) = screen.ask("retirements", "public", holder_id=USER)
    assert (row["count_certs"], row["purpose"], row["first_month"], row["last_month"]) == (
        40,
        "own_use",
        AUGUST,
        AUGUST,
    )
