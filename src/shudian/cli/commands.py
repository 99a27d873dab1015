"""How commands are declared: every one takes ``--lang``, and those that work on a ledger share its options in one parameter."""

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from typing import Any, TypeVar

import typer

from shudian.cli.common import Lang, LangOption

_LANG = inspect.Parameter("lang", inspect.Parameter.KEYWORD_ONLY, default=Lang.ZH, annotation=LangOption)
"""The option's own callback takes the language; no command is handed it."""

Command = TypeVar("Command", bound=Callable[..., None])


class Commands(typer.Typer):
    """A group of commands.

    A parameter of a command whose type is a dataclass (``PublicLedger``, ``Ledger``) stands for the options that are
    the fields of that class; they come after the command's own.
    """

    def command(self, name: str | None = None, **how: Any) -> Callable[[Command], Command]:
        """As :meth:`typer.Typer.command`."""
        register = super().command(name, **how)

        def declare(function: Command) -> Command:
            register(_with_options(function))
            return function

        return declare


def _with_options(function: Callable[..., None]) -> Callable[..., None]:
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    shared: dict[str, Any] = {each.name: each.annotation for each in parameters if is_dataclass(each.annotation)}
    shown = [
        *(each for each in parameters if each.name not in shared),
        *(option for kind in shared.values() for option in _options_of(kind)),
        _LANG,
    ]

    @functools.wraps(function)
    def run(**given: Any) -> None:
        del given[_LANG.name]
        for name, kind in shared.items():
            given[name] = kind(**{option.name: given.pop(option.name) for option in _options_of(kind)})
        function(**given)

    options = [option.replace(kind=inspect.Parameter.KEYWORD_ONLY) for option in shown]
    run.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined] # what inspect reads in place of its own finding
    run.__annotations__ = {option.name: option.annotation for option in options}
    del run.__wrapped__  # a reader of the type hints would follow it to the function
    return run


def _options_of(kind: Any) -> Iterator[inspect.Parameter]:
    yield from inspect.signature(kind, eval_str=True).parameters.values()
