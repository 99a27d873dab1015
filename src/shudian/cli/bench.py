"""``shudian bench``: medians and ratios to a limit taken in the same run."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from shudian.cli.commands import Commands
from shudian.cli.common import out, print_json, progress_of, say
from shudian.tools.bench import clearing as clearing_bench
from shudian.tools.bench import ledger as ledger_bench
from shudian.tools.bench import meter as meter_bench
from shudian.tools.bench import settlement as settlement_bench
from shudian.tools.bench import size as size_bench
from shudian.tools.bench.plot import svg

app = Commands(
    no_args_is_help=True,
    help="性能：中位数，及对同一次运行中测得的极限之比。 Medians, and ratios to a limit of the same run.",
)

RunsOption = Annotated[int, typer.Option(min=1, max=100, help="每项运行次数 runs of each part")]
JsonOption = Annotated[bool, typer.Option("--json", help="输出 JSON print JSON")]


def _print(result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    for name, value in result.items():
        shown = f"{value:,.3f}" if isinstance(value, float) else value
        out.print(f"{name:<40} {shown}", soft_wrap=True, markup=False)


@app.command("clearing")
def clearing(runs: RunsOption = 5, as_json: JsonOption = False) -> None:
    """集中竞价与盘口。 The call auction and the order book."""
    _print(clearing_bench.run(runs), as_json=as_json)


@app.command("ledger")
def ledger(
    runs: RunsOption = 5,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="另写 SVG 图 also write a plot as SVG")] = None,
    orders_only: Annotated[
        bool,
        typer.Option("--orders-only", help="不测增长、计量与结算 leave out growth, meters and settlement"),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """签名申报端到端，分阶段；另测增长、计量与结算。 Signed orders end to end, by stage; growth, meters and settlement too."""
    with progress_of(say("测量申报", "measuring orders"), moves_by_itself=False) as progress:
        result = ledger_bench.run(runs, growth_too=not orders_only, progress=progress)
    if not orders_only:
        for part in (meter_bench.run(runs), settlement_bench.run(runs)):
            result.update({name: value for name, value in part.items() if name not in result})
    if plot is not None:
        plot.write_text(svg(result), encoding="utf-8")
    growth = result.get("growth")
    if as_json or not growth:
        _print(result, as_json=as_json)
        return
    _print({name: value for name, value in result.items() if name != "growth"}, as_json=False)
    table = Table("resting orders 在册申报", "µs / order 每笔", "rate / first 对首行")
    for row in growth:
        table.add_row(f"{row['resting_orders']:,}", f"{row['us_per_order']:,.1f}", f"{row['rate_over_first']:.2f}")
    out.print(table)


@app.command("meter")
def meter(runs: RunsOption = 5, as_json: JsonOption = False) -> None:
    """计量点入账，分阶段。 Meter points accepted, by stage."""
    _print(meter_bench.run(runs), as_json=as_json)


@app.command("settlement")
def settlement(
    runs: RunsOption = 5,
    meters: Annotated[
        int, typer.Option(min=1, max=50_000, help="电表数；5 万块需 2.4 GB 内存 meters; 50,000 take 2.4 GB of memory")
    ] = settlement_bench.METERS_COUNT,
    as_json: JsonOption = False,
) -> None:
    """按刻钟结算一个月，对内存读一遍之比。 A month settled by quarter hour, against one pass over its memory."""
    _print(settlement_bench.run(runs, meters), as_json=as_json)


@app.command("size")
def size(
    runs: RunsOption = 1,
    rows: Annotated[int, typer.Option(min=1_000, help="行数 rows of one kind")] = size_bench.MANY_ROWS,
    as_json: JsonOption = False,
) -> None:
    """百万行时的启动与速度。 Start and speed with a million rows of one kind."""
    _print(size_bench.run(runs, rows), as_json=as_json)
