"""The market of the simulated world: its members, what they say, and what has to be true of their money and their papers.

The books kept here are plain dicts, moved by the outcomes in the log and by nothing else; the ledger's state must agree with them to the fen.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from stdnum.cn import uscc

from shudian.contracts.agreements.messages import Method
from shudian.contracts.certificates import rules_lots as lots
from shudian.contracts.certificates.messages import (
    BuyCertificates,
    FileProject,
    IssueCertificates,
    ListCertificates,
    LotState,
    Purpose,
    RetireCertificates,
    WithdrawCertificates,
)
from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import ConfirmDeposit, ConfirmPayout, RefusePayout, RequestPayout
from shudian.contracts.metering.messages import BindMeter, Direction, SubmitReadings
from shudian.contracts.metering.rules_slots import pack
from shudian.contracts.receivables import rules as receivables
from shudian.contracts.receivables.messages import (
    ConfirmInvoice,
    SplitReceivable,
    State,
    SubmitInvoice,
    TransferReceivable,
)
from shudian.contracts.resources.messages import (
    Decision,
    DispatchLevel,
    Fuel,
    RegisterResource,
    ResourceType,
    ReviewResource,
    TariffClass,
    Voltage,
)
from shudian.contracts.trading.messages import CancelOrder, OpenSession, PlaceOrder, Product, Side
from shudian.kernel import clock
from shudian.kernel.codec import encode
from shudian.kernel.crypto import SigningKey, sha256
from shudian.kernel.envelope import EpochKey, seal
from shudian.kernel.ids import derived_id
from shudian.kernel.machine import WALL, Machine
from shudian.kernel.messages import Message
from shudian.kernel.units import SLOTS_PER_DAY
from shudian.market import MARKET
from shudian.node.embedded import EmbeddedNode
from shudian.node.founding import found
from shudian.node.genesis import Genesis
from shudian.node.simulated import Founded, Outcomes, Report, Sent, at_rest, scratch, simulate, that
from shudian.reading.reader import Viewer

CHAIN_ID = "simulated"
EXCHANGE, GRID, BANK, REGULATOR, WIND, STEEL, PAPER = range(1, 8)
COMPANIES = (WIND, STEEL, PAPER)
OWNERS = (GRID, *COMPANIES)
OPENING_FEN = {GRID: 50_000_000, WIND: 20_000_000, STEEL: 40_000_000, PAPER: 100_000}
START_MS = 1_785_200_000_000
"""2026-07-28 at UTC+8."""
GREEN_MONTH, GREEN_DAYS = 202606, (20260629, 20260630)
GREEN_MS = clock.ms_at(GREEN_DAYS[0], 9)
SLOT_WH = 250_000
CERTS = range(1, 1 + len(GREEN_DAYS) * SLOTS_PER_DAY * SLOT_WH // 1_000_000)
"""Serial numbers of the wind farm's certificates: 48 of its first month."""
_PREFIX = {EXCHANGE: "exchange", GRID: "grid_company", BANK: "bank", REGULATOR: "regulator"}
_CLIENTS = (EXCHANGE, BANK, GRID, WIND, STEEL, PAPER)
_codec = Machine(MARKET, "", lambda _digest: None)


@cache
def _key_of(name: str) -> SigningKey:
    return SigningKey(sha256(f"simulated {name}".encode()))


def _name(member_id: int, role: str) -> str:
    return f"{_PREFIX.get(member_id, member_id)}-{role}"


def _company(member_id: int) -> dict[str, Any]:
    base = f"91510100MA{member_id:07d}"
    persons = [
        {"public_key": _key_of(_name(member_id, role)).public_key.hex(), "roles": [role]}
        for role in ("admin", "trader", "finance")
    ]
    return {
        "kind": "generator" if member_id == WIND else "user",
        "name_zh": f"公司{member_id}",
        "name_en": f"Company {member_id}",
        "uscc": base + uscc.calc_check_digit(base),
        "persons": persons,
    }


def _genesis() -> Genesis:
    genesis = found(CHAIN_ID, WALL, START_MS, lambda name: _key_of(name).public_key)
    genesis.sections["identity"]["members"] += [_company(member_id) for member_id in COMPANIES]
    digest = sha256(b"account number").hex()
    accounts = [
        {"owner_id": owner_id, "bank_id": BANK, "bank_account_digest": digest, "opening_fen": fen}
        for owner_id, fen in OPENING_FEN.items()
    ]
    genesis.sections["funds"] = {"accounts": accounts}
    return genesis


def _resource(member_id: int) -> RegisterResource:
    names = (f"资源{member_id}", f"Resource {member_id}")
    if member_id == WIND:
        return RegisterResource(
            ResourceType.PLANT, *names, 5_000, Voltage.KV110, fuel=Fuel.WIND, dispatch_level=DispatchLevel.PROVINCIAL
        )
    return RegisterResource(
        ResourceType.LOAD,
        *names,
        4_000,
        Voltage.KV110,
        tariff_class=TariffClass.TWO_PART,
        contract_demand_kw=4_000,
    )


def _first_acts() -> list[tuple[int, str, Message]]:
    """Resources with meters, and the wind farm's filing, at the end of its first month."""
    acts: list[tuple[int, str, Message]] = []
    for resource_id, member_id in enumerate(COMPANIES, 1):
        direction = Direction.GENERATION if member_id == WIND else Direction.LOAD
        first_day = GREEN_DAYS[0] if member_id == WIND else clock.day_after(clock.day_of(START_MS), 1)
        bind = BindMeter(f"SC-{member_id}", resource_id, direction, first_day)
        acts += [
            (member_id, "admin", _resource(member_id)),
            (EXCHANGE, "reviewer", ReviewResource(resource_id, Decision.APPROVE)),
            (GRID, "meter", bind),
        ]
    acts.append((EXCHANGE, "reviewer", FileProject(1, 20230101, fully_in_market=True)))
    return acts


def _later_acts() -> list[tuple[int, str, Message]]:
    """The farm's readings and certificates, and one session that stays open: the session's number is 1."""
    day_wh = pack((SLOT_WH,) * SLOTS_PER_DAY)
    acts: list[tuple[int, str, Message]] = [(GRID, "meter", SubmitReadings(day, (1,), day_wh)) for day in GREEN_DAYS]
    acts.append((EXCHANGE, "operator", IssueCertificates(GREEN_MONTH, (1,))))
    day = clock.day_after(clock.day_of(START_MS), 5)
    gate = (START_MS, START_MS + 2 * clock.DAY_MS)
    acts.append((EXCHANGE, "operator", OpenSession(Method.ROLLING, Product.DAILY, day, day, (10, 11), *gate)))
    return acts


@cache
def founded() -> tuple[Founded, EpochKey]:
    """The ledger on which every run begins, made once per process."""
    now_ms = GREEN_MS
    node_key = _key_of("node")
    with scratch() as folder:
        node = EmbeddedNode.create(folder / "chain", _genesis(), node_key, now_ms=lambda: now_ms)
        try:
            epoch = node.epoch
            first_acts = _first_acts()
            for act_no, (sender_id, role, message) in enumerate([*first_acts, *_later_acts()]):
                now_ms = GREEN_MS if act_no < len(first_acts) else START_MS + 1_000
                keys = [_key_of(_name(sender_id, role))]
                message_id = derived_id("opening", str(act_no))
                expires_ms = now_ms + clock.HOUR_MS
                data = seal(CHAIN_ID, sender_id, message_id, expires_ms, encode([message]), keys, epoch, atomic=False)
                (outcomes,) = node.submit([data])
                that(outcomes[0].done, f"the opening is refused: {message} {outcomes}")
            height = node.height
        finally:
            node.close()
        return Founded(at_rest(folder / "chain"), height, node_key, now_ms), epoch


@dataclass
class Books:
    """What follows from the outcomes. owned, held: fen by member. parts: (root, holder, fen) of receivables that are held.

    certs: holder and state of each certificate. offers: seller and certificates of a listing, lowest serials first.
    """

    owned: dict[int, int] = field(default_factory=lambda: dict(OPENING_FEN))
    held: dict[int, int] = field(default_factory=lambda: dict.fromkeys(OWNERS, 0))
    payouts: dict[int, tuple[int, int]] = field(default_factory=dict)
    debts: dict[int, int] = field(default_factory=dict)
    parts: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    spent: set[int] = field(default_factory=set)
    """Receivables that were split."""
    certs: dict[int, tuple[int, LotState]] = field(default_factory=lambda: dict.fromkeys(CERTS, (WIND, LotState.HELD)))
    offers: dict[int, tuple[int, list[int]]] = field(default_factory=dict)

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
            case ConfirmInvoice():
                self.debts[message.receivable_id] = message.amount_fen
                self.parts[message.receivable_id] = (message.receivable_id, 0, message.amount_fen)
            case SplitReceivable():
                root_id, holder_id, _ = self.parts.pop(message.receivable_id)
                self.spent.add(message.receivable_id)
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
                bought, self.offers[message.listing_id] = (
                    left[: message.count_certs],
                    (seller_id, left[message.count_certs :]),
                )
                that(bought[0] == reply.first_serial_no, "certificates are sold in another order than they were listed")
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
            that(self.certs[number] == (holder_id, LotState.HELD), f"certificate {number} was not the sender's to use")
            self.certs[number] = (holder_id, state)
        return list(numbers)


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
        keys = [_key_of(_name(sender_id, message.authority.role))]
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

    def check(self, node: EmbeddedNode, carried: Sequence[tuple[Sent, Outcomes]]) -> None:
        """Bank, hold, voucher and certificate: the books made of the log's outcomes agree with the state; every contract keeps its promises."""
        books = Books()
        creditors: dict[int, int] = {}
        for sent, outcomes in carried:
            if not outcomes[0].done:
                continue
            sender_id, reply = _CLIENTS[sent.client_no], _reply(outcomes)
            if isinstance(sent.message, SubmitInvoice):
                creditors[reply.receivable_id] = sender_id
            books.take(sender_id, sent.message, reply)
        at = node.machine
        at.check_all()
        debits, credits_ = funds.trial_balance(at)
        that(debits == credits_, "debits and credits differ")
        for owner_id, owned_fen in books.owned.items():
            account_id = funds.account_of(at, owner_id)
            balances = funds.balances(at, account_id)
            posted_fen = balances.credits_posted_fen - balances.debits_posted_fen
            that(posted_fen == owned_fen, f"member {owner_id} owns {posted_fen} fen, the books say {owned_fen}")
            that(funds.free_fen(at, account_id) >= 0, f"member {owner_id} has spoken for more than it owns")
            positions = node.query(Viewer(REGULATOR, "regulator"), "funds.positions", owner_id=owner_id)
            held_fen = -sum(row["amount_fen"] for row in positions if row["kind"] == "hold")
            wanted_fen = books.held[owner_id]
            that(held_fen == wanted_fen, f"member {owner_id} has {held_fen} fen held, the books say {wanted_fen}")
        by_root = dict.fromkeys(books.debts, 0)
        for part_id, (root_id, holder_id, fen) in books.parts.items():
            row = receivables.receivable(at, part_id)
            told = (row.root_id, row.holder_id, row.amount_fen, row.state)
            wanted = (root_id, holder_id or creditors.get(root_id, 0), fen, State.HELD)
            that(told == wanted, f"receivable {part_id} is {told}, the books say {wanted}")
            by_root[root_id] += row.amount_fen
        that(by_root == books.debts, "the parts of a receivable do not add up to its debt")
        for number, wanted_cert in books.certs.items():
            _, lot = lots.lot_of(at, 1, GREEN_MONTH, number)
            told_cert = (lot.holder_id, lot.state)
            that(told_cert == wanted_cert, f"certificate {number} is {told_cert}, the books say {wanted_cert}")


def _reply(outcomes: Outcomes) -> Any:
    return _codec.reply_of(outcomes[0])


def run(seed: int, trace: list[str] | None = None, *, syncs: bool = True) -> Report:
    """Run one seed of the market. ``trace``: gets every step, also of a run that fails.

    Raises:
        SimulationFailed: with the words of what is wrong; any other error is a fault as well.
    """
    ledger, epoch = founded()
    return simulate(seed, ledger, Town(epoch), trace, syncs=syncs)


def replay_command(seed: int) -> str:
    """What to type to see a seed's run."""
    return f"shudian simulate --seed {seed} --trace"
