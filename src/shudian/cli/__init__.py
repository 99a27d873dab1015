"""The command line. Every error is one clear sentence; exit code 2 for what the user can mend, 1 for a fault of ours."""

import os
import traceback

import typer

from shudian.cli.bench import app as bench_app
from shudian.cli.clear import app as clear_app
from shudian.cli.common import UserError, err, fail, language
from shudian.cli.demo import demo
from shudian.cli.member import app as member_app
from shudian.cli.message import app as message_app
from shudian.cli.node import app as node_app
from shudian.cli.order import app as order_app
from shudian.cli.passphrase import PassphraseFdOption
from shudian.cli.prove import app as prove_app
from shudian.cli.resource import app as resource_app
from shudian.cli.state import app as state_app
from shudian.cli.statement import app as statement_app
from shudian.cli.verify import verify
from shudian.client.client import RefusedByLedgerError
from shudian.client.keys import KeyFileError
from shudian.node.errors import NodeError
from shudian.tools.clearing_files import BadInput

app = typer.Typer(
    name="shudian",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help=(
        "蜀电链：四川电力市场与金融的区块链账本。 Shudian: the ledger of Sichuan's power market and its finance.\n\n"
        "先运行 [bold]shudian demo[/bold]：约一分钟跑完一个月的市场，然后用下面的命令查看。\n\n"
        "Start with [bold]shudian demo[/bold]: a month of market in about a minute, then explore with the commands below."
    ),
)
app.command("demo")(demo)
app.command("verify")(verify)
app.add_typer(node_app, name="node")
app.add_typer(member_app, name="member")
app.add_typer(resource_app, name="resource")
app.add_typer(order_app, name="order")
app.add_typer(statement_app, name="statement")
app.add_typer(message_app, name="message")
app.add_typer(prove_app, name="prove")
app.add_typer(clear_app, name="clear")
app.add_typer(bench_app, name="bench")
app.add_typer(state_app, name="state")


@app.callback()
def options(passphrase_fd: PassphraseFdOption = None) -> None:
    """Options of every command, given before its name."""
    del passphrase_fd  # taken by the option's own callback


def main() -> None:
    """Run the command line; no stack trace ever reaches a user (SHUDIAN_DEBUG=1 shows it to a developer)."""
    try:
        app()
    except KeyboardInterrupt:
        fail("已中断", "interrupted", 130)
    except (UserError, NodeError, KeyFileError, BadInput) as error:
        fail(error.zh, error.en)
    except RefusedByLedgerError as error:
        err.print(error.sentence(language()), style="red", soft_wrap=True, markup=False)
        raise SystemExit(2) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise SystemExit(0) from None
    except Exception:  # noqa: BLE001 - the last door: a user never sees a stack trace
        if os.environ.get("SHUDIAN_DEBUG"):
            traceback.print_exc()
        fail(
            "程序内部故障；设置 SHUDIAN_DEBUG=1 再运行可看到细节",
            "a fault inside the program; run again with SHUDIAN_DEBUG=1 to see the details",
            1,
        )
