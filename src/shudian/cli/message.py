"""``shudian message``: any message of any contract, by its name and fields."""

import inspect
from typing import Annotated, Any

import msgspec
import typer

from shudian.cli.common import (
    DEFAULT_DATA,
    DataOption,
    JsonOption,
    KeyOption,
    Lang,
    LangOption,
    UserError,
    language,
    open_client,
    out,
    print_json,
    print_rows,
    say,
    show,
    signing_client,
)
from shudian.kernel.messages import Message
from shudian.market import MARKET

app = typer.Typer(no_args_is_help=True, help="消息：任何合约的任何消息。 Any message of any contract.")


def message_kinds() -> dict[str, type[Message]]:
    """All messages by name, in contract order."""
    return {kind.__name__: kind for kind in MARKET.handlers}


@app.command("list")
def list_messages(lang: LangOption = Lang.ZH, as_json: JsonOption = False) -> None:
    """列出全部消息及签署人。 All messages and who signs them."""
    del lang
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
        unknown = [field for field in given if field not in kind.__struct_fields__]
        if unknown:
            raise UserError(f"{name} 没有字段 {unknown[0]}", f"{name} has no field {unknown[0]}")
        hints = inspect.get_annotations(kind)
        values = {field: _converted(value, hints.get(field)) for field, value in given.items()}
        message = kind(**values)
    except (msgspec.MsgspecError, TypeError, ValueError) as error:
        raise UserError(f"{name} 的字段不合规：{error}", f"the fields of {name} do not fit: {error}") from None
    message.check()
    return message


def _converted(value: Any, kind: Any) -> Any:
    if kind is bytes:
        return bytes.fromhex(value)
    return msgspec.convert(value, kind, strict=False)


@app.command("say")
def say_message(
    name: Annotated[str, typer.Argument(metavar="MESSAGE", help="消息名 name, e.g. PlaceOrder")],
    fields: Annotated[str, typer.Argument(metavar="JSON", help="字段 fields as a JSON object")] = "{}",
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    applicant: Annotated[
        bool, typer.Option("--applicant", help="以申请人身份 as an applicant, not yet a member")
    ] = False,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """发送一条消息并等待结果。 Say one message and wait for its outcome."""
    del lang
    message = make_message(name, fields)
    if applicant:
        with open_client(data, key, applicant=True) as client:
            reply = client.submit(message)
    else:
        with signing_client(data, key) as client:
            reply = client.submit(message)
    print_reply(reply, as_json=as_json)


def print_reply(reply: Any, *, as_json: bool) -> None:
    """The reply of a message that was carried out."""
    facts = {} if reply is None else {name: getattr(reply, name) for name in reply.__struct_fields__}
    if as_json:
        print_json({"done": True, **facts})
        return
    out.print(
        say("已完成", "done") + "".join(f"  {name} = {show(name, value)}" for name, value in facts.items()),
        soft_wrap=True,
    )


@app.command("timeline")
def timeline(
    deed: Annotated[
        str, typer.Argument(metavar="DEED", help="业务编号 e.g. member:7 order:12 agreement:3 statement:5")
    ],
    data: DataOption = DEFAULT_DATA,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """一笔业务的全部经过。 All that happened to one deed, as far as you may see it."""
    del lang
    with open_client(data, key) as client:
        rows = client.timeline(deed)
    columns = [
        ("market_ms", "时间", "time"),
        ("height", "区块", "block"),
        (language(), "事件", "event"),
        ("step", "环节", "step"),
        ("facts", "内容", "facts"),
    ]
    print_rows(rows, columns, as_json=as_json)
