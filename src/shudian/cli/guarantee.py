"""``shudian guarantee``: performance guarantees and the exposure line."""

from pathlib import Path
from typing import Annotated

import typer

from shudian.cli.commands import Commands
from shudian.cli.ledger import Ledger
from shudian.cli.values import fen, file_digest, thousandths
from shudian.contracts.guarantees.messages import (
    AnswerGuarantee,
    DrawGuarantee,
    Instrument,
    RegisterGuarantee,
    ReleaseGuarantee,
    SetRequirement,
)

app = Commands(
    no_args_is_help=True, help="履约保函：登记、确认、索赔、解除。 Guarantees: register, confirm, draw, release."
)

GuaranteeArgument = Annotated[int, typer.Argument(metavar="GUARANTEE", help="保函编号 number of the guarantee")]
DocumentOption = Annotated[Path, typer.Option(help="文件，只留哈希 file; only its hash goes on the ledger")]

_COLUMNS = (
    ("guarantee_id", "保函", "guarantee"),
    ("member_id", "成员", "member"),
    ("bank_id", "银行", "bank"),
    ("instrument", "类型", "instrument"),
    ("number", "编号", "number"),
    ("amount_fen", "金额 元", "amount CNY"),
    ("drawn_fen", "已索赔 元", "drawn CNY"),
    ("last_day", "到期日", "to"),
    ("state", "状态", "state"),
)
_LINE_COLUMNS = (
    ("member_id", "成员", "member"),
    ("required_fen", "应缴 元", "required CNY"),
    ("available_fen", "可用 元", "available CNY"),
    ("exposure_fen", "占用 元", "exposure CNY"),
    ("warned", "预警", "warned"),
    ("grade", "信用等级", "grade"),
)


@app.command("list")
def list_guarantees(
    ledger: Ledger,
    state: Annotated[str | None, typer.Option(help="submitted | active | released | expired | rejected")] = None,
) -> None:
    """保函。 Guarantees that you may see."""
    ledger.print_query("guarantees.guarantees", _COLUMNS, state=state)


@app.command("lines")
def list_lines(ledger: Ledger) -> None:
    """额度：应缴、可用、占用。 Exposure lines: required, available, taken."""
    ledger.print_query("guarantees.exposure_lines", _LINE_COLUMNS)


@app.command("register")
def register(
    ledger: Ledger,
    bank: Annotated[int, typer.Option(help="出具银行成员编号 issuing bank")],
    number: Annotated[str, typer.Option(help="保函编号 number of the paper")],
    document: DocumentOption,
    amount: Annotated[str, typer.Option(help="金额（元） amount, CNY")],
    first_day: Annotated[int, typer.Option("--from", help="生效日 yyyymmdd")],
    last_day: Annotated[int, typer.Option("--to", help="到期日 yyyymmdd")],
    instrument: Annotated[Instrument, typer.Option(help="类型 instrument")] = Instrument.LETTER,
) -> None:
    """登记保函，待银行确认。 Register a guarantee for its bank to confirm."""
    digest, amount_fen = file_digest(document), fen("--amount", amount)
    message = RegisterGuarantee(bank, instrument, number, digest, amount_fen, first_day, last_day)
    ledger.submit(message)


@app.command("answer")
def answer(
    ledger: Ledger,
    guarantee_id: GuaranteeArgument,
    reject: Annotated[str, typer.Option("--reject", help="不予确认的理由 reason not to confirm it")] = "",
) -> None:
    """银行确认保函，或说明理由不予确认。 Confirm it as its bank, or say why not."""
    ledger.submit(AnswerGuarantee(guarantee_id, not reject, reject))


@app.command("require")
def require(
    ledger: Ledger,
    member_id: Annotated[int, typer.Argument(metavar="MEMBER", help="成员编号 member")],
    year: Annotated[str, typer.Option(help="近12个月批发电量 MWh")],
    wholesale: Annotated[str, typer.Option(help="近2个月批发电量 MWh")],
    retail: Annotated[str, typer.Option(help="近2个月零售电量 MWh")],
    grade: Annotated[str, typer.Option(help="信用等级 credit grade")] = "",
) -> None:
    """核定应缴保函额。 Set what a member must provide."""
    message = SetRequirement(
        member_id,
        thousandths("--year", year),
        thousandths("--wholesale", wholesale),
        thousandths("--retail", retail),
        grade,
    )
    ledger.submit(message)


@app.command("draw")
def draw(
    ledger: Ledger,
    guarantee_id: GuaranteeArgument,
    creditor: Annotated[int, typer.Option(help="受益人成员编号 who is paid")],
    amount: Annotated[str, typer.Option(help="金额（元） amount, CNY")],
    claim: Annotated[str, typer.Option(help="逾期事项 overdue deed, e.g. statement:12")],
    demand: DocumentOption,
) -> None:
    """逾期索赔，银行即付。 Draw for an overdue debt; the bank pays at once."""
    digest, amount_fen = file_digest(demand), fen("--amount", amount)
    ledger.submit(DrawGuarantee(guarantee_id, creditor, amount_fen, claim, digest))


@app.command("release")
def release(ledger: Ledger, guarantee_id: GuaranteeArgument) -> None:
    """解除不再需要的保函。 Release what is not needed."""
    ledger.submit(ReleaseGuarantee(guarantee_id))
