"""Hypothesis: whatever is issued, listed, bought, delivered, retired or let expire, each certificate is in one hand and one state.

The auditor keeps a line per certificate, written without looking at the rules; the ledger keeps ranges.
"""

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shudian.contracts.certificates.messages import (
    BuyCertificates,
    DeliverCertificates,
    IssueCertificates,
    ListCertificates,
    WithdrawCertificates,
)
from shudian.contracts.certificates.state import LOTS
from shudian.contracts.funds import rules as funds
from shudian.contracts.settlement import rules as settlement
from shudian.kernel import clock
from shudian.kernel.messages import Message
from tests.unit.test_certificates import AUGUST, EXCHANGE, FARM, JULY, MWH, OTHER, OWNER, RICH_FEN, USER, Grove, retire

MONTHS = (JULY, AUGUST)
METERED_WH = {JULY: 12_600_000, AUGUST: 9_700_000}
COUNTS = {JULY: 12, AUGUST: 10}
CONTRACT_CERTS = 5
PRICE_FEN = 231

months = st.sampled_from(MONTHS)
serials = st.integers(1, 13)
counts = st.integers(1, 6)
traders = st.sampled_from([OWNER, USER, OTHER])


@dataclass
class Certificate:
    """One certificate as the auditor knows it. listing: 0 unless listed."""

    holder: int = OWNER
    state: str = "held"
    transferred: bool = False
    listing: int = 0


class CertificatesMachine(RuleBasedStateMachine):
    """July and August of one farm; a green agreement over 5 MWh of each month."""

    def __init__(self) -> None:
        super().__init__()
        self.grove = Grove()
        self.agreements = {month: self.grove.agree(total_kwh=CONTRACT_CERTS * 1_000, month=month) for month in MONTHS}
        for month in MONTHS:
            self.grove.read(month, farm=METERED_WH[month])
        self.kept: dict[int, dict[int, Certificate]] = {}
        self.certified: dict[int, int] = {}
        self.delivered: dict[int, int] = {}
        self.listings: dict[int, tuple[int, int]] = {}
        self.paid = dict.fromkeys((OWNER, USER, OTHER), 0)
        self.real = settlement.certified_kwh, settlement.statement_of
        # what settlement certifies is a matter of its own tests
        vars(settlement).update(certified_kwh=self.certified_kwh, statement_of=self.statement_of)

    def certified_kwh(self, _at: object, _agreement_id: int, month: int) -> int:
        return self.certified.get(month, 0)

    def statement_of(self, _at: object, _member_id: int, month: int) -> tuple[int, None] | None:
        return (1, None) if month in self.certified else None

    def teardown(self) -> None:
        certified_kwh, statement_of = self.real
        vars(settlement).update(certified_kwh=certified_kwh, statement_of=statement_of)

    def says(self, sender: int, message: Message, expected: bool) -> bool:
        outcome = self.grove.book.say(sender, message)
        assert outcome.done is expected, (message, outcome)
        return outcome.done

    def range(self, month: int, first: int, count: int) -> list[Certificate] | None:
        """The certificates of a range; None if one does not exist."""
        kept = self.kept.get(month, {})
        wanted = [kept.get(serial) for serial in range(first, first + count)]
        return None if None in wanted else [certificate for certificate in wanted if certificate]

    def is_one_lot(self, month: int, first: int, count: int) -> bool:
        """Whether the range lies in one row of the ledger: a matter of the sender's choice of range, not of rights."""
        return any(
            int(key[2]) <= first and first + count <= int(key[2]) + lot.count_certs
            for key, lot in LOTS.range(self.grove.book, FARM, month)
        )

    def may_use(self, who: int, month: int, first: int, count: int) -> bool:
        found = self.range(month, first, count)
        return (
            found is not None
            and self.is_one_lot(month, first, count)
            and all(one.holder == who and one.state == "held" for one in found)
        )

    @rule(month=months)
    def issue(self, month: int) -> None:
        if month == AUGUST and not self.kept:
            return  # nothing forbids to begin with August, but then July is lost
        if not self.says(EXCHANGE, IssueCertificates(month, (FARM,)), month not in self.kept):
            return
        kept = {serial: Certificate() for serial in range(1, COUNTS[month] + 1)}
        for serial in range(1, min(self.wanted(month), COUNTS[month]) + 1):
            kept[serial].state = "bundled"
        self.kept[month] = kept

    def wanted(self, month: int) -> int:
        return self.certified[month] // 1_000 if month in self.delivered else CONTRACT_CERTS

    @rule(who=traders, month=months, first=serials, count=counts, buyer=st.sampled_from([0, USER, OTHER]))
    def put_up(self, who: int, month: int, first: int, count: int, buyer: int) -> None:
        expected = self.may_use(who, month, first, count) and buyer != who
        found = self.range(month, first, count) or []
        expected = expected and not any(one.transferred for one in found)
        message = ListCertificates(FARM, month, first, count, PRICE_FEN, buyer)
        outcome = self.grove.book.say(who, message)
        assert outcome.done is expected
        if expected:
            listing_id = self.grove.book.reply(outcome).listing_id  # type: ignore[union-attr] # it was done
            self.listings[listing_id] = (month, buyer)
            for one in found:
                one.state, one.listing = "listed", listing_id

    def of_listing(self, listing_id: int) -> list[Certificate]:
        month, _ = self.listings.get(listing_id, (0, 0))
        return [one for one in self.kept.get(month, {}).values() if one.listing == listing_id]

    @rule(who=traders, listing_id=st.integers(1, 4), count=counts)
    def buy(self, who: int, listing_id: int, count: int) -> None:
        offered = self.of_listing(listing_id)
        buyer = self.listings.get(listing_id, (0, 0))[1]
        expected = len(offered) >= count and who != OWNER and buyer in (0, who)
        if self.says(who, BuyCertificates(listing_id, count), expected):
            for one in offered[:count]:
                one.holder, one.state, one.transferred, one.listing = who, "held", True, 0
            self.paid[who] -= count * PRICE_FEN
            self.paid[OWNER] += count * PRICE_FEN

    @rule(who=traders, listing_id=st.integers(1, 4))
    def withdraw(self, who: int, listing_id: int) -> None:
        offered = self.of_listing(listing_id)
        if self.says(who, WithdrawCertificates(listing_id), bool(offered) and who == OWNER):
            for one in offered:
                one.state, one.listing = "held", 0

    @rule(who=traders, month=months, first=serials, count=counts)
    def retire(self, who: int, month: int, first: int, count: int) -> None:
        if self.says(who, retire(first, count, month), self.may_use(who, month, first, count)):
            for one in self.range(month, first, count) or []:
                one.state = "retired"

    @rule(month=months, kwh=st.integers(0, CONTRACT_CERTS * 1_000))
    def certify(self, month: int, kwh: int) -> None:
        """Settlement says what it certified; later it only corrects upwards."""
        self.certified[month] = max(kwh, self.certified.get(month, 0))

    @rule(month=months)
    def deliver(self, month: int) -> None:
        due = self.certified.get(month, 0) // 1_000 - self.delivered.get(month, 0)
        kept = self.kept.get(month, {})
        bundled = [one for one in kept.values() if one.state == "bundled"]
        free = [one for one in kept.values() if one.holder == OWNER and one.state == "held" and not one.transferred]
        movable = bundled + free
        expected = month in self.certified and not (month in self.delivered and not due) and bool(movable or not due)
        if not self.says(EXCHANGE, DeliverCertificates(self.agreements[month], month), expected):
            return
        moved = min(due, len(movable))
        for one in movable[:moved]:
            one.holder, one.state, one.transferred = USER, "held", True
        if moved == due:
            for one in kept.values():
                one.state = "held" if one.state == "bundled" else one.state
        self.delivered[month] = self.delivered.get(month, 0) + moved

    @precondition(lambda self: len(self.kept) == len(MONTHS))
    @rule(month=months)
    def let_a_month_expire(self, month: int) -> None:
        day = clock.month_first_day(clock.month_after(month, 24))
        if clock.ms_at(day) <= self.grove.book.now_ms:
            return
        self.grove.go_to(day, 0)
        for old in MONTHS[: MONTHS.index(month) + 1]:
            for one in self.kept[old].values():
                if one.state != "retired":
                    one.state, one.listing = "expired", 0

    @invariant()
    def each_certificate_is_where_the_auditor_has_it(self) -> None:
        for month, kept in self.kept.items():
            found = {
                serial: (lot.holder_id, lot.state.value, lot.transferred, lot.listing_id)
                for (_, _, first), lot in LOTS.range(self.grove.book, FARM, month)
                for serial in range(int(first), int(first) + lot.count_certs)
            }
            assert found == {
                serial: (one.holder, one.state, one.transferred, one.listing) for serial, one in kept.items()
            }

    @invariant()
    def issued_is_held_retired_or_expired(self) -> None:
        states = [one.state for kept in self.kept.values() for one in kept.values()]
        live = sum(state in ("held", "listed", "bundled") for state in states)
        assert live + states.count("retired") + states.count("expired") == sum(COUNTS[month] for month in self.kept)
        assert sum(COUNTS.values()) * MWH <= sum(METERED_WH.values())

    @invariant()
    def money_went_with_certificates(self) -> None:
        book = self.grove.book
        for member_id, paid in self.paid.items():
            assert funds.free_fen(book, funds.account_of(book, member_id)) == RICH_FEN + paid
        book.machine.check_all()


TestCertificatesMachine = CertificatesMachine.TestCase
