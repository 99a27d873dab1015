"""The front: the same arrivals as the engine's own door, the work shared, and nothing lost when it is killed."""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from shudian.contracts.governance.messages import SetSetting
from shudian.contracts.governance.messages_epochs import RotateEpoch
from shudian.kernel.check import CheckFailed
from shudian.kernel.codec import encode
from shudian.kernel.envelope import seal
from shudian.kernel.machine import Applied
from shudian.kernel.opened import Arrival, Opened
from shudian.kernel.outcomes import Refused, refused
from shudian.node import verify
from shudian.node.embedded import EmbeddedNode
from shudian.node.errors import NodeError, NodeStoppedError
from shudian.node.front import PART_COUNT, Front, _Outlet
from shudian.node.front_wire import Frames
from shudian.node.store import LedgerStore
from shudian.node.verify import verify_folder
from tests.support.chain import founder, genesis, key_of
from tests.support.ledger import SECRETS

UP_SECONDS = 60


@pytest.fixture
def node(tmp_path: Path) -> Iterator[EmbeddedNode]:
    made = EmbeddedNode.create(tmp_path, genesis(), key_of("node"), front=True)
    assert made.front is not None
    assert made.front.wait_up(UP_SECONDS)
    yield made
    made.close()


def front_of(node: EmbeddedNode) -> Front:
    assert node.front is not None
    return node.front


def sealed(node: EmbeddedNode, count: int) -> list[bytes]:
    exchange = founder(node, "exchange-operator")
    days = (SetSetting("governance.holidays_day", "", 20260701, (20260701,), "test") for _ in range(count))
    return [exchange.seal([day]) for day in days]


def mixed(node: EmbeddedNode, count: int) -> list[bytes]:
    """Good envelopes between bad ones of several kinds."""
    envelopes = sealed(node, count)
    for place in range(0, count, 5):
        data = envelopes[place]
        envelopes[place] = (b"", data[:-1] + bytes([data[-1] ^ 1]), data[:60], data.replace(b"\x92", b"\x93", 1))[
            place // 5 % 4
        ]
    return envelopes


@pytest.fixture
def only_the_front(node: EmbeddedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine finds no ticket and has no door: nothing is left to it."""
    monkeypatch.setattr("shudian.node.front.next_ticket", lambda _tickets: None)
    monkeypatch.setattr(front_of(node), "door", None)


def ahead_of(node: EmbeddedNode, envelopes: list[bytes]) -> list[Arrival]:
    return front_of(node).begin(envelopes).result()


def facts(arrival: Arrival) -> object:
    return arrival if isinstance(arrival, Opened) else refused(arrival)


@pytest.mark.usefixtures("only_the_front")
def test_the_front_says_what_the_door_says(node: EmbeddedNode) -> None:
    envelopes = mixed(node, 3 * PART_COUNT + 7)
    found = ahead_of(node, envelopes)
    expected = node.machine.door.open_all(envelopes)
    assert list(map(facts, found)) == list(map(facts, expected))
    assert {isinstance(arrival, Opened) for arrival in found} == {True, False}


def test_the_engine_opens_what_the_front_has_not_begun(node: EmbeddedNode) -> None:
    front = front_of(node)
    os.kill(front.pid, signal.SIGSTOP)
    assert all(isinstance(arrival, Opened) for arrival in ahead_of(node, sealed(node, PART_COUNT + 1)))
    os.kill(front.pid, signal.SIGCONT)  # it finds envelopes without tickets, and goes on with the next
    assert all(isinstance(arrival, Opened) for arrival in ahead_of(node, sealed(node, 3 * PART_COUNT)))


def test_its_process_imports_no_rules_and_no_large_libraries() -> None:
    """What it imports is the time until it takes its share."""
    script = "import sys, shudian.node.front_process; print(*sorted(sys.modules))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert "shudian.contracts.trading.messages" in told
    heavy = ("apsw", "importlib.resources", "numpy", "shudian.kernel.machine", "shudian.market", "sqlite3", "stdnum")
    assert not [name for name in told if name in heavy or ".rules" in name or ".views" in name]


def test_parts_that_found_no_ticket_are_the_engines(node: EmbeddedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    front = front_of(node)
    os.kill(front.pid, signal.SIGSTOP)
    monkeypatch.setattr("shudian.node.front.PART_COUNT", 1)
    envelopes = [b""] * 40_000
    opening = front.begin(envelopes)
    assert {part.kept for part in opening.parts} == {True, False}
    assert all(isinstance(arrival, Refused) for arrival in opening.result())
    os.kill(front.pid, signal.SIGCONT)
    assert all(isinstance(arrival, Opened) for arrival in ahead_of(node, sealed(node, 3)))


def test_answers_beyond_the_pipe_wait_with_the_front(node: EmbeddedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shudian.node.front.next_ticket", lambda _tickets: None)
    envelopes = sealed(node, 100) * 60
    first, second = (front_of(node).begin(envelopes) for _ in range(2))
    assert second.result() == first.result()


def test_frames_larger_than_the_pipe_arrive_whole_and_in_order() -> None:
    out, into = os.pipe()
    came: list[bytes] = []

    def read() -> None:
        frames = Frames(out)
        with suppress(EOFError):
            while frames.take():
                came.extend(frames.cut())

    reader = threading.Thread(target=read)
    reader.start()
    outlet = _Outlet(into)
    sent = [bytes([number]) * size for number, size in enumerate([10, 300_000] * 100)]
    for frame in sent:
        outlet.put(frame)
    outlet.close()
    os.close(into)
    reader.join()
    os.close(out)
    assert came == sent


def test_blocks_follow_one_another_as_without_a_front(node: EmbeddedNode) -> None:
    parts = [sealed(node, 60) for _ in range(5)]
    answers = list(node.submit_all(parts))
    assert [len(part) for part in answers] == [60] * 5
    assert all(outcome.done for part in answers for (outcome,) in part)
    assert node.height == 5


@pytest.mark.parametrize("with_front", [True, False])
def test_what_was_begun_is_opened_ahead_and_finished_in_its_turn(tmp_path: Path, *, with_front: bool) -> None:
    with closing(EmbeddedNode.create(tmp_path, genesis(), key_of("node"), front=with_front)) as node:
        first, second = (sealed(node, 1) for _ in range(2))
        begun = [node.begin(part) for part in (first, [*second, *first], [])]
        assert node.height == 0
        answers = [node.finish(one) for one in begun]
        assert [[outcome.done for (outcome,) in part] for part in answers] == [[True], [True, True], []]
        assert answers[1][1] == answers[0][0]
        assert node.height == 2


def test_a_killed_front_loses_nothing(node: EmbeddedNode, caplog: pytest.LogCaptureFixture) -> None:
    front = front_of(node)
    envelopes = sealed(node, 6 * PART_COUNT)
    os.kill(front.pid, signal.SIGSTOP)  # what it was sent stays unanswered
    opening = front.begin(envelopes)
    with caplog.at_level(logging.WARNING, "shudian.node"):
        os.kill(front.pid, signal.SIGKILL)
        arrivals = opening.result()
        answers = node.submit(envelopes[:10])
    assert not front._parts
    assert list(map(facts, arrivals)) == list(map(facts, node.machine.door.open_all(envelopes)))
    assert all(outcome.done for (outcome,) in answers)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_the_front_gets_the_roots_of_later_epochs(node: EmbeddedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    founder(node, "exchange-operator").submit(RotateEpoch(node.next_epoch.public_key))
    node.block_after(node.height)
    envelopes = sealed(node, 2)
    assert node.epoch.epoch_no == 2
    monkeypatch.setattr("shudian.node.front.next_ticket", lambda _tickets: None)
    monkeypatch.setattr(front_of(node), "door", None)  # what the front left open could not be opened here
    assert all(isinstance(arrival, Opened) for arrival in ahead_of(node, envelopes))


@pytest.mark.parametrize("works", [True, False], ids=["front", "engine"])
def test_an_epoch_that_begins_in_a_series_is_known_when_its_envelopes_have_their_turn(
    node: EmbeddedNode, works: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All parts are opened before the first is applied, by one or the other."""
    exchange, second = founder(node, "exchange-operator"), node.next_epoch
    rotation = exchange.seal([RotateEpoch(second.public_key)])
    day = SetSetting("governance.holidays_day", "", 20260701, (20260701,), "test")
    expires_ms = node.market_ms + 3_600_000
    later = seal(
        node.machine.chain_id,
        1,
        bytes(16),
        expires_ms,
        encode([day]),
        [key_of("exchange-operator")],
        second,
        atomic=False,
    )
    if not works:
        os.kill(front_of(node).pid, signal.SIGSTOP)
    openings = [front_of(node).begin([data]) for data in (rotation, later)]
    while any(part.arrivals is None for opening in openings for part in opening.parts):
        front_of(node).advance(openings[1].parts[0])
    ahead = iter([([data], opening) for data, opening in zip((rotation, later), openings, strict=True)])
    monkeypatch.setattr("shudian.node.embedded.opened_ahead", lambda _parts, _front: ahead)
    assert [outcome.done for ((outcome,),) in node.submit_all([[rotation], [later]])] == [True, True]
    os.kill(front_of(node).pid, signal.SIGCONT)
    node.close()
    monkeypatch.setattr(verify, "FRONT_MIN_BYTES", 0)
    monkeypatch.setattr(verify, "pays", lambda: True)
    assert verify_folder(node.folder, SECRETS).height == 2


def test_no_secret_in_the_arguments_or_the_environment(node: EmbeddedNode) -> None:
    root = node.secrets.root(1)
    for name in ("cmdline", "environ"):
        text = Path(f"/proc/{front_of(node).pid}/{name}").read_bytes()
        assert root not in text
        assert root.hex().encode() not in text


def test_a_replay_with_a_front_finds_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = EmbeddedNode.create(tmp_path, genesis(), key_of("node"))
    for envelopes in (sealed(node, 3), sealed(node, 200), sealed(node, 1)):
        node.submit(envelopes)
    node.close()
    alone = verify_folder(tmp_path, SECRETS)
    monkeypatch.setattr(verify, "FRONT_MIN_BYTES", 0)
    monkeypatch.setattr(verify, "pays", lambda: True)
    assert verify_folder(tmp_path, SECRETS) == alone


def days(node: EmbeddedNode, count: int) -> list[list[bytes]]:
    """Parts of one envelope each, which follow one another."""
    return [[envelope] for envelope in sealed(node, count)]


@pytest.fixture
def lazy_disk(node: EmbeddedNode, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens to blocks, where the disk moves only when it is waited for: an answer that does not wait comes too early."""
    apply, wait_durable, finish = node._apply, node._wait_durable, LedgerStore.finish
    asked = threading.Event()
    log: list[str] = []

    def applied(*args: Any) -> Applied:
        log.append("applied")
        return apply(*args)

    def finished(store: LedgerStore) -> None:
        assert asked.wait(UP_SECONDS)
        asked.clear()
        finish(store)
        log.append("durable")

    def waited() -> None:
        if node._written is not None:
            asked.set()
        wait_durable()

    monkeypatch.setattr(node, "_apply", applied)
    monkeypatch.setattr(node, "_wait_durable", waited)
    monkeypatch.setattr(LedgerStore, "finish", finished)
    return log


def test_a_block_is_applied_while_the_disk_keeps_the_one_before_and_answered_after(
    node: EmbeddedNode, lazy_disk: list[str]
) -> None:
    for ((outcome,),) in node.submit_all(days(node, 3)):
        assert outcome.done
        lazy_disk.append("told")
    assert " ".join(lazy_disk) == "applied applied durable told applied durable told durable told"


def test_a_repeat_is_not_answered_before_the_first_is_durable(node: EmbeddedNode, lazy_disk: list[str]) -> None:
    first, second = days(node, 2)
    answers = node.submit_all([first, second])
    next(answers)
    assert " ".join(lazy_disk) == "applied applied durable"
    assert node.submit(second)[0][0].done
    assert " ".join(lazy_disk) == "applied applied durable durable"


def test_a_disk_that_fails_stops_the_node_and_unsays_nothing(
    node: EmbeddedNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = LedgerStore.finish
    count = 0

    def failing(store: LedgerStore) -> None:
        nonlocal count
        count += 1
        if count == 3:
            store._undo()
            raise NodeError("磁盘坏了", "the disk broke")
        finish(store)

    monkeypatch.setattr(LedgerStore, "finish", failing)
    parts = days(node, 5)
    told: list[Any] = []
    with pytest.raises(NodeStoppedError, match="the disk broke"):
        told.extend(node.submit_all(parts))
    assert len(told) == 2
    node.close()
    again = EmbeddedNode.open(tmp_path, key_of("node"))
    assert again.height == 2
    assert [again.submit(part) for part in parts][:2] == told
    assert again.height == 5
    again.close()


def test_what_was_durable_is_answered_before_the_node_says_that_it_stopped(
    node: EmbeddedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied = node._apply

    def failing(*args: Any) -> Applied:
        if node.height == 2:
            raise CheckFailed("planted")
        return applied(*args)

    monkeypatch.setattr(node, "_apply", failing)
    parts = days(node, 4)
    told: list[Any] = []
    with pytest.raises((CheckFailed, NodeStoppedError)):
        told.extend(node.submit_all(parts))
    assert len(told) == 2


def test_a_block_is_not_shown_before_it_is_durable(node: EmbeddedNode) -> None:
    answers = node.submit_all(days(node, 3))
    next(answers)
    assert node.block(node.height).header.height == 2
    with closing(LedgerStore(node.folder, read_only=True)) as beside:
        assert beside.height() == 2
    assert len(list(answers)) == 2
