"""``shudian verify DIR``."""

from pathlib import Path
from typing import Annotated

import typer

from shudian.cli.common import JsonOption, out, print_json, progress_of, say, secrets_of
from shudian.cli.passphrase import read_epoch_key
from shudian.node.loading import epochs_of
from shudian.node.verify import verify_folder
from shudian.tools.epoch_files import secrets_among

PARTLY = 3
"""Exit code of a verification that could not open everything."""


def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="账本所在文件夹 folder of the ledger")],
    epoch_key: Annotated[
        list[Path] | None,
        typer.Option(
            "--epoch-key",
            help="移交的密钥期密钥文件，可多次给出；无节点密钥时用 key file of an epoch that was handed to you; repeat it; in place of the node's key",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """重放全部区块并逐块核对。 Execute the whole log again, signatures included, and compare every block.

    读取 DIR 的账本，从创世起重新执行每条消息，核对签名、结果、事件、状态根、每一行与每个冷数据块。
    Reads only; a node may be running on the folder.

    执行需要密钥期的密钥：DIR 中的 node.key，或 --epoch-key。缺少时只核对结构、链接与全部签名，退出码 3。
    Executing needs the secrets of the epochs: node.key in DIR, or --epoch-key. Where one is missing only structure, links and all signatures are tested: exit code 3.
    """
    secrets = (
        secrets_among([read_epoch_key(path) for path in epoch_key], epochs_of(folder))
        if epoch_key
        else secrets_of(folder)
    )
    with progress_of(say("核对", "verifying")) as progress:
        verified = verify_folder(folder, secrets, progress)
    if as_json:
        print_json(
            {
                "height": verified.height,
                "messages": verified.message_count,
                "app_hash": verified.app_hash,
                "verified": not verified.missing_epoch_no,
                "first_height": verified.first_height,
                "executed_height": verified.executed_height,
                "missing_epoch_no": verified.missing_epoch_no,
            }
        )
    elif verified.missing_epoch_no:
        after = verified.executed_height + 1
        out.print(
            say(
                f"部分核对：区块 {verified.height} 为止的结构、链接与全部签名一致；没有密钥期 {verified.missing_epoch_no} 的密钥，自区块 {after} 起的内容、结果以及状态未核对",
                f"partly verified: structure, links and all signatures up to block {verified.height} agree; without the secret of epoch {verified.missing_epoch_no} "
                f"contents and results from block {after} on, and the state, were not tested",
            ),
            soft_wrap=True,
        )
    elif verified.first_height:
        out.print(
            say(
                f"账本始于区块 {verified.first_height} 的快照：到区块 {verified.height} 为止链接、签名与状态一致；此前的历史不在这里，未重放",
                f"this ledger starts from a snapshot at block {verified.first_height}: links, signatures and the state are in order up to "
                f"block {verified.height}; the history before is not here, so nothing was executed again",
            )
        )
    else:
        out.print(
            say(
                f"核对一致：{verified.height} 个区块、{verified.message_count} 条消息，状态根 {verified.app_hash.hex()}",
                f"verified: {verified.height} blocks, {verified.message_count} messages, app hash {verified.app_hash.hex()}",
            )
        )
    if verified.missing_epoch_no:
        raise typer.Exit(PARTLY)
