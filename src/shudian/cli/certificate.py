"""``shudian certificate``: green certificates held, for sale and retired; buy, sell, retire; the hour-by-hour matching report."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

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
    say,
    signing_client,
)
from shudian.cli.message import print_reply
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
from shudian.kernel.units import FEN_PER_YUAN, PPM

app = typer.Typer(
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
    month: Annotated[int | None, typer.Option(help="电量生产月 yyyymm")] = None,
    state: Annotated[LotState | None, typer.Option(help="状态 state")] = None,
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """本方持有的绿证（交易中心与监管可见全部）。 Certificates you hold; overseers see all."""
    del lang
    with open_client(data, key) as client:
        rows = client.query("certificates.lots", month=month, state=state)
    columns = (
        *_RANGE_COLUMNS,
        ("holder_id", "持有人", "holder"),
        ("state", "状态", "state"),
        ("valid_to_day", "有效期至", "valid to"),
        ("first_code", "起始编码", "first code"),
        ("last_code", "终止编码", "last code"),
    )
    print_rows(rows, columns, as_json=as_json)


@app.command("market")
def market(
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """您可摘牌的绿证。 Certificates for sale to you."""
    del lang
    with open_client(data, key) as client:
        rows = client.query("certificates.listings")
    columns = (
        ("listing_id", "挂牌", "listing"),
        ("seller_id", "转让方", "seller"),
        *_RANGE_COLUMNS,
        ("price_fen", "元/个", "CNY each"),
        ("valid_to_day", "有效期至", "valid to"),
    )
    print_rows(rows, columns, as_json=as_json)


@app.command("sell")
def sell(
    device: DeviceArgument,
    first: FirstArgument,
    count: CountArgument,
    month: MonthOption,
    price: Annotated[str, typer.Option(help="价格 元/个 price, CNY each, e.g. 2.31")],
    buyer: Annotated[int, typer.Option(help="指定受让方，0 不指定 the only buyer, 0 for anybody")] = 0,
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """挂牌。 Offer certificates for sale."""
    del lang
    message = ListCertificates(device, month, first, count, _fen(price), buyer)
    with signing_client(data, key) as client:
        print_reply(client.submit(message), as_json=as_json)


def _fen(price: str) -> int:
    """A price in yuan as fen; what is no whole number of fen is refused."""
    try:
        fen = Decimal(price) * FEN_PER_YUAN
    except InvalidOperation:
        fen = Decimal("NaN")
    if not fen.is_finite() or fen != fen.to_integral_value():
        raise UserError(f"价格 {price} 应为元，至多两位小数", f"price {price} should be yuan with at most two decimals")
    return int(fen)


@app.command("buy")
def buy(
    listing: Annotated[int, typer.Argument(metavar="LISTING", help="挂牌编号 number of the listing")],
    count: CountArgument,
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """摘牌，款证同时交割。 Buy of a listing; money and certificates change hands at once."""
    del lang
    message = BuyCertificates(listing, count)
    with signing_client(data, key) as client:
        print_reply(client.submit(message), as_json=as_json)


@app.command("retire")
def retire(
    device: DeviceArgument,
    first: FirstArgument,
    count: CountArgument,
    month: MonthOption,
    beneficiary: Annotated[str, typer.Option(help="受益人 who claims the use")],
    purpose: Annotated[Purpose, typer.Option(help="用途 purpose")] = Purpose.OWN_USE,
    use_from: Annotated[int | None, typer.Option(help="用电期间起，默认为生产月 use from, yyyymm")] = None,
    use_to: Annotated[int | None, typer.Option(help="用电期间止，默认同起 use to, yyyymm")] = None,
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """核销，作为绿电消费证明，不可撤销。 Retire certificates for good, as proof of green use."""
    del lang
    first_month = use_from or month
    message = RetireCertificates(device, month, first, count, beneficiary, purpose, first_month, use_to or first_month)
    with signing_client(data, key) as client:
        print_reply(client.submit(message), as_json=as_json)


@app.command("proof")
def proof(
    code: Annotated[str, typer.Argument(metavar="CODE", help="32 位绿证编码 code of a certificate")],
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """一张绿证的核销记录，任何人可查。 The retirement of one certificate; anybody may look."""
    del lang
    if len(code) != CODE_COUNT:
        raise UserError(
            f"绿证编码应为 {CODE_COUNT} 位，所给 {len(code)} 位", f"a code has {CODE_COUNT} characters, not {len(code)}"
        )
    with open_client(data, None) as client:
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
    print_rows([row], columns, as_json=as_json)


@app.command("match")
def match(
    month: MonthOption,
    member: Annotated[int | None, typer.Option(help="成员，默认本方 member, yours by default")] = None,
    retired: Annotated[bool, typer.Option("--retired", help="只计已核销 count retired certificates alone")] = False,
    day: Annotated[int | None, typer.Option(help="只显示一日 show one day, yyyymmdd")] = None,
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """逐小时匹配：每小时用电、同时段绿证电量、匹配与占比。 Per hour: use, certified generation, match and share."""
    del lang
    if not is_month(month):
        raise UserError(f"月份 {month} 应为 yyyymm", f"month {month} should be yyyymm")
    with open_client(data, key) as client:
        rows = client.query("certificates.match", month=month, member_id=member, retired_only=retired)
    summary = totals(rows)
    shown = [row for row in rows if day in (None, row["day"])]
    if as_json:
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
