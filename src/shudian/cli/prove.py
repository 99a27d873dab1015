"""``shudian prove``: make proof files that a stranger checks with ``shudian-verify``, without a ledger."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from shudian.cli.commands import Commands
from shudian.cli.common import UserError, language, named, open_node, out, print_json, say
from shudian.cli.ledger import PublicLedger
from shudian.cli.values import from_hex
from shudian.faults import system_words
from shudian.kernel.codec import Record, decode
from shudian.kernel.machine import Machine
from shudian.kernel.tables import Key, Table
from shudian.market import OVERSIGHT
from shudian.node.embedded import EmbeddedNode
from shudian.node.prove import prove_message, prove_rows
from shudian.proofs.check import ProvenRow, check
from shudian.proofs.files import Proof, to_bytes
from shudian.proofs.words import facts, sentence
from shudian.reading.reader import Viewer
from shudian.tools.line_rows import places_of_line

app = Commands(
    no_args_is_help=True,
    help="证明：生成可离线核对的证明文件。 Make proof files that anybody checks offline with shudian-verify.",
)

OutOption = Annotated[
    Path | None, typer.Option("--out", help="证明文件 proof file; by default named after what it proves")
]


@app.command("row")
def row(
    ledger: PublicLedger,
    table: Annotated[str, typer.Argument(metavar="TABLE", help="表 table, e.g. settlement.lines")],
    key: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY...",
            help="键的各列，字节以 hex: 开头 columns of the key; bytes as hex:..., texts of digits as text:...",
        ),
    ] = None,
    out_file: OutOption = None,
) -> None:
    """证明某表某键的一行存在（及其内容）或不存在。 Prove a row of the present state, or that there is none of that key."""
    words = key or []
    with open_node(ledger.data) as node:
        columns = _key(node.machine, table, words)
        proof = prove_rows(node, lambda _machine: [(table, columns)])
        name = "-".join([table, *(word.replace("/", "_").replace(":", "_") for word in words)])
        _deliver(node, proof, out_file or Path(f"{name}.proof"), as_json=ledger.as_json)


@app.command("message")
def message(
    ledger: PublicLedger,
    message_id: Annotated[str, typer.Argument(metavar="ID", help="消息编号，32 位十六进制 id of the message, in hex")],
    sender: Annotated[int, typer.Option(help="发送成员 number of the member that sent it")],
    out_file: OutOption = None,
) -> None:
    """证明一条消息（含签名）在其区块中，及其结果与事件。 Prove that a message stands in its block, with outcomes and events."""
    wanted = from_hex("ID", message_id)
    with open_node(ledger.data) as node:
        proof = prove_message(node, sender, wanted)
        _deliver(node, proof, out_file or Path(f"message-{wanted.hex()}.proof"), as_json=ledger.as_json)


@app.command("messages")
def messages(
    ledger: PublicLedger,
    sender: Annotated[int, typer.Option(help="发送成员 number of the member that sent them")],
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="最近多少条 how many of the latest")] = 20,
) -> None:
    """列出一个成员最近的消息及编号。 List the latest messages of a member with their ids."""
    with open_node(ledger.data) as node:
        told = node.projector.messages
        viewer = Viewer(0, OVERSIGHT[0])
        order = "height DESC, id, item_no"
        rows = node.projector.reader.select(viewer, told, {"sender_id": sender}, order_by=order, limit=limit)
    listed = [
        {"id": one["id"].hex(), "kind": one["kind"], "number": one["number"], "height": one["height"]} for one in rows
    ]
    columns = (
        ("id", "消息编号", "message id"),
        ("kind", "消息", "message"),
        ("number", "结果", "outcome"),
        ("height", "区块", "block"),
    )
    ledger.print_rows(listed, columns)


@app.command("statement-line")
def statement_line(
    ledger: PublicLedger,
    line_id: Annotated[int, typer.Argument(metavar="LINE", help="结算行编号 number of the line")],
    out_file: OutOption = None,
) -> None:
    """证明一行结算及其全部依据。 Prove a statement line with its statements and all that it was computed from."""
    with open_node(ledger.data) as node:
        if (line_id,) not in node.machine.store.rows["settlement.lines"].data:
            raise UserError(f"没有结算行 {line_id}", f"there is no statement line {line_id}")
        proof = prove_rows(node, lambda machine: places_of_line(machine, line_id))
        _deliver(node, proof, out_file or Path(f"statement-line-{line_id}.proof"), as_json=ledger.as_json)


def _table(machine: Machine, name: str) -> Table[Any]:
    rows = machine.store.rows.get(name)
    if rows is None:
        contract = name.partition(".")[0]
        near = [known for known in machine.store.rows if known.startswith(f"{contract}.")] or list(machine.store.rows)
        raise UserError(
            f"没有表 {name}；有：{'、'.join(near)}", f"there is no table {name}; there are: {', '.join(near)}"
        )
    return rows.table


def _key(machine: Machine, table: str, words: Sequence[str]) -> Key:
    """The key of its words. A column is of the kind that the table's rows have; where there are none, of the kind it looks like."""
    columns = _table(machine, table).key
    if len(words) != len(columns):
        named = " ".join(columns) or say("（无）", "(none)")
        raise UserError(f"表 {table} 的键为：{named}", f"the key of table {table} is: {named}")
    key = tuple(_column(word) for word in words)
    for some_key in machine.store.rows[table].data:
        for name, given, held in zip(columns, key, some_key, strict=True):
            if type(given) is not type(held):
                kinds = {int: ("整数", "an integer"), str: ("文本", "a text"), bytes: ("字节", "bytes (hex:...)")}
                zh, en = kinds[type(held)]
                raise UserError(f"键 {name} 应为{zh}", f"key column {name} should be {en}")
        break
    return key


def _column(word: str) -> int | str | bytes:
    kind, colon, rest = word.partition(":")
    if colon and kind == "text":
        return rest
    try:
        return bytes.fromhex(rest) if colon and kind == "hex" else int(word)
    except ValueError:
        return word


def _deliver(node: EmbeddedNode, proof: Proof, path: Path, *, as_json: bool) -> None:
    """Write the file, then say what a stranger will find in it."""
    data = to_bytes(proof)
    proven = check(data, [node.public_key])
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UserError(
            f"无法写入 {path}：{system_words(error)[0]}", f"{path} cannot be written: {system_words(error)[1]}"
        ) from None

    def columns(row: ProvenRow) -> Any:
        kind: type[Record] = _table(node.machine, row.table).record
        return None if row.row is None else named(decode(row.row, kind))

    if as_json:
        found = {"file": str(path), "bytes": len(data), "trust": node.public_key, **facts(proven, columns)}
        print_json({**found, "proof": named(proof)})
        return
    out.print(sentence(proven, language(), columns), soft_wrap=True, markup=False)
    check_it = f"shudian-verify {path} --trust {node.public_key.hex()}"
    out.print(
        say(
            f"证明在 {path}（{len(data)} 字节）。核对：{check_it}\n公钥须由核对者从别处确认。",
            f"the proof is in {path} ({len(data)} bytes). To check it: {check_it}\nwhoever checks must learn the key from elsewhere.",
        ),
        soft_wrap=True,
        markup=False,
    )
