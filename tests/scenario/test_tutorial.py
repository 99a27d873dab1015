"""The tutorial's commands run as they stand, in order, in an empty folder."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXPECTED_EXIT = re.compile(r"  # exit (\d+)$")


def commands(page: str) -> list[tuple[str, int]]:
    found = []
    for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL):
        for line in block.splitlines():
            assert line.startswith("$ "), line
            expected = EXPECTED_EXIT.search(line)
            found.append((EXPECTED_EXIT.sub("", line[2:]), int(expected[1]) if expected else 0))
    return found


def test_the_tutorial_runs(tmp_path: Path) -> None:
    steps = commands((ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8"))
    assert len(steps) > 15
    shim = tmp_path / "bin" / "shudian"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m shudian "$@"\n', encoding="utf-8")
    shim.chmod(0o755)
    work = tmp_path / "empty"
    work.mkdir()
    environment = {**os.environ, "PATH": f"{shim.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src")}
    for command, expected in steps:
        done = subprocess.run(
            ["sh", "-c", command], cwd=work, env=environment, capture_output=True, text=True, check=False, timeout=200
        )
        assert done.returncode == expected, f"{command}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, command
        assert bool(done.stderr.strip()) is bool(expected) or "demo" in command or "verify" in command, (
            command,
            done.stderr,
        )
