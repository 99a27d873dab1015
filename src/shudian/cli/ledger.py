"""The ledger that a command works on: its folder, the keys that sign, how to answer, and what commands do with it."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from shudian.cli.common import (
    DEFAULT_DATA,
    DataOption,
    JsonOption,
    UserError,
    open_node,
    out,
    print_facts,
    print_json,
    print_rows,
    say,
    show,
)
from shudian.cli.passphrase import read_key
from shudian.client.client import Client
from shudian.kernel.crypto import SigningKey
from shudian.kernel.messages import Message
from shudian.node.embedded import EmbeddedNode
from shudian.node.local import LocalTransport

KeyOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--key", envvar="SHUDIAN_KEY", help="签名密钥文件，可多次给出 key file; repeat it for several signatures"
    ),
]

Columns = Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class PublicLedger:
    """The ledger of a command that shows what anybody may see, with the options ``--data`` and ``--json``."""

    data: DataOption = DEFAULT_DATA
    as_json: JsonOption = False

    def client(self) -> AbstractContextManager[Client]:
        """A client that is nobody."""
        return client_of(self.data, None)

    def print_rows(self, rows: list[dict[str, Any]], columns: Columns) -> None:
        """Rows as a table with (key, zh, en) columns, or as JSON."""
        print_rows(rows, columns, as_json=self.as_json)

    def print_query(self, name: str, columns: Columns, /, **filters: Any) -> None:
        """The rows of a query."""
        with self.client() as client:
            rows = client.query(name, **filters)
        self.print_rows(rows, columns)

    def print_facts(self, facts: dict[str, Any]) -> None:
        """The facts of one thing, a line each, or as JSON."""
        print_facts(facts, as_json=self.as_json)

    def print_reply(self, reply: Any) -> None:
        """The reply of a message that was carried out."""
        facts = {} if reply is None else {name: getattr(reply, name) for name in reply.__struct_fields__}
        if self.as_json:
            print_json({"done": True, **facts})
            return
        told = "".join(f"  {name} = {show(name, value)}" for name, value in facts.items())
        out.print(say("已完成", "done") + told, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Ledger(PublicLedger):
    """The ledger of a command for members, with the option ``--key`` too."""

    key: KeyOption = None

    def client(self) -> AbstractContextManager[Client]:
        """A client that sees what the member of the first key may see, or anybody without a key."""
        return client_of(self.data, self.key)

    def signer(self) -> AbstractContextManager[Client]:
        """A client that can say messages; a key must be given."""
        return client_of(self.data, need_keys(self.key))

    def submit(self, message: Message) -> None:
        """Say one message that is well formed, and print what it gave."""
        message.check()
        with self.signer() as client:
            self.print_reply(client.submit(message))


@contextmanager
def client_of(data: Path, keys: Sequence[Path] | None, *, applicant: bool = False) -> Iterator[Client]:
    """A client on the ledger of a folder: the public without a key, otherwise the member that the first key belongs to."""
    signing = [read_key(path) for path in keys or ()]
    with open_node(data) as node:
        first = None if applicant or not keys else keys[0]
        yield client_on(node, signing, first)


def client_on(node: EmbeddedNode, signing: Sequence[SigningKey], first: Path | None) -> Client:
    """A client on an open node: the member that the first key belongs to, of the file ``first``; nobody without."""
    member_id = 0 if first is None else node.member_of_key(signing[0].public_key)
    if member_id is None:
        raise UserError(f"密钥 {first} 不属于任何成员", f"key {first} belongs to no member of this ledger")
    return Client(LocalTransport(node), member_id, signing)


def need_keys(keys: Sequence[Path] | None) -> Sequence[Path]:
    """The key files given, one at least."""
    if not keys:
        raise UserError("请用 --key 给出签名密钥文件", "name the key file that signs with --key")
    return keys
