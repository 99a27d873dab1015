"""The auditor of money: plain dicts that say what each answer has to be, written from the rulebooks, not from the rules.

``why_not_...`` names every refusal that the auditor's state justifies; the other methods move the state after a deed was done.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from shudian.contracts.funds.messages import (
    AMOUNT_OVER_MAXIMUM,
    BALANCE_TOO_LOW,
    HOLD_ALREADY_POSTED,
    HOLD_ALREADY_VOIDED,
    HOLD_EXPIRED,
    PAYOUT_UNKNOWN,
)
from shudian.contracts.identity.messages import MEMBER_FROZEN
from shudian.kernel.outcomes import Refusal

EPOCH = date(1970, 1, 1)
DAY_MS = 86_400_000
UTC8_MS = 28_800_000

DEPOSIT_MAX_FEN = 2_000_000_000
PAYOUT_FOUR_EYES_FEN = 1_000_000
DEPOSIT_FOUR_EYES_FEN = 100_000_000
PAYOUT_MAX_FEN = 5_000_000
PAYOUT_EXPIRY_MS = 2 * DAY_MS


Reasons = list[Refusal]


def rounded(numerator: int, denominator: int) -> int:
    """Half away from zero, by another road than the product's."""
    return int((Decimal(numerator) / denominator).quantize(Decimal(1), ROUND_HALF_UP))


def date_of(day: int) -> date:
    return date(day // 10_000, day // 100 % 100, day % 100)


def day_of(moment: date) -> int:
    return moment.year * 10_000 + moment.month * 100 + moment.day


def today_of(market_ms: int) -> int:
    return day_of(EPOCH + timedelta((market_ms + UTC8_MS) // DAY_MS))


def start_of(day: int) -> int:
    """The first instant of a day, ms."""
    return (date_of(day) - EPOCH).days * DAY_MS - UTC8_MS


def plus_days(day: int, count: int) -> int:
    return day_of(date_of(day) + timedelta(count))


def days_of(first_day: int, last_day: int) -> list[int]:
    count = (date_of(last_day) - date_of(first_day)).days + 1
    return [plus_days(first_day, place) for place in range(count)]


def justified(*cases: tuple[bool, Refusal]) -> Reasons:
    return [refusal for holds, refusal in cases if holds]


@dataclass
class Payout:
    member_id: int
    fen: int
    expires_ms: int
    end: Refusal | None = None


class MoneyAuditor:
    """owned: by account. reserved: by (member, purpose). A cash account is the member's number x 100 + 10."""

    def __init__(self, opening: dict[int, int], now_ms: int) -> None:
        self.now_ms = now_ms
        self.owned: dict[int, int] = {member_id * 100 + 10: fen for member_id, fen in opening.items()}
        self.reserved: dict[tuple[int, str], int] = {}
        self.payouts: dict[int, Payout] = {}
        self.paid_in_fen = sum(opening.values())
        self.paid_out_fen = 0
        self.suspended: set[int] = set()
        self.frozen: set[int] = set()

    @property
    def today(self) -> int:
        return today_of(self.now_ms)

    def spoken_for(self, member_id: int) -> int:
        reserved = sum(fen for (owner_id, _), fen in self.reserved.items() if owner_id == member_id)
        held = sum(one.fen for one in self.payouts.values() if one.member_id == member_id and one.end is None)
        return reserved + held

    def free(self, member_id: int) -> int:
        return self.owned[member_id * 100 + 10] - self.spoken_for(member_id)

    def reserve(self, member_id: int, purpose: str, fen: int) -> None:
        self.reserved.pop((member_id, purpose), None)
        if fen:
            self.reserved[member_id, purpose] = fen

    def why_not_deposit(self, fen: int) -> Reasons:
        return justified((fen > DEPOSIT_MAX_FEN, AMOUNT_OVER_MAXIMUM))

    def deposit(self, member_id: int, fen: int) -> None:
        self.owned[member_id * 100 + 10] += fen
        self.paid_in_fen += fen

    def why_not_request_payout(self, member_id: int, fen: int) -> Reasons:
        return justified((fen > PAYOUT_MAX_FEN, AMOUNT_OVER_MAXIMUM), (fen > self.free(member_id), BALANCE_TOO_LOW))

    def request_payout(self, payout_id: int, member_id: int, fen: int) -> None:
        assert payout_id == len(self.payouts) + 1
        self.payouts[payout_id] = Payout(member_id, fen, self.now_ms + PAYOUT_EXPIRY_MS)

    def why_not_end_payout(self, payout_id: int, *, confirmed: bool) -> Reasons:
        payout = self.payouts.get(payout_id)
        if payout is None:
            return [PAYOUT_UNKNOWN]
        is_frozen = confirmed and payout.member_id in self.frozen
        return [MEMBER_FROZEN] * is_frozen + ([] if payout.end is None else [payout.end])

    def end_payout(self, payout_id: int, *, confirmed: bool) -> None:
        payout = self.payouts[payout_id]
        payout.end = HOLD_ALREADY_POSTED if confirmed else HOLD_ALREADY_VOIDED
        if confirmed:
            self.owned[payout.member_id * 100 + 10] -= payout.fen
            self.paid_out_fen += payout.fen

    def time_reaches(self, now_ms: int) -> None:
        self.now_ms = now_ms
        for payout in self.payouts.values():
            if payout.end is None and payout.expires_ms <= now_ms:
                payout.end = HOLD_EXPIRED
