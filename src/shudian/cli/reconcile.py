"""``shudian reconcile``: the payment file for a settlement bank, and checking it against the bank's statement."""

from pathlib import Path
from typing import Annotated

import typer

from shudian.cli.commands import Commands
from shudian.cli.common import JsonOption, UserError, out, print_json, print_rows, say
from shudian.cli.ledger import Ledger
from shudian.contracts.settlement.messages_facts import LineKind
from shudian.faults import system_words
from shudian.reading.reader import LIMIT_MAX_COUNT
from shudian.tools.bank_files import payment_csv, payments, read_bank_statement, read_payments, reconcile

app = Commands(
    no_args_is_help=True, help="银行对账：导出付款文件、核对银行流水。 Payment file and bank reconciliation."
)

_COLUMNS = (
    ("reference", "业务", "reference"),
    ("why", "原因", "why"),
    ("row_no", "银行行号", "row at the bank"),
    ("payer_id", "付款方", "payer"),
    ("owner", "户主", "owner"),
    ("amount_fen", "金额 元", "amount CNY"),
)


@app.command("export")
def export(
    ledger: Ledger,
    month: Annotated[int, typer.Option(help="结算月份 yyyymm month of the statements")],
    to: Annotated[Path, typer.Option("--to", help="写入的 CSV 文件 CSV file to write")],
    since: Annotated[int, typer.Option(help="只含该日起已付的 only what was paid from this day on, yyyymmdd")] = 0,
) -> None:
    """付款文件：可见的应付、已付结算行、轧差和出金。 Payable and paid lines, nettings and pay-outs that you may see.

    列 columns: reference, status, month, due_day, payer_id, payer_account, payee_id, payee_account, amount (CNY)
    """
    with ledger.client() as client:
        # By kind, because one query returns a limited number of rows.
        parts = [client.query("settlement.lines", month=month, kind=kind.value) for kind in LineKind]
        payouts = client.query("funds.payouts")
        if max(map(len, (*parts, payouts))) >= LIMIT_MAX_COUNT:
            raise UserError(
                f"同类结算行或出金达到 {LIMIT_MAX_COUNT} 行，请由各会员分别导出",
                f"{LIMIT_MAX_COUNT} lines of a kind, or pay-outs; let members export theirs",
            )
        rows = payments(
            [row for part in parts for row in part],
            client.query("settlement.nettings", month=month),
            payouts,
            client.query("settlement.statements", month=month),
            client.query("funds.accounts"),
            since,
        )
    try:
        to.write_text(payment_csv(rows), encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"无法写入 {to}：{system_words(error)[0]}", f"{to} cannot be written: {system_words(error)[1]}"
        ) from None
    total = sum(row.amount_fen for row in rows)
    if ledger.as_json:
        print_json({"file": str(to), "rows": len(rows), "amount_fen": total})
        return
    out.print(say(f"已写入 {to}：{len(rows)} 行", f"wrote {to}: {len(rows)} rows"))


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="付款文件 payment file")],
    bank_file: Annotated[Path, typer.Argument(metavar="BANK_FILE", help="银行流水 CSV the bank's statement")],
    as_json: JsonOption = False,
) -> None:
    """逐笔核对，容差为零；有未达项时退出码为 2。 Match row by row, tolerance zero; exit code 2 if something does not match.

    银行流水列 columns of the bank's statement: reference, date, owner (digest or member), amount (CNY)
    """
    result = reconcile(read_payments(file), read_bank_statement(bank_file))
    if as_json:
        print_json(result)
    else:
        matched = result["matched"]
        out.print(say(f"相符 {matched} 笔", f"{matched} rows match"))
        for name, zh, en in (
            ("unmatched_ledger", "账本有、银行无", "in the ledger, not at the bank"),
            ("unmatched_bank", "银行有、账本无或不符", "at the bank, not in the ledger or different"),
        ):
            if result[name]:
                out.print(say(zh, en))
                print_rows(result[name], _COLUMNS, as_json=False)
    if not result["agrees"]:
        raise typer.Exit(2)
