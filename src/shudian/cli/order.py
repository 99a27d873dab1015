"""``shudian order``: sessions, orders, the book, trades and prices; place and cancel."""

from typing import Annotated

import typer

from shudian.cli.commands import Commands
from shudian.cli.common import UserError
from shudian.cli.ledger import Ledger, PublicLedger
from shudian.cli.values import thousandths
from shudian.contracts.trading.messages import CancelOrder, PlaceOrder, Side

app = Commands(
    no_args_is_help=True, help="交易：场次、申报、盘口、成交、价格。 Sessions, orders, book, trades, prices."
)

SessionArgument = Annotated[int, typer.Argument(metavar="SESSION", help="场次编号 number of the session")]


@app.command("sessions")
def sessions(
    ledger: PublicLedger,
    state: Annotated[str | None, typer.Option(help="live | closed | cancelled")] = None,
    product: Annotated[str | None, typer.Option(help="annual | monthly | daily")] = None,
) -> None:
    """交易场次（公开）。 Sessions, newest first."""
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
    ledger.print_query("trading.sessions", columns, state=state, product=product)


@app.command("list")
def list_orders(
    ledger: Ledger,
    session: Annotated[int | None, typer.Option(help="场次 session")] = None,
    segment: Annotated[int | None, typer.Option(min=0, max=23, help="时段 hour 0-23")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="仅未成交 open ones only")] = False,
) -> None:
    """本方申报（交易中心与监管可见全部）。 Your orders; overseers see all."""
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
    ledger.print_query("trading.orders", columns, session_id=session, segment=segment, ending="" if open_only else None)


@app.command("place")
def place(
    ledger: Ledger,
    session: SessionArgument,
    segment: Annotated[int, typer.Argument(metavar="SEGMENT", min=0, max=23, help="时段 hour 0-23")],
    side: Annotated[Side, typer.Argument(metavar="SIDE", help="buy | sell")],
    price: Annotated[str, typer.Argument(metavar="PRICE", help="元/MWh CNY/MWh, e.g. 210.5")],
    quantity: Annotated[str, typer.Argument(metavar="MWH", help="电量 MWh over the whole period")],
) -> None:
    """申报。 Place an order. A negative price needs -- before the arguments."""
    message = PlaceOrder(session, segment, side, thousandths("PRICE", price), thousandths("MWH", quantity))
    ledger.submit(message)


@app.command("cancel")
def cancel(ledger: Ledger, order_id: Annotated[int, typer.Argument(help="申报编号 number of the order")]) -> None:
    """撤销未成交部分。 Withdraw what is left of an order."""
    ledger.submit(CancelOrder(order_id))


@app.command("book")
def book(
    ledger: PublicLedger,
    session: SessionArgument,
    segment: Annotated[int | None, typer.Option(min=0, max=23, help="时段 hour 0-23")] = None,
) -> None:
    """滚动场次的盘口（公开，按价位汇总）。 The book of a rolling session by price level."""
    columns = (
        ("segment", "时段", "segment"),
        ("side", "方向", "side"),
        ("price_myuan_mwh", "价格 元/MWh", "price CNY/MWh"),
        ("quantity_kwh", "电量 MWh", "quantity MWh"),
    )
    ledger.print_query("trading.depth", columns, session_id=session, segment=segment)


@app.command("trades")
def trades(
    ledger: Ledger,
    session: Annotated[int | None, typer.Option(help="场次 session")] = None,
    segment: Annotated[int | None, typer.Option(min=0, max=23, help="时段 hour 0-23")] = None,
) -> None:
    """成交：不带密钥看全市场（不具名），带密钥看本方。 Trades: all without names, or with a key your own."""
    columns = (
        ("trade_id", "成交", "trade"),
        ("session_id", "场次", "session"),
        ("segment", "时段", "segment"),
        ("price_myuan_mwh", "价格 元/MWh", "price CNY/MWh"),
        ("quantity_kwh", "电量 MWh", "quantity MWh"),
        ("value_fen", "金额 元", "value CNY"),
        ("made_ms", "时间", "made"),
    )
    ledger.print_query("trading.trades" if ledger.key else "trading.tape", columns, session_id=session, segment=segment)


@app.command("prices")
def prices(
    ledger: PublicLedger,
    session: Annotated[
        int | None, typer.Argument(metavar="SESSION", help="场次，缺省为首场 session, the first by default")
    ] = None,
) -> None:
    """分时段价格与成因（公开）。 Prices by segment and what set them."""
    with ledger.client() as client:
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
    ledger.print_rows(rows, columns)
