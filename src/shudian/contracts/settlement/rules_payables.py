"""What can be paid now: by itself, or netted 轧差 against what the other side owes."""

from dataclasses import dataclass

from shudian.contracts.funds import rules as funds
from shudian.contracts.funds.messages import Code
from shudian.contracts.governance import rules as governance
from shudian.contracts.settlement.messages_facts import BillLine, LineState, Statement
from shudian.contracts.settlement.rules_lines import account_code, is_accepted, statement_of
from shudian.contracts.settlement.state import LINES
from shudian.kernel import clock
from shudian.kernel.contract import BlockContext
from shudian.kernel.tables import HasStore

PROVISIONAL = "settlement.provisional_code"
NETTING = "settlement.netting_code"

Lines = list[tuple[int, BillLine]]


@dataclass(frozen=True)
class Net:
    """Cash lines between two members that are paid by their difference; the own ones come to as much as those of the other side, or more."""

    other_id: int
    own: Lines
    counter: Lines


@dataclass(frozen=True)
class Plan:
    """What a payment of a statement would pay: lines by themselves, and nets."""

    alone: Lines
    nets: list[Net]

    @property
    def own(self) -> Lines:
        """The lines that the member owes."""
        return [*self.alone, *(item for net in self.nets for item in net.own)]

    @property
    def counter(self) -> Lines:
        """The lines that others owe the member."""
        return [item for net in self.nets for item in net.counter]


def total_fen(lines: Lines) -> int:
    """The sum of lines."""
    return sum(row.amount_fen for _, row in lines)


def payable_lines(at: BlockContext, row: Statement, *, provisional: bool = False) -> Lines:
    """(line_id, line) of the unpaid lines that a member may pay now: those whose other side has accepted its statement too.

    A line whose payee has no open account for the money waits; it holds up no other payee.
    Lines with an open objection count if ``provisional`` or if the rule has them all paid provisionally. What the grid company pays from a
    ledger counts as far as the ledger holds money. Refuses: 2003.
    """
    is_ruled = bool(governance.setting(at, PROVISIONAL, clock.day_of(at.market_ms)))
    states = (LineState.OPEN, LineState.DISPUTED) if provisional or is_ruled else (LineState.OPEN,)
    accepted: dict[int, bool] = {}
    takes_money: dict[tuple[int, Code], bool] = {}
    left_fen: dict[Code, int] = {}
    found = []
    for key, item in LINES.find(at, "by_payer", row.member_id, row.month):
        if item.state not in states:
            continue
        if item.payee_id not in accepted:
            accepted[item.payee_id] = is_accepted(at, item.payee_id, item.month)
        if not accepted[item.payee_id]:
            continue
        place = item.payee_id, account_code(at, item, item.payee_id)
        if place not in takes_money:
            takes_money[place] = funds.is_open(at, *place)
        if not takes_money[place]:
            continue
        code = account_code(at, item, item.payer_id)
        if code is not Code.CASH:
            if code not in left_fen:
                left_fen[code] = funds.free_fen(at, funds.account_of(at, item.payer_id, code))
            if item.amount_fen > left_fen[code]:
                continue
            left_fen[code] -= item.amount_fen
        found.append((int(key[0]), item))
    return found


def plan(at: BlockContext, row: Statement, *, provisional: bool = False) -> Plan:
    """What a payment of a statement would pay. Refuses: 2003.

    Where netting is on, cash lines between two members whose other side can be paid too are netted; what is netted against more than it
    comes to is left to the other side, which pays the difference.
    """
    payable = payable_lines(at, row, provisional=provisional)
    if not governance.setting(at, NETTING, clock.day_of(at.market_ms)):
        return Plan(payable, [])
    alone: Lines = []
    nets: list[Net] = []
    cash: dict[int, Lines] = {}
    for line_id, item in payable:
        (cash.setdefault(item.payee_id, []) if _is_cash(at, item) else alone).append((line_id, item))
    for other_id, own in cash.items():
        counter = _counter_lines(at, row, other_id)
        if not counter:
            alone += own
        elif total_fen(own) >= total_fen(counter):
            nets.append(Net(other_id, own, counter))
    return Plan(alone, nets)


def _counter_lines(at: BlockContext, row: Statement, other_id: int) -> Lines:
    other = statement_of(at, other_id, row.month)
    if other is None:
        return []
    return [
        (line_id, item)
        for line_id, item in payable_lines(at, other[1])
        if item.payee_id == row.member_id and _is_cash(at, item)
    ]


def _is_cash(at: HasStore, row: BillLine) -> bool:
    return all(account_code(at, row, member_id) is Code.CASH for member_id in (row.payer_id, row.payee_id))
