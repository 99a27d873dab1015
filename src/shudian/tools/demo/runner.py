"""Plays the story on a ledger: each step is one block, marked by the message that moves the clock.

A step whose marker stands on the ledger has happened and is passed over, so a run that was killed goes on where it stopped and ends with
the same state.
"""

from collections.abc import Callable

from shudian.client.client import Client, Transport, describe
from shudian.contracts.governance.messages import AdvanceClock
from shudian.contracts.roles import Role
from shudian.kernel import clock
from shudian.kernel.outcomes import Outcome
from shudian.sandbox.world import World
from shudian.tools.demo.stage import ANY_OUTCOME, EXCHANGE, Act, Stage, step_message_id
from shudian.tools.demo.steps import Step
from shudian.tools.demo.story import story

CLOCK_LABEL = "clock"
Told = Callable[[Step, Stage, int, int], None]


class StoryError(Exception):
    """An act did not end as it had to: the sandbox and the rules do not fit together."""


def play(world: World, transport: Transport, told: Told = lambda *_: None) -> Stage:
    """Play all steps that have not happened yet; ``told(step, stage, place, total)`` is called after each.

    Raises:
        StoryError: naming the step, the speaker and the refusal.
    """
    stage = Stage(world, transport)
    steps = story(world)
    for place, step in enumerate(steps, 1):
        if not _has_happened(stage, step):
            next_ms = steps[place].at_ms if place < len(steps) else step.at_ms + clock.HOUR_MS
            _play_step(stage, step, next_ms)
        told(step, stage, place, len(steps))
    return stage


def _marker(stage: Stage, step: Step) -> bytes:
    return step_message_id(stage, step.key, CLOCK_LABEL)


def _has_happened(stage: Stage, step: Step) -> bool:
    exchange = stage.client(EXCHANGE, Role.OPERATOR)
    return bool(exchange.outcomes(_marker(stage, step)))


def _play_step(stage: Stage, step: Step, next_ms: int) -> None:
    acts = step.build(stage)
    clock_client = stage.client(EXCHANGE, Role.OPERATOR)
    envelopes = [clock_client.seal([AdvanceClock(next_ms)], message_id=_marker(stage, step))]
    for act in acts:
        message_id = step_message_id(stage, step.key, act.label)
        envelopes.append(_client(stage, act).seal(act.messages, message_id=message_id))
    outcomes = stage.transport.submit(envelopes)
    _check(step, "clock", outcomes[0], 0)
    for act, answers in zip(acts, outcomes[1:], strict=True):
        if act.expected != ANY_OUTCOME:
            _check(step, act.company, answers, act.expected)


def _client(stage: Stage, act: Act) -> Client:
    if act.as_applicant:
        return Client.applicant(stage.transport, stage.key(act.company, act.role))
    return stage.client(act.company, act.role, four_eyes=act.four_eyes)


def _check(step: Step, company: str, answers: tuple[Outcome, ...], expected: int) -> None:
    for answer in answers:
        if answer.number != expected:
            words = "done" if answer.done else describe(answer, "en")
            message = f"step {step.key}, {company}: expected outcome {expected}, got {words}"
            raise StoryError(message)
