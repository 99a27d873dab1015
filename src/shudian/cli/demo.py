"""``shudian demo``: the sandbox month, told while it runs, and the ten numbers at its end."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from shudian.cli.common import (
    DEFAULT_DATA,
    DataOption,
    UserError,
    language,
    out,
    refuse_file,
    say,
    show_number,
    show_time,
)
from shudian.sandbox.world import World, build_world
from shudian.tools.demo.deals import green_pairs
from shudian.tools.demo.runner import Told
from shudian.tools.demo.sandbox import Played, clear_sandbox, run_sandbox
from shudian.tools.demo.stage import Stage
from shudian.tools.demo.steps import Step
from shudian.tools.demo.story import tellings
from shudian.tools.demo.summary import incidents, refusals

SEED = 20260701
DAYS_MAX = 31


def demo(
    data: DataOption = DEFAULT_DATA,
    days: Annotated[
        int, typer.Option(min=1, max=DAYS_MAX, help="交割天数，从 7 月 1 日起 days of delivery from 1 July")
    ] = DAYS_MAX,
    seed: Annotated[int, typer.Option(min=0, help="随机种子：同种子同状态根 same seed, same app hash")] = SEED,
    fresh: Annotated[bool, typer.Option("--fresh", help="先删除旧沙盒 remove an old sandbox first")] = False,
    headless: Annotated[bool, typer.Option("--headless", help="不显示进度与总结 no display")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="总结写入 JSON 文件 summary as JSON")
    ] = None,
) -> None:
    """沙盒市场：一条命令跑完整个七月。 The sandbox market: a whole July with one command.

    成员注册、资源登记、月度集中竞价、日滚动撮合、96 点计量、日清、月结、券款对付，全部经由公共客户端写入账本。
    中断后再次运行会从断点继续。 Interrupted, it goes on where it stopped.
    """
    if json_file is not None and not json_file.absolute().parent.is_dir():
        raise UserError(
            f"没有文件夹 {json_file.absolute().parent}", f"there is no folder {json_file.absolute().parent}"
        )
    if json_file is not None and json_file.is_dir():
        raise UserError(f"{json_file} 是文件夹，不能写入总结", f"{json_file} is a folder; the summary needs a file")
    refuse_file(data)
    if fresh:
        clear_sandbox(data)
    played = run_sandbox(data, seed, days) if headless else _with_progress(data, seed, days)
    try:
        if json_file is not None:
            json_file.write_text(
                json.dumps(played.summary.as_json(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
            )
        if not headless:
            _print_summary(played, data)
    finally:
        played.node.close()


def _with_progress(data: Path, seed: int, days: int) -> Played:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True) as progress:
        task = progress.add_task(say("准备沙盒", "setting the stage"), total=None)
        return run_sandbox(data, seed, days, _teller(progress, task, build_world(seed, days)))


def _teller(progress: Progress, task: object, world: World) -> Told:
    told_after = tellings(world)

    def told(step: Step, stage: Stage, place: int, total: int) -> None:
        moment = show_time(step.at_ms)[5:16]
        progress.update(task, completed=place, total=total, description=f"{moment}  {say(step.zh, step.en)}")  # type: ignore[arg-type] # Rich's TaskID is an int
        if step.key in told_after:
            progress.console.print(f"[dim]{moment}[/dim]  {say(*told_after[step.key](stage))}")

    return told


_METHODS = {
    "auction": ("集中竞价", "auction"),
    "bilateral": ("双边协商", "bilateral"),
    "listing": ("挂牌", "listing"),
    "rolling": ("滚动撮合", "rolling"),
    "transfer": ("合同转让", "transfer"),
}


def print_numbers(played: Played) -> None:
    """The ten numbers that matter."""
    numbers = played.summary
    rows = [
        (say("成员 / 资源", "members / resources"), f"{numbers.members} / {numbers.resources}", ""),
        (say("申报", "orders accepted"), f"{numbers.orders:,}", ""),
        (say("成交电量", "energy traded"), show_number("_kwh", numbers.traded_kwh), "MWh"),
        (
            say("成交均价", "average price"),
            show_number("_myuan_mwh", numbers.average_myuan_mwh),
            say("元/MWh", "CNY/MWh"),
        ),
        (say("合同", "agreements"), f"{numbers.agreements:,}", ""),
        (say("结算单", "statements"), f"{numbers.statements:,}", ""),
        (say("已支付", "settled and paid"), show_number("_fen", numbers.settled_fen), say("元", "CNY")),
        (
            say("绿证 核发 / 核销", "certificates issued / retired"),
            f"{numbers.certificates_issued:,} / {numbers.certificates_retired:,}",
            say("个", "MWh"),
        ),
        (
            say("应收账款 签发 / 融资 / 兑付", "receivables issued / financed / redeemed"),
            f"{numbers.receivables_issued} / {numbers.receivables_financed} / {numbers.receivables_redeemed}",
            "",
        ),
        (say("被拒消息", "refusals"), f"{numbers.refusals:,}", ""),
    ]
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for row in rows:
        table.add_row(*row)
    title = say("七月市场总结", "the July market in numbers")
    out.print(Panel(table, title=title, expand=False))
    methods = "、" if language() == "zh" else ", "
    counts = methods.join(f"{say(*_METHODS[name])} {count:,}" for name, count in numbers.agreements_by_method.items())
    out.print(say(f"合同来源：{counts}", f"agreements by method: {counts}"), soft_wrap=True)
    face = show_number("_fen", numbers.financed_fen)
    out.print(
        say(
            f"融资票面 {face} 元；更正异议 {numbers.objections_corrected} 件",
            f"financed face {face} CNY; objections corrected: {numbers.objections_corrected}",
        )
    )
    out.print(
        say(
            f"账平，全部不变量成立。高度 {numbers.height}，状态根 {numbers.app_hash}，用时 {numbers.seconds} 秒",
            f"The books balance, every invariant holds. Height {numbers.height}, app hash {numbers.app_hash}, {numbers.seconds} s",
        ),
        soft_wrap=True,
    )


def _print_summary(played: Played, data: Path) -> None:
    print_numbers(played)
    out.print("\n" + say("途中发生：", "What went wrong on the way:"))
    for line in incidents(played.node, played.stage, language()):
        out.print(f"  • {line}", soft_wrap=True)
    out.print("\n" + say("账本拒绝了：", "The ledger refused:"))
    for count, words in refusals(played.node, language()):
        out.print(f"  • {count} × {words}", soft_wrap=True, markup=False)
    _print_next(data, green_pairs(played.stage)[0][1])


def _print_next(data: Path, green_buyer: str) -> None:
    folder = "" if data == DEFAULT_DATA else f" --data {data}"
    keys = data / "keys"
    program = "shudian" if shutil.which("shudian") else os.path.relpath(sys.argv[0])
    out.print("\n" + say("继续看：", "Explore further:"))
    for command, zh, en in (
        (f"{program} member list{folder}", "成员名册", "the register of members"),
        (f"{program} resource list --fuel hydro{folder}", "水电站", "hydro stations"),
        (f"{program} order prices{folder}", "分时段价格", "prices by segment"),
        (
            f"{program} statement list{folder} --key {keys}/alu_meishan-finance.key",
            "一户用户的结算单",
            "one user's statements",
        ),
        (
            f"{program} certificate match --month 202607{folder} --key {keys}/{green_buyer}-trader.key",
            "逐小时绿电匹配",
            "green power hour by hour",
        ),
        (
            f"{program} receivable list{folder} --key {keys}/regulator-officer.key",
            "应收账款凭证",
            "receivables",
        ),
        (f"{program} verify {data}", "重放并核对全部区块", "replay and compare every block"),
    ):
        out.print(f"  {command}    [dim]# {say(zh, en)}[/dim]", soft_wrap=True)
