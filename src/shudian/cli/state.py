"""``shudian state``: compare the states of two data folders."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from shudian.cli.commands import Commands
from shudian.cli.common import JsonOption, out, print_json, say, secrets_of
from shudian.kernel.epochs import NO_SECRETS
from shudian.node.diff import Difference, diff

app = Commands(no_args_is_help=True, help="状态：比较两个账本文件夹。 The state: compare two folders.")


@app.callback()
def state() -> None:
    """状态：比较两个账本文件夹。 The state: compare two folders."""


@app.command("diff")
def state_diff(
    a: Annotated[Path, typer.Argument(metavar="A", help="账本文件夹 folder of a ledger")],
    b: Annotated[Path, typer.Argument(metavar="B", help="另一个账本文件夹 folder of another")],
    as_json: JsonOption = False,
) -> None:
    """指出两个文件夹首个不同的区块、合约、表和行；相同则退出码 0，不同为 1。 Name the first block, contract, table and row that differ; exit 0 if none, 1 if any."""
    secrets = secrets_of(a)
    found = diff(a, b, secrets_of(b) if secrets is NO_SECRETS else secrets)
    if as_json:
        print_json(asdict(found))
    else:
        for line in _sentences(found):
            out.print(line, soft_wrap=True, markup=False)
    raise typer.Exit(0 if found.is_same else 1)


def _sentences(found: Difference) -> list[str]:
    lines = []
    low, high = sorted(found.heights)
    if found.first_height:
        lines.append(
            say(
                f"自快照的区块 {found.first_height} 起比较；此前的区块不在这里",
                f"compared from block {found.first_height} of a snapshot on: what came before is not here",
            )
        )
    if found.is_same:
        lines.append(say(f"到区块 {low} 为止完全相同", f"the same up to block {low}"))
    if low != high:
        lines.append(
            say(
                f"高度不同：A {found.heights[0]}，B {found.heights[1]}",
                f"heights: A {found.heights[0]}, B {found.heights[1]}",
            )
        )
    if found.height is not None:
        lines.append(
            say(
                f"首个不同的区块 {found.height}，不同之处 {found.part}",
                f"first block that differs: {found.height}, in {found.part}",
            )
        )
    if found.row is not None:
        row = found.row
        lines += [
            say(
                f"首个不同的行（区块 {row.height} 之后）：合约 {row.contract}，表 {row.table}，键 {row.key}",
                f"first row that differs, after block {row.height}: contract {row.contract}, table {row.table}, key {row.key}",
            ),
            f"A: {row.a}",
            f"B: {row.b}",
        ]
    elif found.height is not None and not found.first_height:
        lines.append(
            say(f"重放到区块 {low}，状态处处相同", f"replayed to block {low}, the states are the same throughout")
        )
    return lines
