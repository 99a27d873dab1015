"""``shudian order``: sessions, orders, the book, trades and prices; place and cancel."""

from decimal import Decimal, InvalidOperation
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
    print_rows,
    signing_client,
)
from shudian.cli.message import print_reply
from shudian.contracts.trading.messages import CancelOrder, PlaceOrder, Side

app = typer.Typer(
    no_args_is_help=True, help="交易：场次、申报、盘口、成交、价格。 Sessions, orders, book, trades, prices."
)

THOUSAND = 1_000

SessionArgument = Annotated[int, typer.Argument(metavar="SESSION", help="场次编号 number of the session")]


def thousandths(name: str, text: str) -> int:
    """A decimal number (MWh, CNY/MWh) in thousandths.

    Raises:
        UserError: if it is no number or has more than three decimals.
    """
    try:
        value = Decimal(text) * THOUSAND
        whole = int(value)
    except (InvalidOperation, ValueError, OverflowError):
        raise UserError(f"{name} = {text} 不是数字", f"{name} = {text} is not a number") from None
    if whole != value:
        raise UserError(f"{name} = {text} 最多三位小数", f"{name} = {text} may have three decimals at most")
    return whole


@app.command("sessions")
def sessions(
    state: Annotated[str | None, typer.Option(help="live | closed | cancelled")] = None,
    product: Annotated[str | None, typer.Option(help="annual | monthly | daily")] = None,
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """交易场次（公开）。 Sessions, newest first."""
    del lang
    with open_client(data, None) as client:
        rows = client.query("trading.sessions", state=state, product=product)
    columns = (
        ("session_id", "场次", "session"),
        ("method", "方式", "method"),
        ("product", "品种", "product"),
        ("first_day", "交割首日", "first day"),
        ("last_day", "交割末日", "last day"),
        ("opens_ms", "开放", "opens"),
        ("closes_ms", "关闭", "closes"),
        ("state", "状态", "state"),
        ("agreements_count", "合同数", "agreements"),
    )
    print_rows(rows, columns, as_json=as_json)


@app.command("list")
def list_orders(
    session: Annotated[int | None, typer.Option(help="场次 session")] = None,
    segment: Annotated[int | None, typer.Option(min=0, max=23, help="时段 hour 0-23")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="仅未成交 open ones only")] = False,
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """本方申报（交易中心与监管可见全部）。 Your orders; overseers see all."""
    del lang
    with open_client(data, key) as client:
        rows = client.query("trading.orders", session_id=session, segment=segment, ending="" if open_only else None)
    columns = (
        ("order_id", "申报", "order"),
        ("session_id", "场次", "session"),
        ("member_id", "成员", "member"),
        ("segment", "时段", "segment"),
        ("side", "方向", "side"),
        ("price_myuan_mwh", "价格 元/MWh", "price CNY/MWh"),
        ("quantity_kwh", "电量 MWh", "quantity MWh"),
        ("filled_kwh", "成交 MWh", "filled MWh"),
        ("open_kwh", "未成交 MWh", "open MWh"),
        ("ending", "结局", "ending"),
        ("placed_ms", "时间", "placed"),
    )
    print_rows(rows, columns, as_json=as_json)


@app.command("place")
def place(
    session: SessionArgument,
    segment: Annotated[int, typer.Argument(metavar="SEGMENT", min=0, max=23, help="时段 hour 0-23")],
    side: Annotated[Side, typer.Argument(metavar="SIDE", help="buy | sell")],
    price: Annotated[str, typer.Argument(metavar="PRICE", help="元/MWh CNY/MWh, e.g. 210.5")],
    quantity: Annotated[str, typer.Argument(metavar="MWH", help="电量 MWh over the whole period")],
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """申报。 Place an order. A negative price needs -- before the arguments."""
    del lang
    message = PlaceOrder(session, segment, side, thousandths("PRICE", price), thousandths("MWH", quantity))
    message.check()
    with signing_client(data, key) as client:
        print_reply(client.submit(message), as_json=as_json)


@app.command("cancel")
def cancel(
    order_id: Annotated[int, typer.Argument(help="申报编号 number of the order")],
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """撤销未成交部分。 Withdraw what is left of an order."""
    del lang
    with signing_client(data, key) as client:
        print_reply(client.submit(CancelOrder(order_id)), as_json=as_json)


@app.command("book")
def book(
    session: SessionArgument,
    segment: Annotated[int | None, typer.Option(min=0, max=23, help="时段 hour 0-23")] = None,
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """滚动场次的盘口（公开，按价位汇总）。 The book of a rolling session by price level."""
    del lang
    with open_client(data, None) as client:
        rows = client.query("trading.depth", session_id=session, segment=segment)
    columns = (
        ("segment", "时段", "segment"),
        ("side", "方向", "side"),
        ("price_myuan_mwh", "价格 元/MWh", "price CNY/MWh"),
        ("quantity_kwh", "电量 MWh", "quantity MWh"),
    )
    print_rows(rows, columns, as_json=as_json)


@app.command("trades")
def trades(
    session: Annotated[int | None, typer.Option(help="场次 session")] = None,
    segment: Annotated[int | None, typer.Option(min=0, max=23, help="时段 hour 0-23")] = None,
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """成交：不带密钥看全市场（不具名），带密钥看本方。 Trades: all without names, or with a key your own."""
    del lang
    with open_client(data, key) as client:
        rows = client.query("trading.trades" if key else "trading.tape", session_id=session, segment=segment)
    columns = (
        ("trade_id", "成交", "trade"),
        ("session_id", "场次", "session"),
        ("segment", "时段", "segment"),
        ("price_myuan_mwh", "价格 元/MWh", "price CNY/MWh"),
        ("quantity_kwh", "电量 MWh", "quantity MWh"),
        ("value_fen", "金额 元", "value CNY"),
        ("made_ms", "时间", "made"),
    )
    print_rows(rows, columns, as_json=as_json)


@app.command("prices")
def prices(
    session: Annotated[
        int | None, typer.Argument(metavar="SESSION", help="场次，缺省为首场 session, the first by default")
    ] = None,
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """分时段价格与成因（公开）。 Prices by segment and what set them."""
    del lang
    with open_client(data, None) as client:
        found = client.query("trading.sessions", session_id=session)
        if not found:
            raise UserError("没有这个场次", "there is no such session")
        chosen = found[-1]
        auction = chosen["method"] == "auction"
        rows = client.query("trading.cleared" if auction else "trading.candles", session_id=chosen["session_id"])
    if auction:
        columns: tuple[tuple[str, str, str], ...] = (
            ("segment", "时段", "segment"),
            ("price_myuan_mwh", "价格 元/MWh", "price CNY/MWh"),
            ("volume_kwh", "电量 MWh", "volume MWh"),
            ("low_myuan_mwh", "下限", "low"),
            ("high_myuan_mwh", "上限", "high"),
            ("welfare_fen", "社会福利 元", "welfare CNY"),
        )
    else:
        columns = (
            ("segment", "时段", "segment"),
            ("open_myuan_mwh", "开", "open"),
            ("high_myuan_mwh", "高", "high"),
            ("low_myuan_mwh", "低", "low"),
            ("close_myuan_mwh", "收", "close"),
            ("vwap_myuan_mwh", "均价 元/MWh", "VWAP CNY/MWh"),
            ("volume_kwh", "电量 MWh", "volume MWh"),
            ("trades_count", "笔数", "trades"),
        )
    print_rows(rows, columns, as_json=as_json)
