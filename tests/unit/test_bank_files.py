"""The payment file and its reconciliation with a bank's statement: both ways, tolerance zero."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from shudian.cli import ledger
from shudian.cli import reconcile as command
from shudian.cli.common import UserError
from shudian.contracts.funds.views import VIEWS as FUNDS_VIEWS
from shudian.contracts.settlement.messages import AcceptStatement, ObjectToLine, PayStatement
from shudian.contracts.settlement.messages_facts import LineKind
from shudian.contracts.settlement.views import VIEWS
from shudian.tools.bank_files import (
    BankRow,
    Payment,
    payment_csv,
    payments,
    read_bank_statement,
    read_payments,
    reconcile,
    yuan,
)
from shudian.tools.order_columns import BadInput
from tests.unit.test_settlement import EVIDENCE, FEES_A1, GRID, HYDRO, JULY, PARTIES, USER
from tests.unit.test_settlement_corrections import set_rule
from tests.unit.test_settlement_views import VIEWERS, Screen

DIGEST = "ab" * 32
PAID = Payment("line:1", "paid", JULY, 20260821, USER, DIGEST, HYDRO, "", 12_345)
PAYABLE = Payment("payout:2", "payable", 0, 0, HYDRO, "", HYDRO, "", 700)
HEADER = "reference,date,owner,amount\n"


class Books(Screen):
    views = (FUNDS_VIEWS,)


def export(town: Screen) -> dict[str, Payment]:
    queries = {query.__name__: query for query in FUNDS_VIEWS.queries}

    def funds(name: str) -> Any:
        return queries[name](town.projector.reader, VIEWERS["exchange"])

    rows = payments(
        town.show("lines", "exchange", month=JULY),
        town.show("nettings", "exchange", month=JULY),
        funds("payouts"),
        town.show("statements", "exchange", month=JULY),
        funds("accounts"),
    )
    return {row.reference: row for row in rows}


def test_the_file_holds_what_is_payable_and_what_is_paid() -> None:
    town = Books()
    ids = town.issued()
    loss = town.line(LineKind.LOSS)
    town.say(USER, ObjectToLine(loss, 1, EVIDENCE, "fault"))
    for member_id in PARTIES:
        town.say(member_id, AcceptStatement(ids[member_id]))
    payable = export(town)
    # The plant's deviation of 0.00 and the disputed line are left out: energy, T&D, system, funds, demand, and the grid's deviation.
    assert len(payable) == 6
    assert {row.status for row in payable.values()} == {"payable"}
    assert f"line:{loss}" not in payable
    town.say(USER, PayStatement(ids[USER]))
    rows = export(town)
    paid = [row for row in rows.values() if row.status == "paid"]
    assert sum(row.amount_fen for row in paid) == 210_000_000 + sum(FEES_A1.values()) - FEES_A1["loss"]
    assert {row.due_day for row in paid} == {town.statement(ids[USER]).due_day}
    bank = [BankRow(1, row.reference, 20260820, str(row.payer_id), row.amount_fen) for row in paid]
    result = reconcile(list(rows.values()), bank)
    assert (result["matched"], result["agrees"]) == (5, True)
    assert [(row["why"], row["payer_id"]) for row in result["unmatched_ledger"]] == [("waiting", GRID)]


def test_netted_lines_are_one_movement() -> None:
    town = Books()
    set_rule(town, "settlement.netting_code", 1)
    ids = town.accepted()
    town.say(USER, PayStatement(ids[USER]))
    rows = export(town)
    assert sorted(reference.partition(":")[0] for reference in rows) == ["line", "line", "netting"]
    assert rows["netting:1"].amount_fen == sum(FEES_A1.values()) - FEES_A1["levy"] - 21_000_000
    assert sum(row.amount_fen for row in rows.values()) == 210_000_000 + sum(FEES_A1.values()) - 21_000_000


PAYOUT = {"payout_id": 3, "owner_id": HYDRO, "amount_fen": 500, "answered_ms": 1_786_000_000_000}


@pytest.mark.parametrize(
    ("state", "since_day", "expected"),
    [("requested", 0, "payable"), ("paid", 0, "paid"), ("paid", 20990101, None), ("refused", 0, None)],
)
def test_which_payouts_are_in_the_file(state: str, since_day: int, expected: str | None) -> None:
    accounts = [{"owner_id": HYDRO, "code": 10, "bank_account_digest": bytes.fromhex(DIGEST)}]
    rows = payments((), (), [PAYOUT | {"state": state}], (), accounts, since_day)
    assert [row.status for row in rows] == ([expected] if expected else [])
    assert all(row.payer_account == DIGEST for row in rows)


# rows of the bank -> matched, why not at the bank's side, why not at ours
BANK_CASES: list[tuple[list[tuple[str, str, int]], int, list[str], list[str]]] = [
    ([("line:1", str(USER), 12_345)], 1, [], ["waiting"]),
    ([("line:1", DIGEST, 12_345)], 1, [], ["waiting"]),
    ([], 0, [], ["missing", "waiting"]),
    ([("line:1", str(USER), 12_344)], 0, ["amount"], ["missing", "waiting"]),
    ([("line:1", str(HYDRO), 12_345)], 0, ["owner"], ["missing", "waiting"]),
    ([("line:1", "", 12_345)], 0, ["owner"], ["missing", "waiting"]),
    ([("line:9", str(USER), 12_345)], 0, ["unknown"], ["missing", "waiting"]),
    ([("line:1", str(USER), 12_345)] * 2, 1, ["repeated"], ["waiting"]),
    ([("line:1", str(USER), 1), ("line:1", str(USER), 12_345)], 1, ["amount"], ["waiting"]),
    ([("line:1", str(USER), 12_345), ("payout:2", str(HYDRO), 700)], 1, ["not_booked"], []),
]


@pytest.mark.parametrize(("rows", "matched", "bank_why", "ledger_why"), BANK_CASES)
def test_both_queues(
    rows: list[tuple[str, str, int]], matched: int, bank_why: list[str], ledger_why: list[str]
) -> None:
    bank = [BankRow(place, name, 20260820, owner, fen) for place, (name, owner, fen) in enumerate(rows, 1)]
    result = reconcile([PAID, PAYABLE], bank)
    assert result["matched"] == matched
    assert [row["why"] for row in result["unmatched_bank"]] == bank_why
    assert [row["why"] for row in result["unmatched_ledger"]] == ledger_why
    assert result["agrees"] is (not bank_why and "missing" not in ledger_why)


def test_a_payment_file_reads_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "payments.csv"
    file.write_text(payment_csv([PAID, PAYABLE]), encoding="utf-8")
    assert read_payments(file) == [PAID, PAYABLE]
    assert yuan(PAID.amount_fen) in file.read_text(encoding="utf-8")


BAD_BANK = [
    ("reference,date,owner\n", "amount"),
    (HEADER + "line:1,20260820,4,1.234\n", "amount"),
    (HEADER + "line:1,20260820,4,-1\n", "amount"),
    (HEADER + "line:1,20260820,4,0.00\n", "amount"),
    (HEADER + "line:1,20260230,4,1\n", "date"),
    (HEADER + "line:1,yesterday,4,1\n", "date"),
    (HEADER + "line:1,20260820,somebody,1\n", "owner"),
    (HEADER + ",20260820,4,1\n", "reference"),
    (HEADER + "line:1,20260820\n", "owner"),
]


@pytest.mark.parametrize(("text", "field"), BAD_BANK)
def test_a_bank_statement_that_cannot_be_used_says_why(tmp_path: Path, text: str, field: str) -> None:
    file = tmp_path / "bank.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        read_bank_statement(file)
    assert refused.value.field == field


def test_a_payment_file_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    good = payment_csv([PAID])
    file = tmp_path / "payments.csv"
    for (old, new), field in [(("paid", "lost"), "status"), (("123.45", "x"), "amount"), ((",4,", ",me,"), "payer_id")]:
        file.write_text(good.replace(old, new), encoding="utf-8")
        with pytest.raises(BadInput) as refused:
            read_payments(file)
        assert refused.value.field == field
    file.write_text(good + good.splitlines()[1] + "\n", encoding="utf-8")
    with pytest.raises(BadInput, match="stands once"):
        read_payments(file)
    with pytest.raises(BadInput, match="cannot be read"):
        read_payments(tmp_path / "none.csv")
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="cannot be read"):
        read_payments(file)


@pytest.mark.parametrize(("amount", "code"), [("123.45", 0), ("123.46", 2)])
def test_the_command_tells_whether_all_agrees(tmp_path: Path, amount: str, code: int) -> None:
    ours, theirs = tmp_path / "payments.csv", tmp_path / "bank.csv"
    ours.write_text(payment_csv([PAID]), encoding="utf-8")
    theirs.write_text(HEADER + f"line:1,2026-08-20,{USER},{amount}\n", encoding="utf-8")
    for more in ((), ("--json",)):
        result = CliRunner().invoke(command.app, ["check", str(ours), str(theirs), *more])
        assert result.exit_code == code, result.output


class FakeClient:
    """Answers queries from a town, as the exchange sees it."""

    def __init__(self, town: Screen) -> None:
        self.town = town

    def query(self, name: str, **filters: Any) -> Any:
        contract, _, query = name.partition(".")
        views = FUNDS_VIEWS if contract == "funds" else VIEWS
        function = next(found for found in views.queries if found.__name__ == query)
        return function(self.town.projector.reader, VIEWERS["exchange"], **filters)


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_the_command_writes_what_the_queries_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    town = Books()
    ids = town.accepted()
    town.say(USER, PayStatement(ids[USER]))

    @contextmanager
    def client_of(*_options: Any) -> Iterator[FakeClient]:
        yield FakeClient(town)

    monkeypatch.setattr(ledger, "client_of", client_of)
    file = tmp_path / "payments.csv"
    result = CliRunner().invoke(command.app, ["export", "--month", str(JULY), "--to", str(file), *more])
    assert result.exit_code == 0, result.output
    assert {row.reference: row for row in read_payments(file)} == export(town)
    refused = CliRunner().invoke(command.app, ["export", "--month", str(JULY), "--to", str(tmp_path / "no" / "file")])
    assert isinstance(refused.exception, UserError)
