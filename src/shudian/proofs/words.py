"""What was proved, in a sentence for a person and as plain data for a program."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from shudian.kernel.clock import STEPPED
from shudian.kernel.codec import Malformed, decode
from shudian.kernel.outcomes import Language
from shudian.proofs.check import Proven, ProvenRow

Columns = Callable[[ProvenRow], Any]
Values = Callable[[bytes | None], Any]

_TOLD = ("number", "field", "value", "allowed")
_EPOCH = dt.datetime(1970, 1, 1, 8, tzinfo=dt.timezone(dt.timedelta(hours=8)))


def sentence(
    proven: Proven, language: Language, columns: Columns = lambda one: plain(one.row), values: Values | None = None
) -> str:
    """Yes, and what: the chain, its clock, the block, then each row or the message. ``columns``, ``values``: how a row, a body or events are shown."""

    def say(zh: str, en: str) -> str:
        return zh if language == "zh" else en

    def row(one: ProvenRow) -> str:
        place = f"{one.table} {to_json(_plain(one.key))}"
        if one.row is None:
            return say(f"{place} 没有这一行", f"{place} is not there")
        written = say(f"区块 {one.version} 写入", f"written in block {one.version}")
        return f"{place} = {to_json(columns(one))} ({written})"

    header, clock = proven.carrier, proven.clock
    chain, height, time = to_json(header.chain_id)[1:-1], proven.height, _time(clock.market_ms)
    sandbox = say("步进时钟：沙盒链，不是真实市场", "stepped clock: a sandbox, not a real market")
    pace = sandbox if clock.mode == STEPPED else say("实时时钟", "wall clock")
    stand = say(
        f"是：链 {chain}（{pace}）区块 {height} 之后，市场时间 {time}，",
        f"yes: on chain {chain} ({pace}), after block {height}, market time {time}, ",
    )
    if proven.message is None:
        rows = [row(one) for one in proven.rows]
        return stand + (rows[0] if len(rows) == 1 else "\n".join([say("以下各行成立：", "these hold:"), *rows]))
    message, envelope = proven.message, proven.message.envelope
    outcomes = [
        say("已完成", "done")
        if one.done
        else say("被拒", "refused") + f" {one.number} {to_json([one.field, one.value, one.allowed])}"
        for one in message.outcomes
    ]
    lines = [
        stand
        + say(
            f"成员 {envelope.sender_id} 的消息 {envelope.id.hex()} 在该区块中",
            f"message {envelope.id.hex()} of member {envelope.sender_id} stands in that block",
        ),
        say("签名 ", "signed by ") + ", ".join(one.public_key.hex() for one in envelope.signatures),
        say("内容 ", "said ") + to_json((values or plain)(message.body)),
        say("结果 ", "outcome ") + ", ".join(outcomes),
        say("事件 ", "events ") + to_json((values or plain)(message.events)),
    ]
    return "\n".join(lines)


def facts(
    proven: Proven, columns: Columns = lambda one: plain(one.row), values: Values | None = None
) -> dict[str, Any]:
    """What was proved, as data that JSON can carry; bytes as hex. ``columns``, ``values``: how a row, a body or events are shown."""
    found: dict[str, Any] = {"chain_id": proven.carrier.chain_id, "stepped_clock": proven.clock.mode == STEPPED}
    found |= {"height": proven.height, "market_ms": proven.clock.market_ms}
    if proven.message is None:
        shown = [(one.table, _plain(one.key), columns(one), one.version) for one in proven.rows]
        return {**found, "rows": [dict(zip(("table", "key", "row", "version"), row, strict=True)) for row in shown]}
    envelope = proven.message.envelope
    message = {
        "sender_id": envelope.sender_id,
        "id": envelope.id.hex(),
        "expires_ms": envelope.expires_ms,
        "signers": [one.public_key.hex() for one in envelope.signatures],
        "said": (values or plain)(proven.message.body),
        "outcomes": [{name: getattr(one, name) for name in _TOLD} for one in proven.message.outcomes],
        "events": (values or plain)(proven.message.events),
    }
    return {**found, "message": message}


def plain(data: bytes | None) -> Any:
    """The values of canonical bytes, columns in order, bytes as hex; the hex of bytes that are not canonical; None for none."""
    if data is None:
        return None
    kind: Any = Any
    try:
        return _plain(decode(data, kind))
    except Malformed:
        return data.hex()


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, bytes):
        return value.hex()
    return value if value is None or isinstance(value, int | str) else str(value)


def to_json(value: Any, indent: int | None = None) -> str:
    """JSON in which whatever could play tricks with a terminal (control and direction characters) is escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)


def _time(market_ms: int) -> str:
    """An instant as Beijing time; in milliseconds where the calendar ends."""
    try:
        return str((_EPOCH + dt.timedelta(milliseconds=market_ms)).replace(tzinfo=None))
    except OverflowError:
        return f"{market_ms} ms"
