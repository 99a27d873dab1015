"""``shudian simulate``."""

from typing import Annotated

import typer
from rich.progress import track

from shudian.cli.common import JsonOption, err, fail, out, print_json, say
from shudian.tools.simulation import replay_command, run


def simulate(
    seed: Annotated[int, typer.Option(min=0, help="第一个种子 first seed")] = 0,
    count: Annotated[int, typer.Option(min=1, help="运行多少个种子 how many seeds")] = 1,
    trace: Annotated[bool, typer.Option("--trace", help="逐步打印经过 print every step")] = False,
    as_json: JsonOption = False,
) -> None:
    """按种子模拟整个世界并核对账本。 Simulate clients, clock, network, disk and crashes around a real node, and test the ledger.

    一个种子就是一次可重现的运行；发现错误即停止，并给出种子与重放命令。
    One seed is one run that can be repeated; the first fault ends it with the seed and the command that repeats it.
    """
    reports = []
    seeds = range(seed, seed + count)
    is_quiet = trace or not err.is_terminal
    for number in track(seeds, say("模拟", "simulating"), console=err, transient=True, disable=is_quiet):
        steps: list[str] = []
        try:
            report = run(number, steps)
        except Exception as error:  # noqa: BLE001 - whatever a run raises is a finding, to be named with its seed
            if trace:
                out.print("\n".join(steps), highlight=False, markup=False)
            fail(
                f"种子 {number} 发现错误：{error}；重放：{replay_command(number)}",
                f"seed {number} finds a fault: {error}; run it again: {replay_command(number)}",
                1,
            )
        if trace:
            out.print("\n".join(steps), highlight=False, markup=False)
        reports.append(report)
    if as_json:
        names = ("seed", "sent_count", "answers_count", "crashes_count", "height", "app_hash", "digest")
        print_json([{name: getattr(report, name) for name in names} for report in reports])
        return
    sent, crashes = (sum(getattr(one, name) for one in reports) for name in ("sent_count", "crashes_count"))
    out.print(
        say(
            f"{count} 个种子、{sent} 条消息、{crashes} 次崩溃：账本无误；最后一次的经过摘要 {reports[-1].digest}",
            f"{count} seeds, {sent} messages, {crashes} crashes: the ledger is in order; digest of the last run {reports[-1].digest}",
        )
    )
