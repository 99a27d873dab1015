"""Files exchanged with a settlement bank: the payment file 付款文件, and reconciliation 对账 with the bank's own statement.

Payment file, CSV in UTF-8 with a byte-order mark, one row per movement of money, columns of :data:`PAYMENT_COLUMNS`:

- ``reference``: ``line:N`` a bill line, ``netting:N`` the difference of two members' lines, ``payout:N`` a pay-out; unique.
- ``status``: ``payable`` (to be paid) or ``paid`` (the ledger holds it for moved).
- ``month``: of the statement, yyyymm, empty for pay-outs. ``due_day``: last day to pay in time, yyyymmdd, empty where there is none.
- ``payer_id``, ``payee_id``: members; a pay-out leaves to the same member's account outside, so both are its owner.
- ``payer_account``, ``payee_account``: SHA-256 of the account number in hex as filed when the account was opened, empty if none was.
- ``amount``: yuan with two decimals, positive.

Bank statement, CSV in UTF-8, columns ``reference``, ``date`` (yyyymmdd or yyyy-mm-dd), ``owner`` (the payer: digest of its account number
in hex, or its member number), ``amount`` (yuan, at most two decimals); others are not read. A row matches the row of the same reference if
owner and amount are the same; the tolerance is zero.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from shudian.contracts.funds.messages import Code
from shudian.contracts.settlement.messages_facts import LINES_PAID, LineKind, LineState
from shudian.contracts.settlement.rules_lines import LEDGERS
from shudian.faults import file_words
from shudian.kernel import clock
from shudian.tools.order_columns import BadInput, refuse_value

PAYMENT_COLUMNS = (
    "reference",
    "status",
    "month",
    "due_day",
    "payer_id",
    "payer_account",
    "payee_id",
    "payee_account",
    "amount",
)
BANK_COLUMNS = ("reference", "date", "owner", "amount")
PAYABLE, PAID = "payable", "paid"

_AMOUNT = re.compile(r"[0-9]{1,13}(\.[0-9]{1,2})?", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}", re.ASCII)
_OWNER = re.compile(r"[0-9a-f]{64}|[0-9]{1,15}", re.ASCII)
_REFERENCE = re.compile(r"\S{1,80}")


class Payment(NamedTuple):
    """One movement of money, as in the payment file; amount_fen instead of yuan, 0 where month or due day is empty."""

    reference: str
    status: str
    month: int
    due_day: int
    payer_id: int
    payer_account: str
    payee_id: int
    payee_account: str
    amount_fen: int


class BankRow(NamedTuple):
    """One row of the bank's statement; row_no: 1 for the first row of data."""

    row_no: int
    reference: str
    day: int
    owner: str
    amount_fen: int


def payments(
    lines: Iterable[Mapping[str, Any]],
    nettings: Iterable[Mapping[str, Any]],
    payouts: Iterable[Mapping[str, Any]],
    statements: Iterable[Mapping[str, Any]],
    accounts: Iterable[Mapping[str, Any]],
    since_day: int = 0,
) -> list[Payment]:
    """The rows of a payment file, by reference, from rows as the queries of settlement and funds give them.

    Left out: lines that are disputed, replaced, converted or 0.00 or that a netting paid, refused pay-outs, and what was paid before
    ``since_day``.
    """
    digests = {(row["owner_id"], row["code"]): bytes(row["bank_account_digest"] or b"").hex() for row in accounts}
    due_days = {(row["member_id"], row["month"]): row["due_day"] for row in statements}

    def account(member_id: int, kind: str = "") -> str:
        ledger = LEDGERS.get(LineKind(kind), Code.CASH) if kind else Code.CASH
        code = ledger if (member_id, ledger) in digests else Code.CASH
        return digests.get((member_id, code), "")

    def is_recent(row: Mapping[str, Any], column: str) -> bool:
        return clock.day_of(row[column]) >= since_day

    found = []
    for row in lines:
        is_paid = row["state"] in LINES_PAID and not row["netting_id"]
        if row["amount_fen"] and (row["state"] == LineState.OPEN or (is_paid and is_recent(row, "paid_ms"))):
            found.append(
                Payment(
                    f"line:{row['line_id']}",
                    PAID if is_paid else PAYABLE,
                    row["month"],
                    due_days.get((row["payer_id"], row["month"]), 0),
                    row["payer_id"],
                    account(row["payer_id"], row["kind"]),
                    row["payee_id"],
                    account(row["payee_id"], row["kind"]),
                    row["amount_fen"],
                )
            )
    for row in nettings:
        if row["net_fen"] and is_recent(row, "paid_ms"):
            sides = (row["payer_id"], account(row["payer_id"]), row["payee_id"], account(row["payee_id"]))
            found.append(Payment(f"netting:{row['netting_id']}", PAID, row["month"], 0, *sides, row["net_fen"]))
    for row in payouts:
        is_paid = row["state"] == "paid"
        if row["state"] == "requested" or (is_paid and is_recent(row, "answered_ms")):
            owner = (row["owner_id"], account(row["owner_id"]))
            status = PAID if is_paid else PAYABLE
            found.append(Payment(f"payout:{row['payout_id']}", status, 0, 0, *owner, *owner, row["amount_fen"]))
    return sorted(found, key=_order)


def _order(row: Payment) -> tuple[str, int]:
    kind, _, number = row.reference.partition(":")
    return kind, int(number)


def yuan(amount_fen: int) -> str:
    """An amount in yuan with two decimals, as the files write it.

    >>> yuan(12345), yuan(7)
    ('123.45', '0.07')
    """
    return f"{Decimal(amount_fen).scaleb(-2):.2f}"


def payment_csv(rows: Sequence[Payment]) -> str:
    """The text of a payment file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(PAYMENT_COLUMNS)
    for row in rows:
        writer.writerow([*row[:2], row.month or "", row.due_day or "", *row[4:8], yuan(row.amount_fen)])
    return "\ufeff" + out.getvalue()


def read_payments(path: Path) -> list[Payment]:
    """The rows of a payment file.

    Raises:
        BadInput: the file cannot be read, a column is missing, a value cannot be used, or a reference comes twice.
    """
    found: dict[str, Payment] = {}
    for row_no, row in enumerate(_rows(path, PAYMENT_COLUMNS), 1):
        reference = _text(row, row_no, "reference", _REFERENCE, "业务编号", "a reference")
        if reference in found:
            raise refuse_value("reference", row_no, reference, "未出现过的编号", "a reference that stands once")
        if row["status"] not in (PAYABLE, PAID):
            raise refuse_value("status", row_no, row["status"], "payable 或 paid", "payable or paid")
        found[reference] = Payment(
            reference,
            row["status"],
            _whole(row, row_no, "month"),
            _whole(row, row_no, "due_day"),
            _whole(row, row_no, "payer_id"),
            row["payer_account"],
            _whole(row, row_no, "payee_id"),
            row["payee_account"],
            _fen(row, row_no),
        )
    return list(found.values())


def read_bank_statement(path: Path) -> list[BankRow]:
    """The rows of a bank's statement.

    Raises:
        BadInput: the file cannot be read, a column is missing, or a value cannot be used.
    """
    found = []
    for row_no, row in enumerate(_rows(path, BANK_COLUMNS), 1):
        day = int(_text(row, row_no, "date", _DAY, "日期", "a date").replace("-", ""))
        if not clock.is_day(day):
            raise refuse_value("date", row_no, row["date"], "日历中的日期", "a day of the calendar")
        owner = _text(
            row, row_no, "owner", _OWNER, "账号摘要或会员编号", "a digest of an account number or a member number"
        )
        reference = _text(row, row_no, "reference", _REFERENCE, "业务编号", "a reference")
        found.append(BankRow(row_no, reference, day, owner, _fen(row, row_no)))
    return found


def _rows(path: Path, columns: Sequence[str]) -> Iterable[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise BadInput(
            f"无法读取 {path}：{file_words(error)[0]}", f"{path} cannot be read: {file_words(error)[1]}"
        ) from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    missing = [name for name in columns if name not in (reader.fieldnames or ())]
    if missing:
        raise BadInput(f"{path} 缺少“{missing[0]}”列", f"{path} has no column {missing[0]}", missing[0])
    try:
        for row in reader:
            yield {name: (row[name] or "").strip() for name in columns}
    except csv.Error as error:
        raise BadInput(
            f"{path} 不是规范的 CSV：{file_words(error)[0]}", f"{path} is no proper CSV: {file_words(error)[1]}"
        ) from None


def _text(row: Mapping[str, str], row_no: int, name: str, pattern: str | re.Pattern[str], zh: str, en: str) -> str:
    value = row[name]
    if not re.fullmatch(pattern, value):
        raise refuse_value(name, row_no, value, zh, en)
    return value


def _whole(row: Mapping[str, str], row_no: int, name: str) -> int:
    """A whole number; 0 for an empty month or due day."""
    least = 0 if name in ("month", "due_day") else 1
    return int(_text(row, row_no, name, rf"[0-9]{{{least},15}}", "整数", "a whole number") or 0)


def _fen(row: Mapping[str, str], row_no: int) -> int:
    text = _text(row, row_no, "amount", _AMOUNT, "最多两位小数的正数", "a positive number with two decimals at most")
    amount_fen = int(Decimal(text).scaleb(2))
    if not amount_fen:
        raise refuse_value("amount", row_no, text, "大于零的数", "a number above zero")
    return amount_fen


def reconcile(expected: Sequence[Payment], bank: Sequence[BankRow]) -> dict[str, Any]:
    """Match a payment file with a bank's statement by reference; both queues of what does not match, ready for JSON.

    matched, matched_fen. unmatched_ledger: rows of the payment file that the bank has not, ``missing`` if the ledger holds them for paid,
    else ``waiting``. unmatched_bank: rows of the bank with why: ``unknown`` reference, ``repeated``, other ``amount``, other ``owner``,
    or ``not_booked`` where the bank has paid what the ledger still holds for payable. agrees: nothing but waiting rows is left.

    >>> row = Payment("line:1", "paid", 202607, 20260902, 4, "", 3, "", 100)
    >>> result = reconcile([row], [BankRow(1, "line:1", 20260820, "4", 101)])
    >>> result["agrees"], result["unmatched_bank"][0]["why"], result["unmatched_ledger"][0]["why"]
    (False, 'amount', 'missing')
    """
    by_reference = {row.reference: row for row in expected}
    matched: dict[str, int] = {}
    unmatched_bank = []
    for row in bank:
        why = _why_not(by_reference.get(row.reference), row, matched)
        if why:
            unmatched_bank.append({**row._asdict(), "why": why})
        if not why or why == "not_booked":
            matched[row.reference] = row.amount_fen
    unmatched_ledger = [
        {**row._asdict(), "why": "missing" if row.status == PAID else "waiting"}
        for row in expected
        if row.reference not in matched
    ]
    is_left = bool(unmatched_bank) or any(row["why"] == "missing" for row in unmatched_ledger)
    not_booked = {row["reference"] for row in unmatched_bank if row["why"] == "not_booked"}
    good_fen = [amount_fen for reference, amount_fen in matched.items() if reference not in not_booked]
    return {
        "matched": len(good_fen),
        "matched_fen": sum(good_fen),
        "unmatched_ledger": unmatched_ledger,
        "unmatched_bank": unmatched_bank,
        "agrees": not is_left,
    }


def _why_not(expected: Payment | None, row: BankRow, matched: Mapping[str, int]) -> str:
    if expected is None:
        return "unknown"
    if row.reference in matched:
        return "repeated"
    if row.owner not in (str(expected.payer_id), expected.payer_account):
        return "owner"
    if row.amount_fen != expected.amount_fen:
        return "amount"
    return "" if expected.status == PAID else "not_booked"
