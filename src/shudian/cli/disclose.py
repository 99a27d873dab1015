"""``shudian disclose`` and ``shudian open``: one message or one statement, opened to one person outside, and read there with no node at hand."""

from pathlib import Path
from typing import Annotated, Any

import typer

from shudian.cli.common import (
    JsonOption,
    UserError,
    fail,
    language,
    named,
    open_node,
    out,
    print_json,
    refuse_existing,
    say,
    write_recorded,
)
from shudian.cli.ledger import Ledger, client_on, need_keys
from shudian.cli.passphrase import read_key
from shudian.cli.values import from_hex
from shudian.client.handing import hand_over, take_over
from shudian.contracts.identity.messages_disclosures import RecordDisclosure
from shudian.faults import system_words
from shudian.kernel.crypto import is_sound_public_key, sha256
from shudian.proofs.check import NotProvenError
from shudian.proofs.words import facts, sentence
from shudian.tools.disclosure import PURPOSE, Disclosed, disclose_message, disclose_statement, open_content

NOT_PROVEN = 1
OPENED_MAX_BYTES = 80 << 20


def disclose(
    ledger: Ledger,
    to: Annotated[
        str, typer.Option("--to", metavar="KEY", help="接收方公钥（shudian epoch my-key） key of the recipient")
    ],
    out_file: Annotated[Path, typer.Option("--out", help="披露文件 the file to hand over")],
    message_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="本方消息编号，32 位十六进制 id of a message of one's own")
    ] = None,
    statement: Annotated[int | None, typer.Option(min=1, help="或本方结算单编号 or a statement of one's own")] = None,
) -> None:
    """向一人披露本方一条消息或一张结算单（管理员签名，先登记后交付）。 Open one message or statement of one's own to one person; an admin signs.

    文件自带证明，只有接收方能打开。 The file carries its proof; only the recipient can open it. The disclosure is put on record before the file is written.
    """
    if (message_id is None) == (statement is None):
        raise UserError("请给出消息编号或 --statement，二者取一", "name a message id or --statement, one of the two")
    refuse_existing(out_file)
    recipient_key, wanted = from_hex("--to", to), from_hex("ID", message_id or "")
    paths = need_keys(ledger.key)
    signing = [read_key(path) for path in paths]
    with open_node(ledger.data) as node:
        client = client_on(node, signing, paths[0])
        content = (
            disclose_message(node, client.member_id, wanted)
            if statement is None
            else disclose_statement(node, client.member_id, statement)
        )
        open_content(content, [node.public_key])
        file = hand_over(content, recipient_key, PURPOSE)
        reply = client.submit(RecordDisclosure(wanted, statement or 0, recipient_key, sha256(file)))
        trust = node.public_key.hex()
    recorded = (f"已登记披露 {reply.disclosure_no}", f"disclosure {reply.disclosure_no} is on record")
    write_recorded(out_file, file, *recorded)
    if ledger.as_json:
        print_json(
            {
                "file": str(out_file),
                "bytes": len(file),
                "file_digest": sha256(file),
                "disclosure_no": reply.disclosure_no,
                "trust": trust,
            }
        )
        return
    out.print(
        say(
            f"披露 {reply.disclosure_no} 已登记，文件在 {out_file}（{len(file)} 字节）。对方打开：\n",
            f"disclosure {reply.disclosure_no} is on record, the file is in {out_file} ({len(file)} bytes). To open it:\n",
        )
        + f"shudian open {out_file} --key KEYFILE --trust {trust}",
        soft_wrap=True,
        markup=False,
    )


def open_disclosure(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="披露文件 the file that was handed over")],
    key: Annotated[Path, typer.Option("--key", envvar="SHUDIAN_KEY", help="接收方密钥文件 key file of the recipient")],
    trust: Annotated[
        list[str],
        typer.Option(metavar="KEY", help="该链全部签块公钥 public keys (hex) of all that sign the chain's blocks"),
    ],
    as_json: JsonOption = False,
) -> None:
    """打开、核对并显示一份披露，无需账本。 Open, check and show a disclosure; no ledger is needed. Exit code 1: what is in it is not proved."""
    trusted = [from_hex("--trust", text) for text in trust]
    for text, public_key in zip(trust, trusted, strict=True):
        if not is_sound_public_key(public_key):
            raise UserError(f"--trust {text[:80]!r} 不是公钥", f"--trust {text[:80]!r} is not a public key")
    try:
        with file.open("rb") as handed:
            data = handed.read(OPENED_MAX_BYTES)
    except OSError as error:
        raise UserError(
            f"无法读取 {file}：{system_words(error)[0]}", f"{file} cannot be read: {system_words(error)[1]}"
        ) from None
    content = take_over(data, read_key(key), PURPOSE)
    try:
        found = open_content(content, trusted)
    except NotProvenError as error:
        fail(f"否：{error.zh}", f"no: {error.en}", NOT_PROVEN)
    if as_json:
        shown = facts(found.proven, lambda one: named(found.row(one)), lambda text: _named(found, text))
        print_json({"file_digest": sha256(data), "statement_id": found.statement_id, **shown})
        return
    text = sentence(found.proven, language(), lambda one: named(found.row(one)), lambda text: _named(found, text))
    out.print(text, soft_wrap=True, markup=False)


def _named(found: Disclosed, text: bytes | None) -> list[Any]:
    """The messages or events of which these are the bytes, each under the name of its type."""
    message = found.proven.message
    records = found.said if message is not None and text == message.body else found.events
    return [{type(record).__name__: named(record)} for record in records]
