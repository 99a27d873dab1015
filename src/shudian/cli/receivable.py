"""``shudian receivable``: receivables from birth to redemption; what is rarer is said by ``shudian message say``."""

from pathlib import Path
from typing import Annotated

import typer

from shudian.cli.commands import Commands
from shudian.cli.common import out, print_json, print_rows, unseen
from shudian.cli.ledger import Ledger
from shudian.cli.values import EvidenceOption, fen, file_digest, thousandths
from shudian.contracts.receivables.messages import (
    AcceptReceivable,
    ConfirmInvoice,
    Origin,
    ProposeReceivable,
    RejectReceivable,
    SplitReceivable,
    SubmitInvoice,
    TransferReceivable,
)
from shudian.contracts.receivables.messages_finance import ChooseQuote, QuoteFinance, RequestFinance
from shudian.kernel.clock import HOUR_MS

app = Commands(
    no_args_is_help=True,
    help="应收账款凭证：确权、拆分、转让、融资、兑付。 Receivables: accept, split, transfer, finance, redeem.",
)

PPM_PER_MILLI_PERCENT = 10

ReceivableArgument = Annotated[int, typer.Argument(metavar="RECEIVABLE", help="凭证编号 number of the receivable")]
DueOption = Annotated[int, typer.Option("--due", help="到期日 due day, yyyymmdd")]

_PART_COLUMNS = (
    ("receivable_id", "凭证", "receivable"),
    ("root_id", "原始凭证", "root"),
    ("debtor_id", "债务人", "debtor"),
    ("holder_id", "持有人", "holder"),
    ("tier_no", "层级", "tier"),
    ("amount_fen", "金额 元", "amount CNY"),
    ("paid_fen", "已兑付 元", "paid CNY"),
    ("due_day", "到期日", "due"),
    ("state", "状态", "state"),
)
_DEBT_COLUMNS = (
    ("receivable_id", "凭证", "receivable"),
    ("origin", "来源", "origin"),
    ("creditor_id", "债权人", "creditor"),
    ("debtor_id", "债务人", "debtor"),
    ("amount_fen", "金额 元", "amount CNY"),
    ("open_fen", "未付 元", "open CNY"),
    ("accept_by_day", "确权截止", "answer by"),
    ("due_day", "到期日", "due"),
    ("state", "状态", "state"),
)
_CHAIN_COLUMNS = (
    ("made_ms", "时间", "time"),
    ("receivable_id", "凭证", "receivable"),
    ("way", "方式", "way"),
    ("from_id", "出让方", "from"),
    ("to_id", "受让方", "to"),
    ("amount_fen", "金额 元", "amount CNY"),
)
_QUOTE_COLUMNS = (
    ("quote_id", "报价", "quote"),
    ("bank_id", "银行", "bank"),
    ("rate_ppm", "年利率 ppm", "yearly rate ppm"),
    ("day_count", "计息基准", "day count"),
    ("interest_fen", "利息 元", "interest CNY"),
    ("fee_fen", "费用 元", "fee CNY"),
    ("net_fen", "实得 元", "net CNY"),
    ("cost_ppm", "综合成本 ppm", "all-in cost ppm"),
    ("recourse", "追索", "recourse"),
    ("expires_ms", "有效至", "until"),
    ("state", "状态", "state"),
)


@app.command("list")
def list_receivables(
    ledger: Ledger,
    state: Annotated[str | None, typer.Option(help="held | offered | financed | pledged | redeemed ...")] = None,
) -> None:
    """您持有或涉及的凭证。 Receivables that you hold or owe."""
    ledger.print_query("receivables.receivables", _PART_COLUMNS, state=state)


@app.command("debts")
def list_debts(
    ledger: Ledger,
    state: Annotated[str | None, typer.Option(help="proposed | accepted | overdue | redeemed ...")] = None,
) -> None:
    """债务：待确权、已确权、逾期、结清。 Debts that wait for their debtor, stand, are overdue or closed."""
    ledger.print_query("receivables.debts", _DEBT_COLUMNS, state=state)


@app.command("show")
def show_receivable(
    ledger: Ledger,
    root_id: Annotated[int, typer.Argument(metavar="ROOT", help="原始凭证编号 number of the root receivable")],
) -> None:
    """一笔债务：各份凭证与背书链。 A debt with its parts and the chain of titles, as far as you may see them."""
    with ledger.client() as client:
        debts = [row for row in client.query("receivables.debts") if row["receivable_id"] == root_id]
        parts = client.query("receivables.receivables", root_id=root_id)
        chain = client.query("receivables.endorsements", root_id=root_id)
    if not debts and not parts:
        raise unseen("凭证", "receivable", root_id)
    if ledger.as_json:
        print_json({"debt": debts[0] if debts else None, "parts": parts, "endorsements": chain})
        return
    for rows, columns in ((debts, _DEBT_COLUMNS), (parts, _PART_COLUMNS), (chain, _CHAIN_COLUMNS)):
        if rows:
            print_rows(rows, columns, as_json=False)
            out.print()


@app.command("propose")
def propose(
    ledger: Ledger,
    line_id: Annotated[int, typer.Argument(metavar="LINE", help="结算行编号 number of the bill line")],
    due: DueOption,
) -> None:
    """请付款方对一行结算确权。 Ask the payer of an accepted bill line to owe it as a receivable."""
    ledger.submit(ProposeReceivable(line_id, due))


@app.command("submit")
def submit_invoice(
    ledger: Ledger,
    debtor: Annotated[int, typer.Option(help="债务人成员编号 debtor")],
    contract: Annotated[str, typer.Option(help="合同号 contract")],
    invoice: Annotated[list[str], typer.Option(help="发票号码，可多次 invoice number; repeat it for several")],
    evidence: EvidenceOption,
    amount: Annotated[str, typer.Option(help="金额（元） amount, CNY")],
    due: DueOption,
) -> None:
    """提交发票请买方确权。 Submit invoices for their debtor to confirm."""
    codes = tuple(sorted(invoice))
    message = SubmitInvoice(debtor, contract, codes, file_digest(evidence), fen("--amount", amount), due)
    ledger.submit(message)


@app.command("accept")
def accept(ledger: Ledger, receivable_id: ReceivableArgument) -> None:
    """确权：承诺到期无条件付款。 Accept a receivable or confirm its invoices: a promise to pay on the due day."""
    with ledger.signer() as client:
        found = [row for row in client.query("receivables.debts") if row["receivable_id"] == receivable_id]
        if not found:
            raise unseen("凭证", "receivable", receivable_id)
        kind = AcceptReceivable if found[0]["origin"] == Origin.LINE else ConfirmInvoice
        ledger.print_reply(client.submit(kind(receivable_id, found[0]["amount_fen"])))


@app.command("reject")
def reject(
    ledger: Ledger,
    receivable_id: ReceivableArgument,
    reason: Annotated[str, typer.Option(help="理由 reason")],
) -> None:
    """拒绝确权。 Decline to owe it."""
    ledger.submit(RejectReceivable(receivable_id, reason))


@app.command("split")
def split(
    ledger: Ledger,
    receivable_id: ReceivableArgument,
    amounts: Annotated[list[str], typer.Argument(metavar="AMOUNT...", help="各份金额（元） parts, CNY")],
) -> None:
    """拆分，各份之和等于原额。 Split into parts that add up."""
    parts = tuple(fen("AMOUNT", amount) for amount in amounts)
    ledger.submit(SplitReceivable(receivable_id, parts))


@app.command("transfer")
def transfer(
    ledger: Ledger,
    receivable_id: ReceivableArgument,
    to: Annotated[int, typer.Option(help="受让方成员编号 taker")],
    contract: Annotated[str, typer.Option(help="所付合同号 contract that is paid so")],
    evidence: EvidenceOption,
) -> None:
    """转让给供应商，并通知债务人。 Pay a supplier with it; the debtor is told."""
    ledger.submit(TransferReceivable(receivable_id, to, contract, file_digest(evidence)))


@app.command("finance")
def request_finance(
    ledger: Ledger,
    receivable_id: ReceivableArgument,
    hours: Annotated[int, typer.Option(min=1, help="询价时长（小时） hours to wait for quotes")] = 48,
) -> None:
    """锁定凭证并向各银行询价。 Lock it and ask banks for quotes."""
    with ledger.signer() as client:
        message = RequestFinance(receivable_id, client.transport.market_ms + hours * HOUR_MS)
        ledger.print_reply(client.submit(message))


@app.command("quotes")
def list_quotes(
    ledger: Ledger,
    request_id: Annotated[int | None, typer.Option("--request", help="询价编号 finance request")] = None,
) -> None:
    """报价比较，实得最高者在前。 Quotes side by side, the best first."""
    ledger.print_query("receivables.quotes", _QUOTE_COLUMNS, request_id=request_id)


@app.command("quote")
def quote(
    ledger: Ledger,
    request_id: Annotated[int, typer.Argument(metavar="REQUEST", help="询价编号 finance request")],
    rate: Annotated[str, typer.Option(help="年利率（%） yearly rate, per cent")],
    day_count: Annotated[int, typer.Option(help="360 | 365")] = 360,
    fee: Annotated[str, typer.Option(help="费用（元） fee, CNY")] = "0",
    recourse: Annotated[bool, typer.Option("--recourse", help="有追索权 with recourse")] = False,
    hours: Annotated[int, typer.Option(min=1, help="报价有效时长（小时） hours the quote stands")] = 24,
) -> None:
    """银行报价。 Quote, as a bank."""
    rate_ppm = thousandths("--rate", rate) * PPM_PER_MILLI_PERCENT
    with ledger.signer() as client:
        expires_ms = client.transport.market_ms + hours * HOUR_MS
        message = QuoteFinance(request_id, rate_ppm, day_count, fen("--fee", fee), recourse, expires_ms)
        message.check()
        ledger.print_reply(client.submit(message))


@app.command("choose")
def choose(
    ledger: Ledger,
    quote_id: Annotated[int, typer.Argument(metavar="QUOTE", help="报价编号 quote")],
    net_min: Annotated[str, typer.Option(help="最少实得（元） least to get, CNY")],
    registration: Annotated[str, typer.Option(help="中登网登记编号 number at the central registry")],
    search: Annotated[Path, typer.Option(help="查询证明文件，只留哈希 registry search; only its hash is kept")],
    hours_ago: Annotated[int, typer.Option(min=0, help="查询于几小时前 hours since the search")] = 0,
) -> None:
    """选定报价：券款对付，一次完成。 Choose a quote: money against title in one act."""
    digest, net_min_fen = file_digest(search), fen("--net-min", net_min)
    with ledger.signer() as client:
        searched_ms = client.transport.market_ms - hours_ago * HOUR_MS
        message = ChooseQuote(quote_id, net_min_fen, registration, searched_ms, digest)
        message.check()
        ledger.print_reply(client.submit(message))
