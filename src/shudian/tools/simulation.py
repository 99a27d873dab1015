"""The simulated world at work in a market: what its senders say, and running one seed or many."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Any

from shudian.contracts.agreements.messages import Method
from shudian.contracts.certificates.messages import (
    BuyCertificates,
    ListCertificates,
    Purpose,
    RetireCertificates,
    WithdrawCertificates,
)
from shudian.contracts.funds.messages import ConfirmDeposit, ConfirmPayout, RefusePayout, RequestPayout
from shudian.contracts.receivables.messages import ConfirmInvoice, SplitReceivable, SubmitInvoice, TransferReceivable
from shudian.contracts.trading.messages import CancelOrder, OpenSession, PlaceOrder, Product, Side
from shudian.kernel import clock
from shudian.kernel.codec import encode
from shudian.kernel.crypto import sha256
from shudian.kernel.envelope import EpochKey, seal
from shudian.kernel.machine import Machine
from shudian.kernel.messages import Message
from shudian.market import MARKET
from shudian.node.embedded import EmbeddedNode
from shudian.node.simulated import Outcomes, Report, Sent, simulate
from shudian.tools.simulation_books import CHECKERS, Books
from shudian.tools.simulation_founding import (
    BANK,
    CERTS,
    CHAIN_ID,
    COMPANIES,
    EXCHANGE,
    GREEN_MONTH,
    GRID,
    OWNERS,
    PAPER,
    START_MS,
    STEEL,
    WIND,
    founded,
    key_of,
    name_of,
)

_CLIENTS = (EXCHANGE, BANK, GRID, WIND, STEEL, PAPER)
_SEEDS_AT_ONCE_COUNT = 4
_codec = Machine(MARKET, "", lambda _digest: None)


class Town:
    """The workload: six senders, each of whom knows only what it was told."""

    clients_count = len(_CLIENTS)

    def __init__(self, epoch: EpochKey) -> None:
        """Nobody knows anything yet."""
        self._epoch = epoch
        self._payouts: list[int] = []
        self._proposed: list[tuple[int, int]] = []
        self._parts: dict[int, tuple[int, int]] = {}
        self._orders: list[tuple[int, int]] = []
        self._listings: list[int] = []
        self._reference_no = 0

    def seal(self, client_no: int, message_id: bytes, expires_ms: int, dice: random.Random) -> tuple[bytes, Message]:
        """What a client says next, sealed and signed."""
        sender_id = _CLIENTS[client_no]
        self._reference_no += 1
        message = self._next(sender_id, dice)
        keys = [key_of(name_of(sender_id, message.authority.role))]
        body = encode([message])
        return seal(CHAIN_ID, sender_id, message_id, expires_ms, body, keys, self._epoch, atomic=False), message

    def _next(self, sender_id: int, dice: random.Random) -> Message:
        reference = sha256(b"reference %d" % self._reference_no)
        if sender_id == EXCHANGE:
            day = clock.day_after(clock.day_of(START_MS), 6)
            gate = (START_MS, START_MS + 3 * clock.DAY_MS)
            return OpenSession(Method.ROLLING, Product.DAILY, day, day, (dice.randrange(24),), *gate)
        if sender_id == BANK:
            return self._bank(dice, reference)
        if sender_id == GRID and self._proposed and dice.randrange(3):
            return ConfirmInvoice(*dice.choice(self._proposed))
        if dice.randrange(4) == 0 or sender_id == GRID:
            return RequestPayout(dice.randrange(1, 300_000))
        if dice.randrange(3) == 0:
            return self._certificate(sender_id, dice)
        return self._order(sender_id, dice) if dice.randrange(2) else self._paper(sender_id, dice, reference)

    def _certificate(self, sender_id: int, dice: random.Random) -> Message:
        first_no, count_certs = dice.choice(CERTS), dice.randrange(1, 5)
        if sender_id != WIND and self._listings and dice.randrange(3):
            return BuyCertificates(dice.choice(self._listings), count_certs)
        if sender_id == WIND and self._listings and dice.randrange(4) == 0:
            return WithdrawCertificates(dice.choice(self._listings))
        if sender_id == WIND and dice.randrange(4):
            return ListCertificates(1, GREEN_MONTH, first_no, count_certs, dice.randrange(1, 900))
        month = GREEN_MONTH
        return RetireCertificates(1, month, first_no, count_certs, "模拟受益人", Purpose.OWN_USE, month, month)

    def _bank(self, dice: random.Random, reference: bytes) -> Message:
        if not self._payouts or dice.randrange(2):
            return ConfirmDeposit(dice.choice(OWNERS), dice.randrange(1, 1_000_000), reference)
        payout_id = dice.choice(self._payouts)
        return RefusePayout(payout_id, "账号不符") if dice.randrange(3) == 0 else ConfirmPayout(payout_id, reference)

    def _order(self, sender_id: int, dice: random.Random) -> Message:
        own = [order_id for order_id, owner_id in self._orders if owner_id == sender_id]
        if own and dice.randrange(4) == 0:
            return CancelOrder(dice.choice(own))
        side = Side.SELL if sender_id == WIND else Side.BUY
        return PlaceOrder(1, dice.choice((10, 11)), side, dice.randrange(295, 306) * 1_000, 100 * dice.randrange(1, 5))

    def _paper(self, sender_id: int, dice: random.Random, reference: bytes) -> Message:
        own = [(part_id, fen) for part_id, (holder_id, fen) in self._parts.items() if holder_id == sender_id]
        if not own or dice.randrange(3) == 0:
            due_day = clock.day_after(clock.day_of(START_MS), 30)
            code = f"{self._reference_no:08d}"
            return SubmitInvoice(GRID, "EPC-7", (code,), reference, dice.randrange(1_000, 100_000), due_day)
        part_id, fen = dice.choice(own)
        if fen > 1 and dice.randrange(2):
            first = dice.randrange(1, fen)
            wrong = int(dice.randrange(8) == 0)
            return SplitReceivable(part_id, (first, fen - first + wrong))
        return TransferReceivable(part_id, dice.choice(COMPANIES), "trade", reference)

    def heard(self, sent: Sent, outcomes: Outcomes) -> None:
        """An answer reached its client, who remembers the numbers in it."""
        if not outcomes[0].done:
            return
        message, reply, sender_id = sent.message, _reply(outcomes), _CLIENTS[sent.client_no]
        match message:
            case RequestPayout():
                self._payouts.append(reply.payout_id)
            case SubmitInvoice():
                self._proposed.append((reply.receivable_id, message.amount_fen))
                self._parts[reply.receivable_id] = (sender_id, message.amount_fen)
            case PlaceOrder():
                self._orders.append((reply.order_id, sender_id))
            case ListCertificates():
                self._listings.append(reply.listing_id)
            case SplitReceivable():
                for part_id, fen in zip(reply.receivable_ids, message.amounts_fen, strict=True):
                    self._parts[part_id] = (sender_id, fen)
            case TransferReceivable():
                self._parts[message.receivable_id] = (message.to_id, self._parts[message.receivable_id][1])
            case _:
                pass

    def check(self, node: EmbeddedNode, carried: Sequence[tuple[Sent, Outcomes]], without: frozenset[str]) -> None:
        """The books made of the log's outcomes agree with the state; every contract keeps its promises."""
        books = Books()
        for sent, outcomes in carried:
            if outcomes[0].done:
                books.take(_CLIENTS[sent.client_no], sent.message, _reply(outcomes))
        for name, check in CHECKERS.items():
            if name not in without:
                check(books, node)


def _reply(outcomes: Outcomes) -> Any:
    return _codec.reply_of(outcomes[0])


def run(
    seed: int, trace: list[str] | None = None, *, syncs: bool = True, without: frozenset[str] = frozenset()
) -> Report:
    """Run one seed of the market. ``trace``: gets every step, also of a run that fails; the rest as in :func:`simulate`.

    Raises:
        SimulationFailed: with the words of what is wrong; any other error is a fault as well.
    """
    ledger, epoch = founded()
    return simulate(seed, ledger, Town(epoch), trace, syncs=syncs, without=without)


@dataclass(frozen=True)
class Ran:
    """What came of a seed: its report, or the words of the fault that it found."""

    seed: int
    report: Report | None
    fault: str = ""


def attempt(seed: int) -> Ran:
    """Run one seed and let its trace go; whatever it raises is a finding."""
    try:
        return Ran(seed, replace(run(seed), trace=[]))
    except Exception as error:  # noqa: BLE001 - whatever a run raises is a finding, to be named with its seed
        return Ran(seed, None, str(error) or repr(error))


def run_many(seeds: Sequence[int], jobs_count: int) -> Iterator[Ran]:
    """Run seeds in their order, in so many processes at a time."""
    if jobs_count == 1:
        yield from map(attempt, seeds)
        return
    with get_context("spawn").Pool(jobs_count) as pool:
        yield from pool.imap(attempt, seeds, _SEEDS_AT_ONCE_COUNT)


def replay_command(seed: int) -> str:
    """What to type to see a seed's run."""
    return f"shudian simulate --seed {seed} --trace"
