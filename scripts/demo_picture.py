"""Draws docs/images/demo.svg: what `shudian demo` tells, as a picture for the README. Run it from the root of a clone."""

import html
import importlib
import re
import tempfile
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console

from shudian.cli import common
from shudian.tools.demo.sandbox import run_sandbox
from shudian.tools.demo.stage import Stage
from shudian.tools.demo.steps import Step
from shudian.tools.demo.story import tellings

SEED, DAYS, SHOWN = 20260701, 31, ("people", "guarantees-answer", "meters", "monthly-late", "transfer-sign", "rolling-20260701-close", "clear-20260701", "clear-20260702",
                                   "clear-20260731", "issue", "certificates-buy", "pay", "finance-choose", "late-payment", "maturity")  # fmt: skip
demo = importlib.import_module("shudian.cli.demo")
CELL_WIDTH = 12.2
PICTURE = Path("docs/images/demo.svg")


def main() -> None:
    """Play the month, print what it tells onto a recording console, and save it without fonts from elsewhere."""
    console = Console(record=True, width=104, force_terminal=True, highlight=False)
    common.out = demo.out = console
    with tempfile.TemporaryDirectory() as folder:
        lines: list[str] = []

        def told(step: Step, stage: Stage, place: int, total: int) -> None:
            del place, total
            key = step.key
            if key in SHOWN:
                moment = common.show_time(step.at_ms)[5:16]
                lines.append(f"[dim]{moment}[/dim]  {common.say(*tellings(stage.world)[key](stage))}")

        played = run_sandbox(Path(folder) / "shudian-data", SEED, DAYS, told)
        console.print("[bold green]$[/bold green] make demo")
        for line in lines:
            console.print(line)
        demo.print_numbers(played)
        played.node.close()
    svg = console.export_svg(title="蜀电链 Shudian")
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    PICTURE.write_text(re.sub(r'textLength="[^"]*"([^>]*)>([^<]*)<', _two_cells, svg), encoding="utf-8")


def _two_cells(found: re.Match[str]) -> str:
    """A Chinese character is two cells wide; Rich counts one when it stretches the text."""
    text = html.unescape(found[2])
    return f'textLength="{cell_len(text) * CELL_WIDTH:g}"{found[1]}>{found[2]}<'


if __name__ == "__main__":
    main()
