"""A settled bill becomes a receivable: confirmed by its debtor, split, passed on, financed in competition, paid at maturity."""

from collections.abc import Sequence
from typing import Any

from shudian.contracts.receivables.messages import (
    AcceptReceivable,
    PartsReply,
    ProposeReceivable,
    SplitReceivable,
    TransferReceivable,
)
from shudian.contracts.receivables.messages_finance import (
    ChooseQuote,
    QuoteFinance,
    QuoteReply,
    RequestFinance,
    RequestReply,
)
from shudian.contracts.roles import Role
from shudian.contracts.settlement.messages import LineKind
from shudian.kernel import clock
from shudian.kernel.crypto import sha256
from shudian.tools.demo.deals import reply
from shudian.tools.demo.stage import EXCHANGE, Act, Stage, batch
from shudian.tools.demo.steps import Step, nobody

BANKS = ("bank_minjiang", "factor_tianfu")
RECEIVABLES_COUNT, EARLY_COUNT = 6, 3
_EARLY_DUE_DAY, _LATE_DUE_DAY = 20260930, 20261130
_RATES_PPM = {"bank_minjiang": (34_000, 37_000), "factor_tianfu": (36_000, 35_000)}
_FEES_FEN = {"bank_minjiang": 20_000, "factor_tianfu": 0}
_LARGEST_FEN = 9_000_000_000


def _debts(stage: Stage) -> list[dict[str, Any]]:
    """The lines that become receivables: the largest energy bills of users, each of another seller, below the four-eyes band."""
    rows = stage.query(EXCHANGE, "settlement.lines", month=clock.month_of(stage.world.first_day), kind=LineKind.ENERGY)
    users = {stage.member_id(company.key) for company in stage.world.companies_of("user")}
    late = {stage.member_id("cement_emei")}
    chosen: list[dict[str, Any]] = []
    for row in sorted(rows, key=lambda row: (-row["amount_fen"], row["line_id"])):
        taken = {one["payee_id"] for one in chosen} | {one["payer_id"] for one in chosen}
        fits = row["payer_id"] in users - late and row["amount_fen"] <= _LARGEST_FEN
        if fits and not {row["payer_id"], row["payee_id"]} & taken:
            chosen.append(row)
    return chosen[:RECEIVABLES_COUNT]


def _company_of(stage: Stage, member_id: int) -> str:
    return next(company.key for company in stage.world.companies if stage.member_id(company.key) == member_id)


def _propose(stage: Stage) -> list[Act]:
    acts = []
    for place, row in enumerate(_debts(stage)):
        due_day = _EARLY_DUE_DAY if place < EARLY_COUNT else _LATE_DUE_DAY
        seller = _company_of(stage, row["payee_id"])
        acts.append(batch(seller, Role.FINANCE, f"debt-{place}", [ProposeReceivable(row["line_id"], due_day)]))
    return acts


def _born(stage: Stage) -> list[tuple[int, dict[str, Any]]]:
    """Number and row of each receivable, in the order of their birth, as the exchange reads them."""
    rows = stage.query(EXCHANGE, "receivables.debts")
    return [(row["receivable_id"], row) for row in sorted(rows, key=lambda row: row["receivable_id"])]


def _accept(stage: Stage) -> list[Act]:
    return [
        batch(
            _company_of(stage, row["debtor_id"]),
            Role.FINANCE,
            f"accept-{receivable_id}",
            [AcceptReceivable(receivable_id, row["amount_fen"])],
        )
        for receivable_id, row in _born(stage)
    ]


def _split(stage: Stage) -> list[Act]:
    """The first receivable is split in three: to keep, to pay a supplier with, to finance."""
    receivable_id, row = _born(stage)[0]
    third_fen = row["amount_fen"] // 3
    amounts = (third_fen, third_fen, row["amount_fen"] - 2 * third_fen)
    seller = _company_of(stage, row["creditor_id"])
    return [batch(seller, Role.FINANCE, "split", [SplitReceivable(receivable_id, amounts)])]


def _parts(stage: Stage) -> Sequence[int]:
    _, row = _born(stage)[0]
    found = reply(stage, _company_of(stage, row["creditor_id"]), Role.FINANCE, "receivable-split", "split")
    if not isinstance(found, PartsReply):
        raise TypeError(found)
    return found.receivable_ids


def _pass_on(stage: Stage) -> list[Act]:
    """One part pays another generator that sold it maintenance."""
    _, row = _born(stage)[0]
    seller = _company_of(stage, row["creditor_id"])
    taker = next(one.key for one in stage.world.companies_of("generator") if one.key != seller)
    message = TransferReceivable(
        _parts(stage)[1], stage.member_id(taker), "SB-2026-0715", sha256(b"maintenance contract")
    )
    return [batch(seller, Role.FINANCE, "pass on", [message])]


def _to_finance(stage: Stage) -> list[tuple[str, int]]:
    """Who asks for money on which part: one part of the split one, and the others whole."""
    born = _born(stage)
    first_holder = _company_of(stage, born[0][1]["creditor_id"])
    others = [(_company_of(stage, row["creditor_id"]), receivable_id) for receivable_id, row in born[1:]]
    return [(first_holder, _parts(stage)[2]), *others]


def _request(stage: Stage) -> list[Act]:
    until_ms = clock.ms_at(20260826, 17)
    return [
        batch(holder, Role.FINANCE, f"request-{receivable_id}", [RequestFinance(receivable_id, until_ms)])
        for holder, receivable_id in _to_finance(stage)
    ]


def _request_id(stage: Stage, holder: str, receivable_id: int) -> int:
    found = reply(stage, holder, Role.FINANCE, "finance-request", f"request-{receivable_id}")
    if not isinstance(found, RequestReply):
        raise TypeError(found)
    return found.request_id


def _quote(stage: Stage) -> list[Act]:
    """Two banks quote on every request, neither knowing the other's rate."""
    acts = []
    for place, (holder, receivable_id) in enumerate(_to_finance(stage)):
        request_id = _request_id(stage, holder, receivable_id)
        for bank in BANKS:
            message = QuoteFinance(
                request_id=request_id,
                rate_ppm=_RATES_PPM[bank][place % 2],
                day_count=360,
                fee_fen=_FEES_FEN[bank],
                recourse=bank == "factor_tianfu",
                expires_ms=clock.ms_at(20260826, 16),
            )
            acts.append(batch(bank, Role.FINANCE, f"{bank}-{request_id}", [message]))
    return acts


def _choose(stage: Stage) -> list[Act]:
    """Each holder takes the quote that leaves it most; money against title in one message."""
    acts = []
    for holder, receivable_id in _to_finance(stage):
        request_id = _request_id(stage, holder, receivable_id)
        quotes = [reply(stage, bank, Role.FINANCE, "finance-quote", f"{bank}-{request_id}") for bank in BANKS]
        best = max((quote for quote in quotes if isinstance(quote, QuoteReply)), key=lambda quote: quote.net_fen)
        message = ChooseQuote(
            best.quote_id,
            best.net_fen,
            f"ZDW{request_id:010d}",
            stage.transport.market_ms - clock.HOUR_MS,
            sha256(f"registry search {request_id}".encode()),
        )
        acts.append(batch(holder, Role.FINANCE, f"choose-{request_id}", [message]))
    return acts


def early_steps() -> list[Step]:
    """Before the bills are paid: bills become receivables."""
    at = clock.ms_at
    return [
        Step(
            "receivable-propose",
            at(20260821, 10),
            _propose,
            "以结算行发起应收账款凭证",
            "bills are proposed as receivables",
        ),
        Step("receivable-accept", at(20260821, 14), _accept, "债务人确权", "debtors accept"),
    ]


def late_steps() -> list[Step]:
    """After: split, pass on, finance in competition, redeem at maturity."""
    at = clock.ms_at
    return [
        Step("receivable-split", at(20260824, 9), _split, "凭证拆分", "a receivable is split"),
        Step("receivable-pass", at(20260824, 10), _pass_on, "凭证流转", "a part is passed on"),
        Step("finance-request", at(20260824, 11), _request, "融资询价", "holders ask for quotes"),
        Step("finance-quote", at(20260825, 10), _quote, "银行竞争报价", "banks quote in competition"),
        Step(
            "finance-choose",
            at(20260825, 15),
            _choose,
            "择优融资，券款对付",
            "the best quotes are chosen, delivery versus payment",
        ),
        Step("maturity", at(20261009, 9), nobody, "凭证到期自动兑付", "receivables are redeemed at maturity"),
    ]
