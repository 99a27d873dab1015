"""``shudian message``: any message of any contract, by its name and fields."""

from enum import Enum
from typing import Annotated, Any, get_type_hints

import msgspec
import typer

from shudian.cli.commands import Commands
from shudian.cli.common import JsonOption, UserError, language, named, out, print_json, print_rows, say
from shudian.cli.ledger import Ledger, client_of
from shudian.cli.values import from_hex
from shudian.client.client import describe, next_step
from shudian.kernel.messages import Message
from shudian.kernel.outcomes import Outcome
from shudian.market import MARKET
from shudian.proofs.words import to_json

app = Commands(no_args_is_help=True, help="消息：任何合约的任何消息。 Any message of any contract.")


def message_kinds() -> dict[str, type[Message]]:
    """All messages by name, in contract order."""
    return {kind.__name__: kind for kind in MARKET.handlers}


@app.command("list")
def list_messages(as_json: JsonOption = False) -> None:
    """列出全部消息及签署人。 All messages and who signs them."""
    rows = [
        {
            "contract": contract.name,
            "message": kind.__name__,
            "kinds": " ".join(kind.authority.kinds) or say("申请人", "applicant"),
            "role": str(kind.authority.role),
            "when": say(kind.authority.when_zh, kind.authority.when_en),
            "fields": " ".join(kind.__struct_fields__),
        }
        for contract in MARKET.contracts
        for kind in contract.handlers
    ]
    columns = [
        ("contract", "合约", "contract"),
        ("message", "消息", "message"),
        ("kinds", "成员类别", "kinds of member"),
        ("role", "角色", "role"),
        ("when", "前提", "precondition"),
        ("fields", "字段", "fields"),
    ]
    print_rows(rows, columns, as_json=as_json)


def make_message(name: str, fields: str) -> Message:
    """A message from its name and its fields as a JSON object; bytes are given as hex.

    Raises:
        UserError: naming the field that does not fit.
    """
    kind = message_kinds().get(name)
    if kind is None:
        raise UserError(
            f"没有消息 {name}，见 shudian message list", f"there is no message {name}; see shudian message list"
        )
    try:
        given = msgspec.json.decode(fields, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeEncodeError):
        raise UserError(f"{name} 的字段应为一个 JSON 对象", f"the fields of {name} must be one JSON object") from None
    for field in given:
        if field not in kind.__struct_fields__:
            raise UserError(f"{name} 没有字段 {field}", f"{name} has no field {field}")
    required_count = len(kind.__struct_fields__) - len(kind.__struct_defaults__)
    for field in kind.__struct_fields__[:required_count]:
        if field not in given:
            raise UserError(f"{name} 缺少字段 {field}", f"{name} lacks the field {field}")
    hints = get_type_hints(kind)
    message = kind(**{field: _converted(field, value, hints[field]) for field, value in given.items()})
    message.check()
    return message


def _converted(field: str, value: Any, kind: Any) -> Any:
    try:
        return bytes.fromhex(value) if kind is bytes else msgspec.convert(value, kind, strict=False)
    except (msgspec.ValidationError, TypeError, ValueError):
        zh, en = _kind_words(kind)
        raise UserError(f"字段 {field} 不可用，应为{zh}", f"field {field} cannot be used; it must be {en}") from None


def _kind_words(kind: Any) -> tuple[str, str]:
    if isinstance(kind, type) and issubclass(kind, Enum):
        codes = " | ".join(str(choice.value) for choice in kind)
        return f" {codes} 之一", f"one of {codes}"
    simple = {
        int: ("整数", "a whole number"),
        str: ("文本", "text"),
        bool: (" true 或 false", "true or false"),
        bytes: ("十六进制文本", "text in hex"),
        tuple[int, ...]: ("整数的列表", "a list of whole numbers"),
    }
    return simple.get(kind, ("该消息所述的结构", "as the message describes it"))


@app.command("say")
def say_message(
    ledger: Ledger,
    name: Annotated[str, typer.Argument(metavar="MESSAGE", help="消息名 name, e.g. PlaceOrder")],
    fields: Annotated[str, typer.Argument(metavar="JSON", help="字段 fields as a JSON object")] = "{}",
    applicant: Annotated[
        bool, typer.Option("--applicant", help="以申请人身份 as an applicant, not yet a member")
    ] = False,
) -> None:
    """发送一条消息并等待结果。 Say one message and wait for its outcome."""
    message = make_message(name, fields)
    if applicant:
        with client_of(ledger.data, ledger.key, applicant=True) as client:
            reply = client.submit(message)
    else:
        with ledger.signer() as client:
            reply = client.submit(message)
    ledger.print_reply(reply)


@app.command("timeline")
def timeline(
    ledger: Ledger,
    deed: Annotated[
        str, typer.Argument(metavar="DEED", help="业务编号 e.g. member:7 order:12 agreement:3 statement:5")
    ],
) -> None:
    """一笔业务的全部经过。 All that happened to one deed, as far as you may see it."""
    with ledger.client() as client:
        rows = client.timeline(deed)
    columns = [
        ("market_ms", "时间", "time"),
        ("height", "区块", "block"),
        (language(), "事件", "event"),
        ("step", "环节", "step"),
        ("facts", "内容", "facts"),
    ]
    ledger.print_rows(rows, columns)


@app.command("open")
def open_own(
    ledger: Ledger,
    message_id: Annotated[str, typer.Argument(metavar="ID", help="消息编号（shudian message mine） id of the message")],
) -> None:
    """打开本方一条已上链的消息：只用封存它的那把密钥。 Open a message of your own as it stands in its block, with nothing but the key that sealed it."""
    wanted = from_hex("ID", message_id)
    with ledger.signer() as client:
        said = client.reopen(client.transport.envelope(client.member_id, wanted))
    shown = [{"message": type(message).__name__, "fields": named(message)} for message in said]
    if ledger.as_json:
        print_json(shown)
        return
    for one in shown:
        out.print(f"{one['message']} {to_json(one['fields'])}", soft_wrap=True, markup=False)


@app.command("mine")
def mine(
    ledger: Ledger,
    refused_only: Annotated[bool, typer.Option("--refused", help="仅被拒的 refused ones only")] = False,
) -> None:
    """本方消息的结果：区块、时间；被拒的附原因与下一步。 What became of your messages; if refused, why and what next."""
    with ledger.signer() as client:
        rows = [_told(row) for row in client.outcomes() if row["number"] or not refused_only]
    columns = [
        ("market_ms", "时间", "time"),
        ("height", "区块", "block"),
        ("id", "消息编号", "message id"),
        ("kind", "消息", "message"),
        ("outcome", "结果", "outcome"),
        ("next_step", "下一步", "next step"),
    ]
    ledger.print_rows(rows, columns)


def _told(row: dict[str, Any]) -> dict[str, Any]:
    outcome = Outcome(row["number"], row["field"], row["value"], row["allowed"])
    words = say("已完成", "done") if outcome.done else describe(outcome, language())
    return {**row, "outcome": words, "next_step": next_step(outcome, language())}
