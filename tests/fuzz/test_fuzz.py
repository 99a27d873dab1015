"""The decoder, the opener of envelopes and the verifier against atheris: 15 seconds each, 10 minutes each by ``make soak``."""

import importlib.util
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.source import REPOSITORY

IS_SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
SECONDS = 600 if IS_SOAK else 15
CANARY_SECONDS = 120
INPUT_MAX_BYTES = 1 << 14
RUNS_MIN_COUNT = 2_000
"""Far fewer than any machine makes in 15 seconds: a harness that hardly runs proves nothing."""

HAS_WHEEL = (sys.platform, platform.machine()) == ("linux", "x86_64") and sys.version_info < (3, 14)
pytestmark = pytest.mark.skipif(
    not HAS_WHEEL, reason="atheris has wheels for Python 3.11 to 3.13 on Linux x86_64 only (pyproject.toml)"
)


def fuzz(target: str, folder: Path, seconds: int) -> subprocess.CompletedProcess[str]:
    """Fuzz a target from a fixed seed in a process of its own."""
    assert importlib.util.find_spec("atheris"), "atheris is missing: install requirements-dev.lock (make test does)"
    options = ["-seed=1", "-keep_seed=1", f"-max_total_time={seconds}", f"-max_len={INPUT_MAX_BYTES}", "-verbosity=1"]
    command = [sys.executable, "-m", "tests.fuzz.run", target, str(folder), *options]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)


def told(target: str, folder: Path, said: str) -> str:
    """What broke it, and how to see it again."""
    broken = next(folder.glob("crash-*"), None)
    content = broken.read_bytes().hex() if broken else "none"
    return f"python -m tests.fuzz.run {target} FOLDER FILE, with a file of the bytes {content}\n{said[-3_000:]}"


@pytest.mark.parametrize("target", ["decoder", "opener", "verifier"])
def test_nothing_but_declared_refusals_comes_out(target: str, tmp_path: Path) -> None:
    done = fuzz(target, tmp_path, SECONDS)
    said = done.stdout + done.stderr
    assert done.returncode == 0, told(target, tmp_path, said)
    finished = re.search(r"Done (\d+) runs", said)
    assert finished, said[-3_000:]
    assert int(finished[1]) >= RUNS_MIN_COUNT


def test_a_planted_fault_is_found(tmp_path: Path) -> None:
    done = fuzz("canary", tmp_path, CANARY_SECONDS)
    assert done.returncode != 0, "the canary lives: the fuzzer does not reach the rows of a proof"
    assert "IndexError" in done.stdout + done.stderr
    assert list(tmp_path.glob("crash-*"))
