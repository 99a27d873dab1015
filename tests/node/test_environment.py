"""What surrounds a node goes wrong: full disk, read-only folder, clock that goes back, a second node. A clear word, and the data intact."""

import resource
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from shudian.client.keys import write_key_file
from shudian.contracts.governance.messages import SetSetting
from shudian.kernel.crypto import sha256
from shudian.kernel.machine import WALL
from shudian.node.embedded import CLOCK_BEHIND_MAX_MS, EmbeddedNode
from shudian.node.errors import NodeError, NodeStoppedError
from shudian.node.verify import verify_folder
from tests.support.chain import create, founder, genesis, key_of, reopen
from tests.support.ledger import SECRETS, START_MS

NOW_MS = START_MS
FILE_MAX_BYTES = 1 << 20


def say_something(node: EmbeddedNode, number: int) -> None:
    """A message that fills its block: its source is long."""
    message = SetSetting("governance.holidays_day", "", 20260701 + number % 30, (20260701,), f"{number} " + "x" * 180)
    founder(node, "exchange-operator").submit(message)


def until_it_stops(node: EmbeddedNode) -> tuple[int, NodeStoppedError]:
    """(height last acknowledged, why the node stopped)."""
    for number in range(5_000):
        told = node.height
        try:
            say_something(node, number)
        except NodeStoppedError as stopped:
            return told, stopped
    pytest.fail("the node never stopped")


def check_intact(folder: Path, told: int) -> None:
    with closing(reopen(folder)) as node:
        assert told <= node.height <= told + 1
        say_something(node, 0)
    assert verify_folder(folder, SECRETS).height >= told


def test_a_ledger_that_cannot_grow_says_that_the_disk_is_full(tmp_path: Path) -> None:
    with closing(create(tmp_path)) as node:
        pages = node._store._db.pragma("page_count")
        node._store._db.pragma("max_page_count", pages + 8)
        told, stopped = until_it_stops(node)
        assert "the block could not be written: the disk is full" in stopped.en
        assert "磁盘已满" in stopped.zh
        with pytest.raises(NodeStoppedError, match="the disk is full"):
            say_something(node, 0)
    check_intact(tmp_path, told)


def test_a_full_disk_loses_nothing(small_disk: Path) -> None:
    node = create(small_disk / "chain")
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(2_600_000))  # the read models need more than the ledger when they catch up
    told, stopped = until_it_stops(node)
    assert "full" in stopped.en
    node.close()
    ballast.unlink()
    check_intact(small_disk / "chain", told)


def test_a_limit_on_files_loses_nothing(tmp_path: Path) -> None:
    node = create(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_MAX_BYTES, before[1]))
    try:
        told, stopped = until_it_stops(node)
        node.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "disk" in stopped.en
    check_intact(tmp_path, told)


def test_a_read_only_folder_is_refused_and_can_be_verified(small_disk: Path) -> None:
    chain = small_disk / "chain"
    create(chain).close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(NodeError, match="cannot be written: it is read-only"):
        reopen(chain)
    with pytest.raises(NodeError, match="cannot be made: it is read-only"):
        create(chain / "new")
    assert verify_folder(chain, SECRETS).height == 0


def test_a_clock_that_goes_back_is_refused_until_it_is_right_again(tmp_path: Path) -> None:
    now_ms = [NOW_MS]
    with closing(EmbeddedNode.create(tmp_path, genesis(WALL), key_of("node"), now_ms=lambda: now_ms[0])) as node:
        say_something(node, 200)
    now_ms[0] = NOW_MS - CLOCK_BEHIND_MAX_MS - 1
    with closing(EmbeddedNode.open(tmp_path, key_of("node"), now_ms=lambda: now_ms[0])) as node:
        assert founder(node, "exchange-operator").query("governance.settings"), "reading goes on"
        assert node.market_ms == NOW_MS
        node.tick()
        with pytest.raises(NodeError, match="clock is 60 s behind the last block"):
            say_something(node, 201)
        assert node.height == 1
        now_ms[0] = NOW_MS - CLOCK_BEHIND_MAX_MS  # a step of a time service: the block takes the time of the one before
        say_something(node, 202)
        assert (node.height, node._last.header.time_ms, node.market_ms) == (2, NOW_MS, NOW_MS)
        now_ms[0] = NOW_MS + 5
        say_something(node, 203)
        assert node.market_ms == NOW_MS + 5
    assert verify_folder(tmp_path, SECRETS).height == 3


def test_a_second_process_on_the_folder_is_refused(tmp_path: Path) -> None:
    with closing(create(tmp_path)) as node:
        write_key_file(tmp_path / "node.key", sha256(b"node"))
        command = [sys.executable, "-m", "shudian", "node", "status", "--data", str(tmp_path), "--lang", "en"]
        second = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (second.returncode, second.stdout) == (2, "")
        assert second.stderr.strip() == f"folder {tmp_path} is in use by another process"
        say_something(node, 0)
    check_intact(tmp_path, 1)
