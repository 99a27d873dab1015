"""``shudian receivable``: receivables from birth to redemption; what is rarer is said by ``shudian message say``."""

from pathlib import Path
from typing import Annotated

import typer

from shudian.cli.common import (
    DEFAULT_DATA,
    DataOption,
    JsonOption,
    KeyOption,
    Lang,
    LangOption,
    UserError,
    open_client,
    out,
    print_json,
    print_rows,
    signing_client,
)
from shudian.cli.message import print_reply
from shudian.cli.order import thousandths
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
from shudian.kernel.crypto import sha256
from shudian.kernel.messages import Message

app = typer.Typer(
    no_args_is_help=True,
    help="应收账款凭证：确权、拆分、转让、融资、兑付。 Receivables: accept, split, transfer, finance, redeem.",
)

MILLI_PER_FEN = 10
PPM_PER_MILLI_PERCENT = 10

ReceivableArgument = Annotated[int, typer.Argument(metavar="RECEIVABLE", help="凭证编号 number of the receivable")]
DueOption = Annotated[int, typer.Option("--due", help="到期日 due day, yyyymmdd")]
EvidenceOption = Annotated[Path, typer.Option(help="凭据文件，只留哈希 file; only its hash goes on the ledger")]

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


def fen(name: str, text: str) -> int:
    """An amount in yuan as fen.

    Raises:
        UserError: if it is no number or has more than two decimals.
    """
    milli = thousandths(name, text)
    if milli % MILLI_PER_FEN:
        raise UserError(f"{name} = {text} 最多两位小数", f"{name} = {text} may have two decimals at most")
    return milli // MILLI_PER_FEN


def file_digest(path: Path) -> bytes:
    """The SHA-256 of a file.

    Raises:
        UserError: if it cannot be read.
    """
    try:
        return sha256(path.read_bytes())
    except OSError as error:
        raise UserError(f"无法读取 {path}：{error.strerror}", f"{path} cannot be read: {error.strerror}") from None


def submit(data: Path, key: list[Path] | None, message: Message, *, as_json: bool) -> None:
    """Say one message that is well formed, and print what it gave."""
    message.check()
    with signing_client(data, key) as client:
        print_reply(client.submit(message), as_json=as_json)


@app.command("list")
def list_receivables(
    state: Annotated[str | None, typer.Option(help="held | offered | financed | pledged | redeemed ...")] = None,
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """您持有或涉及的凭证。 Receivables that you hold or owe."""
    del lang
    with open_client(data, key) as client:
        rows = client.query("receivables.receivables", state=state)
    print_rows(rows, _PART_COLUMNS, as_json=as_json)


@app.command("debts")
def list_debts(
    state: Annotated[str | None, typer.Option(help="proposed | accepted | overdue | redeemed ...")] = None,
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """债务：待确权、已确权、逾期、结清。 Debts that wait for their debtor, stand, are overdue or closed."""
    del lang
    with open_client(data, key) as client:
        rows = client.query("receivables.debts", state=state)
    print_rows(rows, _DEBT_COLUMNS, as_json=as_json)


@app.command("show")
def show_receivable(
    root_id: Annotated[int, typer.Argument(metavar="ROOT", help="原始凭证编号 number of the root receivable")],
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """一笔债务：各份凭证与背书链。 A debt with its parts and the chain of titles, as far as you may see them."""
    del lang
    with open_client(data, key) as client:
        debts = [row for row in client.query("receivables.debts") if row["receivable_id"] == root_id]
        parts = client.query("receivables.receivables", root_id=root_id)
        chain = client.query("receivables.endorsements", root_id=root_id)
    if not debts and not parts:
        raise UserError(f"没有凭证 {root_id}，或您无权查看", f"there is no receivable {root_id} that you may see")
    if as_json:
        print_json({"debt": debts[0] if debts else None, "parts": parts, "endorsements": chain})
        return
    for rows, columns in ((debts, _DEBT_COLUMNS), (parts, _PART_COLUMNS), (chain, _CHAIN_COLUMNS)):
        if rows:
            print_rows(rows, columns, as_json=False)
            out.print()


@app.command("propose")
def propose(
    line_id: Annotated[int, typer.Argument(metavar="LINE", help="结算行编号 number of the bill line")],
    due: DueOption,
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """请付款方对一行结算确权。 Ask the payer of an accepted bill line to owe it as a receivable."""
    del lang
    submit(data, key, ProposeReceivable(line_id, due), as_json=as_json)


@app.command("submit")
def submit_invoice(
    debtor: Annotated[int, typer.Option(help="债务人成员编号 debtor")],
    contract: Annotated[str, typer.Option(help="合同号 contract")],
    invoice: Annotated[list[str], typer.Option(help="发票号码，可多次 invoice number; repeat it for several")],
    evidence: EvidenceOption,
    amount: Annotated[str, typer.Option(help="金额（元） amount, CNY")],
    due: DueOption,
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """提交发票请买方确权。 Submit invoices for their debtor to confirm."""
    del lang
    codes = tuple(sorted(invoice))
    message = SubmitInvoice(debtor, contract, codes, file_digest(evidence), fen("--amount", amount), due)
    submit(data, key, message, as_json=as_json)


@app.command("accept")
def accept(
    receivable_id: ReceivableArgument,
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """确权：承诺到期无条件付款。 Accept a receivable or confirm its invoices: a promise to pay on the due day."""
    del lang
    with signing_client(data, key) as client:
        found = [row for row in client.query("receivables.debts") if row["receivable_id"] == receivable_id]
        if not found:
            raise UserError(
                f"没有凭证 {receivable_id}，或您无权查看", f"there is no receivable {receivable_id} that you may see"
            )
        kind = AcceptReceivable if found[0]["origin"] == Origin.LINE else ConfirmInvoice
        print_reply(client.submit(kind(receivable_id, found[0]["amount_fen"])), as_json=as_json)


@app.command("reject")
def reject(
    receivable_id: ReceivableArgument,
    reason: Annotated[str, typer.Option(help="理由 reason")],
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """拒绝确权。 Decline to owe it."""
    del lang
    submit(data, key, RejectReceivable(receivable_id, reason), as_json=as_json)


@app.command("split")
def split(
    receivable_id: ReceivableArgument,
    amounts: Annotated[list[str], typer.Argument(metavar="AMOUNT...", help="各份金额（元） parts, CNY")],
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """拆分，各份之和等于原额。 Split into parts that add up."""
    del lang
    parts = tuple(fen("AMOUNT", amount) for amount in amounts)
    submit(data, key, SplitReceivable(receivable_id, parts), as_json=as_json)


@app.command("transfer")
def transfer(
    receivable_id: ReceivableArgument,
    to: Annotated[int, typer.Option(help="受让方成员编号 taker")],
    contract: Annotated[str, typer.Option(help="所付合同号 contract that is paid so")],
    evidence: EvidenceOption,
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """转让给供应商，并通知债务人。 Pay a supplier with it; the debtor is told."""
    del lang
    submit(data, key, TransferReceivable(receivable_id, to, contract, file_digest(evidence)), as_json=as_json)


@app.command("finance")
def request_finance(
    receivable_id: ReceivableArgument,
    hours: Annotated[int, typer.Option(min=1, help="询价时长（小时） hours to wait for quotes")] = 48,
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """锁定凭证并向各银行询价。 Lock it and ask banks for quotes."""
    del lang
    with signing_client(data, key) as client:
        message = RequestFinance(receivable_id, client.transport.market_ms + hours * HOUR_MS)
        print_reply(client.submit(message), as_json=as_json)


@app.command("quotes")
def list_quotes(
    request_id: Annotated[int | None, typer.Option("--request", help="询价编号 finance request")] = None,
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """报价比较，实得最高者在前。 Quotes side by side, the best first."""
    del lang
    with open_client(data, key) as client:
        rows = client.query("receivables.quotes", request_id=request_id)
    print_rows(rows, _QUOTE_COLUMNS, as_json=as_json)


@app.command("quote")
def quote(
    request_id: Annotated[int, typer.Argument(metavar="REQUEST", help="询价编号 finance request")],
    rate: Annotated[str, typer.Option(help="年利率（%） yearly rate, per cent")],
    day_count: Annotated[int, typer.Option(help="360 | 365")] = 360,
    fee: Annotated[str, typer.Option(help="费用（元） fee, CNY")] = "0",
    recourse: Annotated[bool, typer.Option("--recourse", help="有追索权 with recourse")] = False,
    hours: Annotated[int, typer.Option(min=1, help="报价有效时长（小时） hours the quote stands")] = 24,
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """银行报价。 Quote, as a bank."""
    del lang
    rate_ppm = thousandths("--rate", rate) * PPM_PER_MILLI_PERCENT
    with signing_client(data, key) as client:
        expires_ms = client.transport.market_ms + hours * HOUR_MS
        message = QuoteFinance(request_id, rate_ppm, day_count, fen("--fee", fee), recourse, expires_ms)
        message.check()
        print_reply(client.submit(message), as_json=as_json)


@app.command("choose")
def choose(
    quote_id: Annotated[int, typer.Argument(metavar="QUOTE", help="报价编号 quote")],
    net_min: Annotated[str, typer.Option(help="最少实得（元） least to get, CNY")],
    registration: Annotated[str, typer.Option(help="中登网登记编号 number at the central registry")],
    search: Annotated[Path, typer.Option(help="查询证明文件，只留哈希 registry search; only its hash is kept")],
    hours_ago: Annotated[int, typer.Option(min=0, help="查询于几小时前 hours since the search")] = 0,
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """选定报价：券款对付，一次完成。 Choose a quote: money against title in one act."""
    del lang
    digest, net_min_fen = file_digest(search), fen("--net-min", net_min)
    with signing_client(data, key) as client:
        searched_ms = client.transport.market_ms - hours_ago * HOUR_MS
        message = ChooseQuote(quote_id, net_min_fen, registration, searched_ms, digest)
        message.check()
        print_reply(client.submit(message), as_json=as_json)
