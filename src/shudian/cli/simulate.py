"""``shudian simulate``."""

import time
from collections.abc import Iterator
from typing import Annotated

import typer

from shudian.cli.common import JsonOption, err, fail, out, print_json, say
from shudian.node.simulated import Report
from shudian.tools.simulation import Ran, replay_command, run, run_many

_TELL_EVERY_S = 30


def simulate(
    seed: Annotated[int, typer.Option(min=0, help="第一个种子 first seed")] = 0,
    count: Annotated[int, typer.Option(min=1, help="运行多少个种子 how many seeds")] = 1,
    jobs: Annotated[int, typer.Option(min=1, help="同时运行多少个进程 how many processes at a time")] = 1,
    trace: Annotated[bool, typer.Option("--trace", help="逐步打印经过 print every step")] = False,
    as_json: JsonOption = False,
) -> None:
    """按种子模拟整个世界并核对账本。 Simulate clients, clock, network, disk and crashes around a real node, and test the ledger.

    一个种子就是一次可重现的运行；发现错误即停止，并给出种子与重放命令。
    One seed is one run that can be repeated; the first fault ends it with the seed and the command that repeats it.
    """
    seeds = range(seed, seed + count)
    if trace:
        reports = [_traced(number) for number in seeds]
    else:
        reports = [_report_of(ran) for ran in _told(run_many(seeds, jobs), count)]
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


def _told(runs: Iterator[Ran], count: int) -> Iterator[Ran]:
    """Say now and then how far it is, how fast it goes, and what is left."""
    began_s = told_s = time.monotonic()
    for done, ran in enumerate(runs, 1):
        yield ran
        now_s = time.monotonic()
        if now_s - told_s < _TELL_EVERY_S:
            continue
        told_s = now_s
        rate = done / (now_s - began_s)
        left_min = (count - done) / rate / 60
        err.print(
            say(
                f"已运行 {done:,} / {count:,} 个种子，每秒 {rate:.1f} 个，约余 {left_min:.0f} 分钟",
                f"{done:,} of {count:,} seeds, {rate:.1f} a second, about {left_min:.0f} min left",
            ),
            highlight=False,
        )


def _traced(seed: int) -> Report:
    """Run one seed and print every step, of a run that fails as well."""
    steps: list[str] = []
    try:
        return run(seed, steps)
    except Exception as error:  # noqa: BLE001 - whatever a run raises is a finding, to be named with its seed
        return _report_of(Ran(seed, None, str(error) or repr(error)))
    finally:
        out.print("\n".join(steps), highlight=False, markup=False)


def _report_of(ran: Ran) -> Report:
    """The report of a seed, or the end with the words of its fault."""
    if ran.report is None:
        fail(
            f"种子 {ran.seed} 发现错误：{ran.fault}；重放：{replay_command(ran.seed)}",
            f"seed {ran.seed} finds a fault: {ran.fault}; run it again: {replay_command(ran.seed)}",
            1,
        )
    return ran.report
