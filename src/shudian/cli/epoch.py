"""``shudian epoch``: the keys that seal messages: see them, begin new ones, hand the secret of one to an auditor."""

from pathlib import Path
from typing import Annotated

import typer

from shudian.cli.commands import Commands
from shudian.cli.common import (
    DEFAULT_DATA,
    DataOption,
    JsonOption,
    open_node,
    out,
    print_json,
    refuse_existing,
    say,
    write_recorded,
)
from shudian.cli.ledger import Ledger, PublicLedger, client_on, need_keys
from shudian.cli.passphrase import NoPassphraseOption, new_passphrase, read_key
from shudian.cli.values import from_hex
from shudian.client.keys import write_key_file
from shudian.contracts.governance.messages_epochs import HandOutEpoch, RotateEpoch
from shudian.kernel.crypto import sha256
from shudian.node.loading import chain_id_of, epochs_of
from shudian.tools.epoch_files import hand_epoch, take_epoch

HANDED_MAX_BYTES = 1 << 16

app = Commands(
    no_args_is_help=True,
    help="密钥期：封存消息的密钥，查看、更换、交给审计。 Epochs: the keys that seal messages; see them, begin new ones, hand one to an auditor.",
)


@app.command("show")
def show(ledger: PublicLedger) -> None:
    """列出密钥期及其公钥；无需任何密钥。 List the epochs and their public keys; needs no key."""
    rows = [
        {"epoch_no": no, "from_height": one.from_height, "from_ms": one.from_ms, "public_key": one.public_key.hex()}
        for no, one in epochs_of(ledger.data).items()
    ]
    columns = [
        ("epoch_no", "密钥期", "epoch"),
        ("from_height", "起始区块", "from block"),
        ("from_ms", "设立时间", "made at"),
        ("public_key", "公钥", "public key"),
    ]
    ledger.print_rows(rows, columns)


@app.command("rotate")
def rotate(ledger: Ledger) -> None:
    """更换密钥期，自下一区块起用（交易中心操作员签名）。 Begin a new epoch with the next block; the exchange's operator signs."""
    paths = need_keys(ledger.key)
    signing = [read_key(path) for path in paths]
    with open_node(ledger.data) as node:
        reply = client_on(node, signing, paths[0]).submit(RotateEpoch(node.next_epoch.public_key))
    if ledger.as_json:
        print_json({"epoch_no": reply.epoch_no})
        return
    out.print(
        say(f"密钥期 {reply.epoch_no} 自下一区块起用", f"epoch {reply.epoch_no} begins with the next block"),
        soft_wrap=True,
    )


@app.command("hand-out")
def hand_out(
    ledger: Ledger,
    epoch: Annotated[int, typer.Option("--epoch", min=1, help="密钥期 number of the epoch")],
    to: Annotated[
        str, typer.Option("--to", metavar="KEY", help="接收方公钥（shudian epoch my-key） key of the recipient")
    ],
    out_file: Annotated[Path, typer.Option("--out", help="移交文件 the file to hand over")],
) -> None:
    """把一个密钥期的密钥交给一人（先登记后交付，操作员签名）：其可阅读该期全部消息。 Give the secret of an epoch to one person, who then reads all of it; put on record first."""
    recipient_key = from_hex("--to", to)
    refuse_existing(out_file)
    paths = need_keys(ledger.key)
    signing = [read_key(path) for path in paths]
    with open_node(ledger.data) as node:
        client = client_on(node, signing, paths[0])
        file = hand_epoch(node.genesis.chain_id, epoch, node.secrets.root(epoch), recipient_key)
        client.submit(HandOutEpoch(epoch, recipient_key, sha256(file)))
    write_recorded(out_file, file, f"已登记移交密钥期 {epoch}", f"the handing out of epoch {epoch} is on record")
    if ledger.as_json:
        print_json({"file": str(out_file), "bytes": len(file), "file_digest": sha256(file), "epoch_no": epoch})
        return
    out.print(
        say(
            f"已登记，文件在 {out_file}。对方接收：shudian epoch accept {out_file} --key KEYFILE --out EPOCHKEY --data DIR",
            f"on record; the file is in {out_file}. To take it: shudian epoch accept {out_file} --key KEYFILE --out EPOCHKEY --data DIR",
        ),
        soft_wrap=True,
        markup=False,
    )


@app.command("my-key")
def my_key(
    key: Annotated[Path, typer.Option("--key", envvar="SHUDIAN_KEY", help="本人密钥文件 your key file")],
    as_json: JsonOption = False,
) -> None:
    """本人的接收公钥：别人以此向本人移交；由签名密钥导出。 Your public key for what others hand to you; it follows from your signing key."""
    public_key = read_key(key).sealing.public_key.hex()
    if as_json:
        print_json({"key": public_key})
        return
    out.print(public_key)


@app.command("accept")
def accept(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="移交文件 the file that was handed over")],
    key: Annotated[Path, typer.Option("--key", envvar="SHUDIAN_KEY", help="本人密钥文件 your key file")],
    out_file: Annotated[Path, typer.Option("--out", help="新密钥文件 the key file to make")],
    data: DataOption = DEFAULT_DATA,
    no_passphrase: NoPassphraseOption = False,
) -> None:
    """接收移交的密钥期，与 --data 的账本核对后写入封存的密钥文件。 Take an epoch that was handed to you: tested against the ledger in --data, then kept in a sealed key file.

    之后 shudian verify DIR --epoch-key FILE 可在没有节点密钥时核对账本。 Then shudian verify DIR --epoch-key FILE tests the ledger without the node's key.
    """
    with file.open("rb") as handed_file:
        handed = handed_file.read(HANDED_MAX_BYTES)
    taken = take_epoch(handed, read_key(key), chain_id_of(data), epochs_of(data))
    write_key_file(out_file, taken.root, None if no_passphrase else new_passphrase())
    out.print(
        say(
            f"密钥期 {taken.epoch_no} 的密钥与账本相符，已写入 {out_file}",
            f"the secret of epoch {taken.epoch_no} is the ledger's; it is in {out_file}",
        ),
        soft_wrap=True,
    )
