"""The books of the simulated world, and the checkers that compare them with the ledger to the fen.

They are plain dicts, moved by the outcomes in the log and by nothing else. Each checker looks at one kind of thing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shudian.contracts.certificates import rules_lots as lots
from shudian.contracts.certificates.messages import (
    BuyCertificates,
    ListCertificates,
    LotState,
    RetireCertificates,
    WithdrawCertificates,
)
from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import ConfirmDeposit, ConfirmPayout, RefusePayout, RequestPayout
from shudian.contracts.receivables import rules as receivables
from shudian.contracts.receivables.messages import (
    ConfirmInvoice,
    SplitReceivable,
    State,
    SubmitInvoice,
    TransferReceivable,
)
from shudian.kernel.messages import Message
from shudian.node.embedded import EmbeddedNode
from shudian.node.simulated import that
from shudian.reading.reader import Viewer
from shudian.tools.simulation_founding import CERTS, GREEN_MONTH, OPENING_FEN, OWNERS, REGULATOR, WIND

BANK, HOLD, VOUCHER, CERTIFICATE, CONTRACTS = "bank", "hold", "voucher", "certificate", "contracts"
"""The checkers of this market, by name."""


@dataclass
class Books:
    """What follows from the outcomes.

    owned, held: fen by member. payouts: owner and fen of each request that is open. creditors, debts: of each root. parts: (root, holder,
    fen) of receivables that are held. certs: holder and state of each certificate. offers: seller and certificates of a listing, lowest
    serials first. wrong_certs: what was done with certificates although it could not be.
    """

    owned: dict[int, int] = field(default_factory=lambda: dict(OPENING_FEN))
    held: dict[int, int] = field(default_factory=lambda: dict.fromkeys(OWNERS, 0))
    payouts: dict[int, tuple[int, int]] = field(default_factory=dict)
    creditors: dict[int, int] = field(default_factory=dict)
    debts: dict[int, int] = field(default_factory=dict)
    parts: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    certs: dict[int, tuple[int, LotState]] = field(default_factory=lambda: dict.fromkeys(CERTS, (WIND, LotState.HELD)))
    offers: dict[int, tuple[int, list[int]]] = field(default_factory=dict)
    wrong_certs: list[str] = field(default_factory=list)

    def take(self, sender_id: int, message: Message, reply: Any) -> None:
        """A message that was carried out."""
        match message:
            case ConfirmDeposit():
                self.owned[message.owner_id] += message.amount_fen
            case RequestPayout():
                self.payouts[reply.payout_id] = (sender_id, message.amount_fen)
                self.held[sender_id] += message.amount_fen
            case ConfirmPayout() | RefusePayout():
                owner_id, fen = self.payouts.pop(message.payout_id)
                self.held[owner_id] -= fen
                self.owned[owner_id] -= fen if isinstance(message, ConfirmPayout) else 0
            case SubmitInvoice():
                self.creditors[reply.receivable_id] = sender_id
            case ConfirmInvoice():
                root_id = message.receivable_id
                self.debts[root_id] = message.amount_fen
                self.parts[root_id] = (root_id, self.creditors[root_id], message.amount_fen)
            case SplitReceivable():
                root_id, holder_id, _ = self.parts.pop(message.receivable_id)
                for part_id, fen in zip(reply.receivable_ids, message.amounts_fen, strict=True):
                    self.parts[part_id] = (root_id, holder_id, fen)
            case TransferReceivable():
                root_id, _, fen = self.parts[message.receivable_id]
                self.parts[message.receivable_id] = (root_id, message.to_id, fen)
            case _:
                self._take_certificates(sender_id, message, reply)

    def _take_certificates(self, sender_id: int, message: Message, reply: Any) -> None:
        match message:
            case ListCertificates():
                self.offers[reply.listing_id] = (sender_id, self._mark(message, sender_id, LotState.LISTED))
            case WithdrawCertificates():
                _, left = self.offers.pop(message.listing_id)
                self.certs.update(dict.fromkeys(left, (sender_id, LotState.HELD)))
            case BuyCertificates():
                seller_id, left = self.offers[message.listing_id]
                bought, rest = left[: message.count_certs], left[message.count_certs :]
                self.offers[message.listing_id] = (seller_id, rest)
                if bought[:1] != [reply.first_serial_no]:
                    self.wrong_certs.append("certificates are sold in another order than they were listed")
                self.certs.update(dict.fromkeys(bought, (sender_id, LotState.HELD)))
                self.owned[sender_id] -= reply.paid_fen
                self.owned[seller_id] += reply.paid_fen
            case RetireCertificates():
                self._mark(message, sender_id, LotState.RETIRED)
            case _:
                pass

    def _mark(self, message: ListCertificates | RetireCertificates, holder_id: int, state: LotState) -> list[int]:
        numbers = range(message.first_serial_no, message.first_serial_no + message.count_certs)
        for number in numbers:
            if self.certs.get(number) != (holder_id, LotState.HELD):
                self.wrong_certs.append(f"certificate {number} was not the sender's to use")
            self.certs[number] = (holder_id, state)
        return list(numbers)


def _bank(books: Books, node: EmbeddedNode) -> None:
    """Each member owns what came in less what went out."""
    at = node.machine
    debits, credits_ = funds.trial_balance(at)
    that(debits == credits_, BANK, "debits and credits differ")
    for owner_id, owned_fen in books.owned.items():
        account_id = funds.account_of(at, owner_id)
        balances = funds.balances(at, account_id)
        posted_fen = balances.credits_posted_fen - balances.debits_posted_fen
        words = f"member {owner_id} owns {posted_fen} fen, the books say {owned_fen}"
        that(posted_fen == owned_fen, BANK, words)
        that(funds.free_fen(at, account_id) >= 0, BANK, f"member {owner_id} has spoken for more than it owns")


def _hold(books: Books, node: EmbeddedNode) -> None:
    """Exactly what is requested is held, as the members can read it."""
    for owner_id, wanted_fen in books.held.items():
        positions = node.query(Viewer(REGULATOR, "regulator"), "funds.positions", owner_id=owner_id)
        held_fen = -sum(row["amount_fen"] for row in positions if row["kind"] == "hold")
        that(held_fen == wanted_fen, HOLD, f"member {owner_id} has {held_fen} fen held, the books say {wanted_fen}")


def _voucher(books: Books, node: EmbeddedNode) -> None:
    """Each part of a receivable has its holder and amount; parts add up to the debt."""
    by_root = dict.fromkeys(books.debts, 0)
    for part_id, (root_id, holder_id, fen) in books.parts.items():
        row = receivables.receivable(node.machine, part_id)
        told = (row.root_id, row.holder_id, row.amount_fen, row.state)
        wanted = (root_id, holder_id, fen, State.HELD)
        that(told == wanted, VOUCHER, f"receivable {part_id} is {told}, the books say {wanted}")
        by_root[root_id] += row.amount_fen
    that(by_root == books.debts, VOUCHER, "the parts of a receivable do not add up to its debt")


def _certificate(books: Books, node: EmbeddedNode) -> None:
    """Each certificate has its holder and state, and was used by whose it was."""
    that(not books.wrong_certs, CERTIFICATE, "; ".join(books.wrong_certs[:1]))
    for number, wanted in books.certs.items():
        _, lot = lots.lot_of(node.machine, 1, GREEN_MONTH, number)
        told = (lot.holder_id, lot.state)
        that(told == wanted, CERTIFICATE, f"certificate {number} is {told}, the books say {wanted}")


def _contracts(_books: Books, node: EmbeddedNode) -> None:
    """Every contract keeps its promises over all rows."""
    node.machine.check_all()


CHECKERS: dict[str, Callable[[Books, EmbeddedNode], None]] = {
    BANK: _bank,
    HOLD: _hold,
    VOUCHER: _voucher,
    CERTIFICATE: _certificate,
    CONTRACTS: _contracts,
}
