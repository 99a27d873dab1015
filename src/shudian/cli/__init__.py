"""The command line. Every error is one clear sentence; exit code 2 for what the user can mend, 1 for a fault of ours."""

import os
import sys
import traceback

import typer
from typer.exceptions import TyperException

from shudian.cli.bench import app as bench_app
from shudian.cli.certificate import app as certificate_app
from shudian.cli.clear import app as clear_app
from shudian.cli.commands import Commands
from shudian.cli.common import fail, hear_language
from shudian.cli.demo import demo
from shudian.cli.disclose import disclose, open_disclosure
from shudian.cli.epoch import app as epoch_app
from shudian.cli.errors import of_usage, sentences
from shudian.cli.guarantee import app as guarantee_app
from shudian.cli.member import app as member_app
from shudian.cli.message import app as message_app
from shudian.cli.node import app as node_app
from shudian.cli.order import app as order_app
from shudian.cli.passphrase import PassphraseFdOption
from shudian.cli.prove import app as prove_app
from shudian.cli.receivable import app as receivable_app
from shudian.cli.reconcile import app as reconcile_app
from shudian.cli.resource import app as resource_app
from shudian.cli.simulate import simulate
from shudian.cli.state import app as state_app
from shudian.cli.statement import app as statement_app
from shudian.cli.verify import verify

app = Commands(
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
app.command("disclose")(disclose)
app.command("open")(open_disclosure)
app.command("simulate")(simulate)
app.add_typer(node_app, name="node")
app.add_typer(member_app, name="member")
app.add_typer(resource_app, name="resource")
app.add_typer(order_app, name="order")
app.add_typer(statement_app, name="statement")
app.add_typer(certificate_app, name="certificate")
app.add_typer(receivable_app, name="receivable")
app.add_typer(guarantee_app, name="guarantee")
app.add_typer(reconcile_app, name="reconcile")
app.add_typer(message_app, name="message")
app.add_typer(prove_app, name="prove")
app.add_typer(clear_app, name="clear")
app.add_typer(bench_app, name="bench")
app.add_typer(state_app, name="state")
app.add_typer(epoch_app, name="epoch")


@app.callback()
def options(passphrase_fd: PassphraseFdOption = None) -> None:
    """Options of every command, given before its name."""
    del passphrase_fd  # taken by the option's own callback


INTERRUPTED = 130
"""Exit code of a command that was stopped from the keyboard, as shells have it."""


def main() -> None:
    """Run the command line; no stack trace ever reaches a user (SHUDIAN_DEBUG=1 shows it to a developer)."""
    hear_language(sys.argv)
    try:
        code = app(standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise SystemExit(0) from None
    except TyperException as error:
        if not error.format_message():  # no arguments: the help was printed in place of a sentence
            raise SystemExit(2) from None
        fail(*of_usage(error))
    except Exception as error:  # noqa: BLE001 - the last door: a user never sees a stack trace
        if os.environ.get("SHUDIAN_DEBUG"):
            traceback.print_exc()
        words = sentences(error)
        if words is None:
            fail(
                "程序内部故障；设置 SHUDIAN_DEBUG=1 再运行可看到细节",
                "a fault inside the program; run again with SHUDIAN_DEBUG=1 to see the details",
                1,
            )
        fail(*words)
    if code == INTERRUPTED:
        fail("已中断", "interrupted", INTERRUPTED)
    raise SystemExit(code or 0)
