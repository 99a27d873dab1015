"""``shudian clear``: the market's clearing as pure commands on a file of orders."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from shudian.cli.commands import Commands
from shudian.cli.common import JsonOption, out, print_json, print_rows, say
from shudian.tools.clearing_files import clear_auction_file, clear_rolling_file

app = Commands(no_args_is_help=True, help="出清：对文件中的申报做集中竞价或滚动撮合。 Clear a file of orders.")

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="CSV（可 .gz）或 Parquet 文件 CSV (.gz) or Parquet")]


class PriceRule(StrEnum):
    """Which price within the interval."""

    EQUILIBRIUM = "equilibrium"
    PAIR = "pair"


class SelfTrade(StrEnum):
    """What an order does with its owner's resting orders."""

    SKIP = "skip"
    ALLOW = "allow"


@app.command("auction")
def auction(
    file: FileArgument,
    lot_mwh: Annotated[str, typer.Option(help="最小单位 lot, MWh")] = "0.001",
    price_rule: Annotated[PriceRule, typer.Option(help="价格规则 price rule")] = PriceRule.EQUILIBRIUM,
    k_ppm: Annotated[int, typer.Option(min=0, max=1_000_000, help="价格位置 place within the interval, ppm")] = 500_000,
    as_json: JsonOption = False,
) -> None:
    """集中竞价，边际统一出清。 Uniform-price call auction per segment.

    列 columns: segment|hour, order_id, tranche?, side, price (CNY/MWh), quantity_mwh, owner?, submitted_at?
    """
    result = clear_auction_file(file, lot_mwh=lot_mwh, price_rule=price_rule.value, k_ppm=k_ppm)
    if as_json:
        print_json(result)
        return
    columns = [
        ("segment", "时段", "segment"),
        ("price", "价格 元/MWh", "price CNY/MWh"),
        ("price_low", "下限", "low"),
        ("price_high", "上限", "high"),
        ("volume", "电量 MWh", "volume MWh"),
        ("welfare", "社会福利 元", "welfare CNY"),
    ]
    print_rows(result["segments"], columns, as_json=False)


@app.command("rolling")
def rolling(
    file: FileArgument,
    self_trade: Annotated[SelfTrade, typer.Option(help="自成交 own resting orders")] = SelfTrade.SKIP,
    as_json: JsonOption = False,
) -> None:
    """滚动撮合，价格优先、时间优先。 Rolling match by price, then time.

    列 columns: seq, action (new|cancel), order_id, side, price (CNY/MWh), quantity_mwh, segment?, owner?
    """
    result = clear_rolling_file(file, self_trade=self_trade.value)
    if as_json:
        print_json(result)
        return
    columns = [
        ("seq", "序号", "seq"),
        ("taker", "主动方", "taker"),
        ("maker", "挂单方", "maker"),
        ("price", "价格 元/MWh", "price CNY/MWh"),
        ("quantity", "电量 MWh", "quantity MWh"),
    ]
    print_rows(result["trades"], columns, as_json=False)
    resting = len(result["book"]["buy"]) + len(result["book"]["sell"])
    out.print(
        say(
            f"成交 {len(result['trades'])} 笔，余单 {resting} 笔",
            f"{len(result['trades'])} trades, {resting} orders rest",
        )
    )
