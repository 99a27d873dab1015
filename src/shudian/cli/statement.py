"""``shudian statement``: monthly statements and their lines; accept, object, pay."""

from pathlib import Path
from typing import Annotated

import typer

from shudian.cli.commands import Commands
from shudian.cli.common import language, out, print_json, print_rows, unseen
from shudian.cli.ledger import Ledger
from shudian.cli.values import fen, file_digest
from shudian.contracts.settlement.messages import AcceptStatement, ObjectToLine, PayStatement

app = Commands(no_args_is_help=True, help="结算单：查看、确认、异议、支付。 Statements: read, accept, object, pay.")

StatementArgument = Annotated[int, typer.Argument(metavar="STATEMENT", help="结算单编号 number of the statement")]

_STATEMENT_COLUMNS = (
    ("statement_id", "结算单", "statement"),
    ("member_id", "成员", "member"),
    ("month", "月份", "month"),
    ("payable_fen", "应付 元", "payable CNY"),
    ("receivable_fen", "应收 元", "receivable CNY"),
    ("paid_fen", "已付 元", "paid CNY"),
    ("received_fen", "已收 元", "received CNY"),
    ("due_day", "付款日", "due"),
    ("state", "状态", "state"),
)


@app.command("list")
def list_statements(ledger: Ledger, month: Annotated[int | None, typer.Option(help="月份 yyyymm")] = None) -> None:
    """本方结算单（交易中心与监管可见全部）。 Your statements; overseers see all."""
    ledger.print_query("settlement.statements", _STATEMENT_COLUMNS, month=month)


@app.command("show")
def show_statement(
    ledger: Ledger,
    statement_id: StatementArgument,
    detail: Annotated[bool, typer.Option("--lines", help="逐行列出并说明 every line with its explanation")] = False,
) -> None:
    """一张结算单：按类汇总，或逐行及计算说明。 One statement: totals by kind, or every line with how it was computed."""
    with ledger.client() as client:
        found = [row for row in client.query("settlement.statements") if row["statement_id"] == statement_id]
        if not found:
            raise unseen("结算单", "statement", statement_id)
        head = found[0]
        items = client.query("settlement.statement_items", statement_id=statement_id)
        lines = client.query("settlement.lines", month=head["month"]) if detail else []
    own = [line for line in lines if head["member_id"] in (line["payer_id"], line["payee_id"])]
    if ledger.as_json:
        print_json({**head, "items": items, "lines": own})
        return
    print_rows([head], _STATEMENT_COLUMNS, as_json=False)
    out.print()
    columns = (
        (language(), "项目", "item"),
        ("energy_kwh", "电量 MWh", "energy MWh"),
        ("average_myuan_mwh", "均价 元/MWh", "average CNY/MWh"),
        ("amount_fen", "金额 元", "amount CNY"),
    )
    print_rows(items, columns, as_json=False)
    if detail:
        out.print()
        line_columns = (
            ("line_id", "行", "line"),
            ("kind", "类", "kind"),
            ("payer_id", "付方", "payer"),
            ("payee_id", "收方", "payee"),
            ("energy_kwh", "电量 MWh", "energy MWh"),
            ("amount_fen", "金额 元", "amount CNY"),
            ("state", "状态", "state"),
            ("explanation_zh", "说明", "how computed"),
            ("explanation_en", "说明", "how computed"),
        )
        print_rows(own, line_columns, as_json=False)


@app.command("bill")
def bill(ledger: Ledger, statement_id: StatementArgument) -> None:
    """用户电费账单的固定版式，零行也列出。 The user's electricity bill: always the same rows, those of zero too."""
    columns = (
        ("section", "部分", "section"),
        (language(), "项目", "item"),
        ("energy_kwh", "电量 MWh", "energy MWh"),
        ("amount_fen", "金额 元", "amount CNY"),
        ("average_e8yuan_kwh", "均价 1e-8元/kWh", "average 1e-8 CNY/kWh"),
    )
    ledger.print_query("settlement.user_bill", columns, statement_id=statement_id)


@app.command("accept")
def accept(ledger: Ledger, statement_id: StatementArgument) -> None:
    """确认结算单；期满不答即为确认。 Accept a statement; silence does the same when the period ends."""
    ledger.submit(AcceptStatement(statement_id))


@app.command("object")
def object_to_line(
    ledger: Ledger,
    line_id: Annotated[int, typer.Argument(metavar="LINE", help="结算行编号 number of the line")],
    claimed: Annotated[str, typer.Option(help="主张金额（元） amount claimed, CNY")],
    evidence: Annotated[Path, typer.Option(help="证据文件，只留哈希 evidence file; only its hash goes on the ledger")],
    reason: Annotated[str, typer.Option(help="理由 reason")],
) -> None:
    """对一行提出异议。 Object to a line."""
    ledger.submit(ObjectToLine(line_id, fen("--claimed", claimed), file_digest(evidence), reason))


@app.command("pay")
def pay(ledger: Ledger, statement_id: StatementArgument) -> None:
    """一次付清结算单的全部可付行（券款对付）。 Pay every payable line of a statement at once, delivery versus payment."""
    ledger.submit(PayStatement(statement_id))
