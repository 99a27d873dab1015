"""``shudian verify DIR``."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from shudian.cli.common import JsonOption, Lang, LangOption, err, out, print_json, say, secrets_of
from shudian.node.verify import verify_folder


def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="账本所在文件夹 folder of the ledger")],
    lang: LangOption = Lang.ZH,
    as_json: JsonOption = False,
) -> None:
    """重放全部区块并逐块核对。 Execute the whole log again, signatures included, and compare every block.

    读取 DIR 的账本，从创世起重新执行每条消息，核对签名、结果、事件、状态根、每一行与每个冷数据块。
    Reads only; a node may be running on the folder.
    """
    del lang
    with Progress(console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task(say("核对", "verifying"), total=None)
        verified = verify_folder(
            folder, secrets_of(folder), lambda done, total: progress.update(task, completed=done, total=total)
        )
    if as_json:
        print_json(
            {
                "height": verified.height,
                "messages": verified.message_count,
                "app_hash": verified.app_hash,
                "verified": True,
                "first_height": verified.first_height,
            }
        )
        return
    if verified.first_height:
        out.print(
            say(
                f"账本始于区块 {verified.first_height} 的快照：到区块 {verified.height} 为止链接、签名与状态一致；此前的历史不在这里，未重放",
                f"this ledger starts from a snapshot at block {verified.first_height}: links, signatures and the state are in order up to "
                f"block {verified.height}; the history before is not here, so nothing was executed again",
            )
        )
        return
    out.print(
        say(
            f"核对一致：{verified.height} 个区块、{verified.message_count} 条消息，状态根 {verified.app_hash.hex()}",
            f"verified: {verified.height} blocks, {verified.message_count} messages, app hash {verified.app_hash.hex()}",
        )
    )
