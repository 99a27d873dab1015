"""How commands are declared: shared options in one parameter, the language in all of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from shudian import cli
from shudian.cli.commands import Commands
from shudian.cli.ledger import Ledger, PublicLedger


def leaves(command: Any, path: str = "") -> Iterator[tuple[str, set[str]]]:
    if not hasattr(command, "commands"):
        yield path.strip(), {option for parameter in command.params for option in parameter.opts}
        return
    for name, below in command.commands.items():
        yield from leaves(below, f"{path} {name}")


def test_every_command_takes_the_language_and_a_key_only_with_a_ledger() -> None:
    found = dict(leaves(typer.main.get_command(cli.app)))
    assert len(found) > 60
    assert [path for path, options in found.items() if "--lang" not in options] == []
    alone = {path for path, options in found.items() if "--key" in options and "--data" not in options}
    assert alone == {"open", "epoch my-key"}, "what is opened with nothing but a key"


GIVEN: list[Any] = []
app = Commands()


@app.command("one")
def one(ledger: Ledger, name: Annotated[str, typer.Argument()], count: Annotated[int, typer.Option()] = 3) -> None:
    """For members."""
    GIVEN.append((ledger, name, count))


@app.command("two")
def two(ledger: PublicLedger) -> None:
    """For all."""
    GIVEN.append(ledger)


@pytest.mark.parametrize(
    ("line", "given"),
    [
        ("one x", (Ledger(), "x", 3)),
        (
            "one --data d --key a --key b --json --lang en --count 4 x",
            (Ledger(Path("d"), True, [Path("a"), Path("b")]), "x", 4),
        ),
        ("two --data d", PublicLedger(Path("d"))),
    ],
)
def test_shared_options_arrive_in_one_parameter(line: str, given: object) -> None:
    GIVEN.clear()
    environment = {"SHUDIAN_DATA": None, "SHUDIAN_KEY": None, "SHUDIAN_LANG": None}
    assert CliRunner().invoke(app, line.split(), env=environment, catch_exceptions=False).exit_code == 0
    assert [given] == GIVEN


def test_a_public_command_takes_no_key() -> None:
    assert CliRunner().invoke(app, ["two", "--key", "a"]).exit_code == 2
