"""``shudian certificate``: green certificates held, for sale and retired; buy, sell, retire; the hour-by-hour matching report."""

from typing import Annotated, Any

import typer

from shudian.cli.commands import Commands
from shudian.cli.common import UserError, out, print_json, print_rows, say
from shudian.cli.ledger import Ledger, PublicLedger
from shudian.cli.values import fen
from shudian.contracts.certificates.messages import (
    BuyCertificates,
    ListCertificates,
    LotState,
    Purpose,
    RetireCertificates,
)
from shudian.contracts.certificates.messages_codes import CODE_COUNT
from shudian.contracts.certificates.views_match import totals
from shudian.kernel.clock import is_month
from shudian.kernel.units import PPM

app = Commands(
    no_args_is_help=True,
    help="绿证：持有、挂牌、核销、逐小时匹配。 Green certificates: held, for sale, retired; matched hour by hour.",
)

MonthOption = Annotated[int, typer.Option("--month", help="电量生产月 month of generation, yyyymm")]
DeviceArgument = Annotated[int, typer.Argument(metavar="DEVICE", help="项目的资源编号 resource number of the device")]
FirstArgument = Annotated[int, typer.Argument(metavar="FIRST", help="起始序号 first serial")]
CountArgument = Annotated[int, typer.Argument(metavar="COUNT", help="数量（个） how many")]

_RANGE_COLUMNS = (
    ("resource_id", "项目", "device"),
    ("month", "生产月", "month"),
    ("first_serial_no", "起始序号", "first"),
    ("count_certs", "数量", "count"),
)


@app.command("lots")
def lots(
    ledger: Ledger,
    month: Annotated[int | None, typer.Option(help="电量生产月 yyyymm")] = None,
    state: Annotated[LotState | None, typer.Option(help="状态 state")] = None,
) -> None:
    """本方持有的绿证（交易中心与监管可见全部）。 Certificates you hold; overseers see all."""
    columns = (
        *_RANGE_COLUMNS,
        ("holder_id", "持有人", "holder"),
        ("state", "状态", "state"),
        ("valid_to_day", "有效期至", "valid to"),
        ("first_code", "起始编码", "first code"),
        ("last_code", "终止编码", "last code"),
    )
    ledger.print_query("certificates.lots", columns, month=month, state=state)


@app.command("market")
def market(ledger: Ledger) -> None:
    """您可摘牌的绿证。 Certificates for sale to you."""
    columns = (
        ("listing_id", "挂牌", "listing"),
        ("seller_id", "转让方", "seller"),
        *_RANGE_COLUMNS,
        ("price_fen", "元/个", "CNY each"),
        ("valid_to_day", "有效期至", "valid to"),
    )
    ledger.print_query("certificates.listings", columns)


@app.command("sell")
def sell(
    ledger: Ledger,
    device: DeviceArgument,
    first: FirstArgument,
    count: CountArgument,
    month: MonthOption,
    price: Annotated[str, typer.Option(help="价格 元/个 price, CNY each, e.g. 2.31")],
    buyer: Annotated[int, typer.Option(help="指定受让方，0 不指定 the only buyer, 0 for anybody")] = 0,
) -> None:
    """挂牌。 Offer certificates for sale."""
    message = ListCertificates(device, month, first, count, fen("--price", price), buyer)
    ledger.submit(message)


@app.command("buy")
def buy(
    ledger: Ledger,
    listing: Annotated[int, typer.Argument(metavar="LISTING", help="挂牌编号 number of the listing")],
    count: CountArgument,
) -> None:
    """摘牌，款证同时交割。 Buy of a listing; money and certificates change hands at once."""
    message = BuyCertificates(listing, count)
    ledger.submit(message)


@app.command("retire")
def retire(
    ledger: Ledger,
    device: DeviceArgument,
    first: FirstArgument,
    count: CountArgument,
    month: MonthOption,
    beneficiary: Annotated[str, typer.Option(help="受益人 who claims the use")],
    purpose: Annotated[Purpose, typer.Option(help="用途 purpose")] = Purpose.OWN_USE,
    use_from: Annotated[int | None, typer.Option(help="用电期间起，默认为生产月 use from, yyyymm")] = None,
    use_to: Annotated[int | None, typer.Option(help="用电期间止，默认同起 use to, yyyymm")] = None,
) -> None:
    """核销，作为绿电消费证明，不可撤销。 Retire certificates for good, as proof of green use."""
    first_month = use_from or month
    message = RetireCertificates(device, month, first, count, beneficiary, purpose, first_month, use_to or first_month)
    ledger.submit(message)


@app.command("proof")
def proof(
    ledger: PublicLedger,
    code: Annotated[str, typer.Argument(metavar="CODE", help="32 位绿证编码 code of a certificate")],
) -> None:
    """一张绿证的核销记录，任何人可查。 The retirement of one certificate; anybody may look."""
    if len(code) != CODE_COUNT:
        raise UserError(
            f"绿证编码应为 {CODE_COUNT} 位，所给 {len(code)} 位", f"a code has {CODE_COUNT} characters, not {len(code)}"
        )
    with ledger.client() as client:
        row = client.query("certificates.retirement_of", code=code)
    if row is None:
        raise UserError(f"绿证 {code} 未核销", f"certificate {code} is not retired")
    columns = (
        ("retirement_id", "核销", "retirement"),
        ("beneficiary", "受益人", "beneficiary"),
        ("purpose", "用途", "purpose"),
        ("first_month", "用电期间起", "use from"),
        ("last_month", "止", "to"),
        ("first_code", "起始编码", "first code"),
        ("count_certs", "数量", "count"),
        ("retired_ms", "核销时间", "retired at"),
    )
    ledger.print_rows([row], columns)


@app.command("match")
def match(
    ledger: Ledger,
    month: MonthOption,
    member: Annotated[int | None, typer.Option(help="成员，默认本方 member, yours by default")] = None,
    retired: Annotated[bool, typer.Option("--retired", help="只计已核销 count retired certificates alone")] = False,
    day: Annotated[int | None, typer.Option(help="只显示一日 show one day, yyyymmdd")] = None,
) -> None:
    """逐小时匹配：每小时用电、同时段绿证电量、匹配与占比。 Per hour: use, certified generation, match and share."""
    if not is_month(month):
        raise UserError(f"月份 {month} 应为 yyyymm", f"month {month} should be yyyymm")
    with ledger.client() as client:
        rows = client.query("certificates.match", month=month, member_id=member, retired_only=retired)
    summary = totals(rows)
    shown = [row for row in rows if day in (None, row["day"])]
    if ledger.as_json:
        print_json({"month": month, **summary, "hours": shown})
        return
    columns = (
        ("hour", "时段", "hour"),
        ("use", "用电 kWh", "use kWh"),
        ("certified", "绿证电量 kWh", "certified kWh"),
        ("matched", "匹配 kWh", "matched kWh"),
        ("share", "占比", "share"),
    )
    print_rows([_shown(row) for row in shown], columns, as_json=False)
    hourly, monthly = _percent(summary["share_ppm"]), _percent(summary["monthly_share_ppm"])
    out.print(
        say(
            f"{month}：用电 {_kwh(summary['use_wh'])} kWh，绿证电量 {_kwh(summary['certified_wh'])} kWh；"
            f"逐小时匹配 {hourly}，按月合计 {monthly}",
            f"{month}: use {_kwh(summary['use_wh'])} kWh, certified {_kwh(summary['certified_wh'])} kWh; "
            f"matched hour by hour {hourly}, as a monthly sum {monthly}",
        ),
        soft_wrap=True,
    )


def _shown(row: dict[str, Any]) -> dict[str, str]:
    day, hour = row["day"], row["segment"]
    return {
        "hour": f"{day // 100 % 100:02d}-{day % 100:02d} {hour:02d}:00",
        "use": _kwh(row["use_wh"]),
        "certified": _kwh(row["certified_wh"]),
        "matched": _kwh(row["matched_wh"]),
        "share": _percent(row["share_ppm"]),
    }


def _kwh(energy_wh: int) -> str:
    """Wh as kWh.

    >>> _kwh(1_234_567)
    '1,234.567'
    """
    return f"{energy_wh // 1000:,}.{energy_wh % 1000:03d}"


def _percent(share_ppm: int | None) -> str:
    """A share as per cent with two decimals, rounded down; a dash if there is none.

    >>> _percent(999_999), _percent(None)
    ('99.99 %', '-')
    """
    if share_ppm is None:
        return "-"
    hundredths = share_ppm * 10_000 // PPM
    return f"{hundredths // 100}.{hundredths % 100:02d} %"
