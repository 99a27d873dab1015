"""The front: the same arrivals as the engine's own door, the work shared, and nothing lost when it is killed."""

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from shudian.contracts.governance.messages import SetSetting
from shudian.contracts.governance.messages_epochs import RotateEpoch
from shudian.kernel.door import Arrival, Opened
from shudian.kernel.outcomes import refused
from shudian.node import verify
from shudian.node.embedded import EmbeddedNode
from shudian.node.front import PART_COUNT, Front, Opening
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


def only_the_front(opening: Opening, front: Front) -> list[Arrival]:
    """Wait until it answered every part, then take the result: nothing is left to the engine."""
    assert all(part.done.wait(UP_SECONDS) for part in opening.parts)
    assert all(part.answers is not None for part in opening.parts)
    assert not any(front.take_back(part) for part in opening.parts)
    return opening.result()


def facts(arrival: Arrival) -> object:
    if isinstance(arrival, Opened):
        return arrival.data, arrival.envelope, arrival.messages, arrival.digest, arrival.body, arrival.message_key
    return refused(arrival)


def test_the_front_says_what_the_door_says(node: EmbeddedNode) -> None:
    envelopes = mixed(node, 3 * PART_COUNT + 7)
    found = only_the_front(front_of(node).begin(envelopes), front_of(node))
    expected = node.machine.door.open_all(envelopes)
    assert list(map(facts, found)) == list(map(facts, expected))
    assert {isinstance(arrival, Opened) for arrival in found} == {True, False}


def test_the_engine_opens_what_the_front_has_not_begun(node: EmbeddedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shudian.node.front._SENT_MAX_COUNT", 0)
    envelopes = sealed(node, PART_COUNT + 1)
    opening = front_of(node).begin(envelopes)
    assert all(isinstance(arrival, Opened) for arrival in opening.result())
    assert not any(part.done.is_set() for part in opening.parts)


def test_blocks_follow_one_another_as_without_a_front(node: EmbeddedNode) -> None:
    parts = [sealed(node, 60) for _ in range(5)]
    answers = list(node.submit_all(parts))
    assert [len(part) for part in answers] == [60] * 5
    assert all(outcome.done for part in answers for (outcome,) in part)
    assert node.height == 5


def test_a_killed_front_loses_nothing(node: EmbeddedNode, caplog: pytest.LogCaptureFixture) -> None:
    front = front_of(node)
    envelopes = sealed(node, 6 * PART_COUNT)
    os.kill(front.pid, signal.SIGSTOP)  # what it was sent stays unanswered
    opening = front.begin(envelopes)
    with caplog.at_level(logging.WARNING, "shudian.node"):
        os.kill(front.pid, signal.SIGKILL)
        arrivals = opening.result()
        answers = node.submit(envelopes[:10])
    assert list(map(facts, arrivals)) == list(map(facts, node.machine.door.open_all(envelopes)))
    assert all(outcome.done for (outcome,) in answers)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_the_front_gets_the_roots_of_later_epochs(node: EmbeddedNode) -> None:
    only_the_front(front_of(node).begin(sealed(node, 1)), front_of(node))
    founder(node, "exchange-operator").submit(RotateEpoch(node.next_epoch.public_key))
    node.block_after(node.height)
    envelopes = sealed(node, 2)
    assert node.epoch.epoch_no == 2
    opening = front_of(node).begin(envelopes)
    only_the_front(opening, front_of(node))
    assert all(answer is not None for part in opening.parts for answer in part.answers or [])


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
    monkeypatch.setattr(verify, "FRONT_MIN_HEIGHT", 0)
    monkeypatch.setattr(verify, "pays", lambda: True)
    assert verify_folder(tmp_path, SECRETS) == alone
