"""What funds tells: accounts with their counters, statements with a running balance, positions, deposits and pay-outs."""

from shudian.contracts.funds.messages import (
    AccountClosed,
    AccountOpened,
    DepositConfirmed,
    FundsHeld,
    FundsReserved,
    FundsTransferred,
    HoldReleased,
    PayoutConfirmed,
    PayoutRefused,
    PayoutRequested,
)
from shudian.contracts.funds.messages_accounts import Balances, Code, HoldState
from shudian.contracts.funds.messages_numbers import balance_fen, code_of, free_of, owner_of
from shudian.contracts.roles import OVERSIGHT
from shudian.kernel.clock import day_after, day_of
from shudian.reading.reader import Reader, Viewer
from shudian.reading.tables import At, ReadTable, Row, Views, blob, integer, parties, text
from shudian.reading.writer import Writer

BALANCE = "balance"
HOLD = "hold"
RESERVATION = "reservation"
SEEN_BY = parties("owner_id", "bank_id", also=OVERSIGHT)

ACCOUNTS = ReadTable(
    "funds_accounts",
    (
        integer("account_id", "账户", "account"),
        integer("owner_id", "户主", "owner"),
        integer("code", "科目", "code"),
        integer("bank_id", "结算银行", "settlement bank"),
        blob("bank_account_digest", "银行账号摘要", "digest of the bank account number"),
        integer("closed", "已销户", "closed"),
        integer("debits_pending_fen", "借方待记", "debits pending"),
        integer("debits_posted_fen", "借方累计", "debits posted"),
        integer("credits_pending_fen", "贷方待记", "credits pending"),
        integer("credits_posted_fen", "贷方累计", "credits posted"),
        integer("balance_fen", "账面余额", "balance"),
        integer("free_fen", "可用余额", "free funds"),
    ),
    ("account_id",),
    SEEN_BY,
    (("owner_id",), ("bank_id",)),
)
LINES = ReadTable(
    "funds_lines",
    (
        integer("account_id", "账户", "account"),
        integer("entry_no", "分录号", "entry"),
        integer("owner_id", "户主", "owner"),
        integer("bank_id", "结算银行", "settlement bank"),
        integer("day", "日期", "day"),
        integer("market_ms", "市场时间", "market time"),
        integer("other_account_id", "对方账户", "other account"),
        integer("code", "划转类型", "transfer code"),
        text("deed", "业务", "deed"),
        integer("amount_fen", "发生额", "amount"),
        integer("balance_fen", "余额", "balance after"),
        blob("transfer_id", "划转编号", "transfer id"),
    ),
    ("account_id", "entry_no"),
    SEEN_BY,
    (("account_id", "day", "entry_no"),),
)
POSITIONS = ReadTable(
    "funds_positions",
    (
        integer("account_id", "账户", "account"),
        text("kind", "类别", "kind"),
        text("item", "项目", "item"),
        integer("owner_id", "户主", "owner"),
        integer("bank_id", "结算银行", "settlement bank"),
        integer("amount_fen", "对可用余额的影响", "effect on free funds"),
        integer("expires_ms", "到期", "expires at"),
    ),
    ("account_id", "kind", "item"),
    SEEN_BY,
)
_COUNTERS = slice(ACCOUNTS.places["debits_pending_fen"], None)
_AMOUNT = POSITIONS.places["amount_fen"]
DEPOSITS = ReadTable(
    "funds_deposits",
    (
        integer("bank_id", "结算银行", "settlement bank"),
        blob("bank_reference", "银行流水摘要", "bank reference"),
        integer("owner_id", "户主", "owner"),
        integer("account_id", "账户", "account"),
        integer("amount_fen", "金额", "amount"),
        integer("confirmed_ms", "确认时间", "confirmed at"),
    ),
    ("bank_id", "bank_reference"),
    SEEN_BY,
    (("owner_id",),),
)
PAYOUTS = ReadTable(
    "funds_payouts",
    (
        integer("payout_id", "出金申请", "pay-out"),
        integer("owner_id", "户主", "owner"),
        integer("account_id", "账户", "account"),
        integer("bank_id", "结算银行", "settlement bank"),
        integer("amount_fen", "金额", "amount"),
        text("state", "状态", "state"),
        blob("hold_id", "圈存编号", "hold"),
        integer("requested_ms", "申请时间", "requested at"),
        integer("expires_ms", "到期", "expires at"),
        integer("answered_ms", "答复时间", "answered at"),
        blob("bank_reference", "银行流水摘要", "bank reference"),
        text("reason", "退回原因", "reason"),
    ),
    ("payout_id",),
    SEEN_BY,
    (("owner_id",), ("hold_id",)),
)


def account_opened(db: Writer, event: AccountOpened, _at: At) -> None:
    """Begin, or begin again, an account and its position."""
    code = code_of(event.account_id)
    db.delete(ACCOUNTS, {"account_id": event.account_id})
    who = (event.account_id, owner_of(event.account_id), code, event.bank_id, event.bank_account_digest)
    closed = 0
    db.put(ACCOUNTS, [*who, closed, *_counters(code, event.balances)])
    db.delete(POSITIONS, {"account_id": event.account_id})
    _take(db, event.account_id, BALANCE, "", event.bank_id, balance_fen(code, event.balances), 0)


def account_closed(db: Writer, event: AccountClosed, _at: At) -> None:
    """Mark it."""
    db.update(ACCOUNTS, {"account_id": event.account_id}, closed=1)


def funds_transferred(db: Writer, event: FundsTransferred, at: At) -> None:
    """One line on each side's statement; a posted hold leaves the positions."""
    sides = (
        (event.debit_account_id, event.debit_bank_id, event.credit_account_id, -event.amount_fen, event.debit),
        (event.credit_account_id, event.credit_bank_id, event.debit_account_id, event.amount_fen, event.credit),
    )
    for account_id, bank_id, other_account_id, credited_fen, balances in sides:
        code = code_of(account_id)
        _set_balances(db, account_id, balances)
        db.insert(
            LINES,
            account_id=account_id,
            entry_no=event.entry_no,
            owner_id=owner_of(account_id),
            bank_id=bank_id,
            day=day_of(at.market_ms),
            market_ms=at.market_ms,
            other_account_id=other_account_id,
            code=event.code,
            deed=event.deed,
            amount_fen=-credited_fen if code == Code.BANK else credited_fen,
            balance_fen=balance_fen(code, balances),
            transfer_id=event.transfer_id,
        )
        if event.hold_id:
            _give_back(db, account_id, HOLD, event.hold_id.hex())


def funds_held(db: Writer, event: FundsHeld, _at: At) -> None:
    """A hold takes from the payer's free funds, and from those of a bank's mirror that is to be credited."""
    _set_balances(db, event.debit_account_id, event.debit)
    _set_balances(db, event.credit_account_id, event.credit)
    item = event.hold_id.hex()
    if code_of(event.debit_account_id) != Code.BANK:
        _take(db, event.debit_account_id, HOLD, item, event.debit_bank_id, -event.amount_fen, event.expires_ms)
    if code_of(event.credit_account_id) == Code.BANK:
        _take(db, event.credit_account_id, HOLD, item, event.credit_bank_id, -event.amount_fen, event.expires_ms)


def hold_released(db: Writer, event: HoldReleased, at: At) -> None:
    """A released hold leaves the positions; a pay-out whose hold expired is over."""
    for account_id, balances in ((event.debit_account_id, event.debit), (event.credit_account_id, event.credit)):
        _set_balances(db, account_id, balances)
        _give_back(db, account_id, HOLD, event.hold_id.hex())
    if event.state == HoldState.EXPIRED:
        db.update(PAYOUTS, {"hold_id": event.hold_id}, state="expired", answered_ms=at.market_ms)


def funds_reserved(db: Writer, event: FundsReserved, _at: At) -> None:
    """Keep the present amount of a reservation, or drop it."""
    _set_balances(db, event.account_id, event.balances)
    _give_back(db, event.account_id, RESERVATION, event.purpose)
    if event.amount_fen:
        _take(db, event.account_id, RESERVATION, event.purpose, event.bank_id, -event.amount_fen, 0)


def deposit_confirmed(db: Writer, event: DepositConfirmed, at: At) -> None:
    """Keep the bank's reference, for comparison with its statement."""
    db.insert(
        DEPOSITS,
        bank_id=event.bank_id,
        bank_reference=event.bank_reference,
        owner_id=owner_of(event.account_id),
        account_id=event.account_id,
        amount_fen=event.amount_fen,
        confirmed_ms=at.market_ms,
    )


def payout_requested(db: Writer, event: PayoutRequested, at: At) -> None:
    """Begin a pay-out."""
    db.insert(
        PAYOUTS,
        payout_id=event.payout_id,
        owner_id=owner_of(event.account_id),
        account_id=event.account_id,
        bank_id=event.bank_id,
        amount_fen=event.amount_fen,
        state="requested",
        hold_id=event.hold_id,
        requested_ms=at.market_ms,
        expires_ms=event.expires_ms,
        answered_ms=0,
        bank_reference=b"",
        reason="",
    )


def payout_confirmed(db: Writer, event: PayoutConfirmed, at: At) -> None:
    """Mark it paid, with the bank's reference."""
    where = {"payout_id": event.payout_id}
    db.update(PAYOUTS, where, state="paid", answered_ms=at.market_ms, bank_reference=event.bank_reference)


def payout_refused(db: Writer, event: PayoutRefused, at: At) -> None:
    """Mark it refused, with the bank's reason."""
    where = {"payout_id": event.payout_id}
    db.update(PAYOUTS, where, state="refused", answered_ms=at.market_ms, reason=event.reason)


def _counters(code: Code, balances: Balances) -> tuple[int, ...]:
    """The last columns of an account."""
    return (
        balances.debits_pending_fen,
        balances.debits_posted_fen,
        balances.credits_pending_fen,
        balances.credits_posted_fen,
        balance_fen(code, balances),
        free_of(code, balances),
    )


def _set_balances(db: Writer, account_id: int, balances: Balances) -> None:
    code = code_of(account_id)
    account = db.row(ACCOUNTS, (account_id,))
    if account is not None:
        account[_COUNTERS] = _counters(code, balances)
    position = db.row(POSITIONS, (account_id, BALANCE, ""))
    if position is not None:
        position[_AMOUNT] = balance_fen(code, balances)


def _take(db: Writer, account_id: int, kind: str, item: str, bank_id: int, amount_fen: int, expires_ms: int) -> None:
    owner_id = owner_of(account_id)
    db.put(POSITIONS, [account_id, kind, item, owner_id, bank_id, amount_fen, expires_ms])


def _give_back(db: Writer, account_id: int, kind: str, item: str) -> None:
    db.drop(POSITIONS, (account_id, kind, item))


def accounts(
    reader: Reader, viewer: Viewer, *, owner_id: int | None = None, bank_id: int | None = None, code: int | None = None
) -> list[Row]:
    """Accounts with their counters, balance and free funds."""
    return reader.select(viewer, ACCOUNTS, {"owner_id": owner_id, "bank_id": bank_id, "code": code})


def statement(reader: Reader, viewer: Viewer, *, account_id: int, first_day: int, last_day: int) -> list[Row]:
    """An account's statement 对账单: opening balance, each movement with the balance after it, closing balance.

    Rows carry ``kind``: opening, movement or closing. Opening plus all amounts equals closing, unless there are more movements than
    one select returns. Empty if the viewer may not see the account.
    """
    if reader.one(viewer, ACCOUNTS, {"account_id": account_id}) is None:
        return []
    lines = reader.select(viewer, LINES, {"account_id": account_id, "day": (">=", first_day)}, order_by="entry_no")
    return [
        _edge("opening", account_id, first_day, _balance_before(reader, viewer, account_id, first_day)),
        *({"kind": "movement", **line} for line in lines if line["day"] <= last_day),
        _edge("closing", account_id, last_day, _balance_before(reader, viewer, account_id, day_after(last_day))),
    ]


def _edge(kind: str, account_id: int, day: int, booked_fen: int) -> Row:
    return {"kind": kind, "account_id": account_id, "day": day, "amount_fen": 0, "balance_fen": booked_fen}


def _balance_before(reader: Reader, viewer: Viewer, account_id: int, day: int) -> int:
    where = {"account_id": account_id, "day": ("<", day)}
    last = reader.select(viewer, LINES, where, columns=("balance_fen",), order_by="entry_no DESC", limit=1)
    return int(last[0]["balance_fen"]) if last else 0


def positions(
    reader: Reader, viewer: Viewer, *, owner_id: int | None = None, account_id: int | None = None
) -> list[Row]:
    """What the free funds are made of, in one consistent look: the balance, then each open hold and reservation, negative.

    The amounts of an account sum to its free funds.
    """
    return reader.select(viewer, POSITIONS, {"owner_id": owner_id, "account_id": account_id})


def deposits(reader: Reader, viewer: Viewer, *, owner_id: int | None = None, bank_id: int | None = None) -> list[Row]:
    """Confirmed deposits, newest last."""
    return reader.select(
        viewer, DEPOSITS, {"owner_id": owner_id, "bank_id": bank_id}, order_by="confirmed_ms, bank_reference"
    )


def payouts(
    reader: Reader, viewer: Viewer, *, owner_id: int | None = None, bank_id: int | None = None, state: str | None = None
) -> list[Row]:
    """Pay-out requests: requested, paid, refused or expired."""
    return reader.select(viewer, PAYOUTS, {"owner_id": owner_id, "bank_id": bank_id, "state": state})


def trial_balance(reader: Reader, viewer: Viewer) -> list[Row]:
    """Trial balance 试算平衡表: the counters summed per bank and code; over all that oversight sees, debits equal credits."""
    names = ("debits_pending_fen", "debits_posted_fen", "credits_pending_fen", "credits_posted_fen")
    columns = ("bank_id", "code", *(f"SUM({name}) AS {name}" for name in names))
    return reader.select(viewer, ACCOUNTS, columns=columns, group_by="bank_id, code", order_by="bank_id, code")


VIEWS = Views(
    "funds",
    (ACCOUNTS, LINES, POSITIONS, DEPOSITS, PAYOUTS),
    {
        AccountOpened: account_opened,
        AccountClosed: account_closed,
        FundsTransferred: funds_transferred,
        FundsHeld: funds_held,
        HoldReleased: hold_released,
        FundsReserved: funds_reserved,
        DepositConfirmed: deposit_confirmed,
        PayoutRequested: payout_requested,
        PayoutConfirmed: payout_confirmed,
        PayoutRefused: payout_refused,
    },
    (accounts, statement, positions, deposits, payouts, trial_balance),
)
