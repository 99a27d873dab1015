"""The compiled form of the hot path, if there is one that fits: decided once, before any other module of the product is imported.

``make setup`` compiles :data:`MODULES` from these very sources with mypyc where a C compiler is at hand (``shudian.tools.compiling``), into the
folder ``shudian_compiled`` of the environment. It is used if its manifest fits this interpreter and every source that its code was made from,
and otherwise, all of it, left alone: the sources are run as they are. ``SHUDIAN_KERNEL=plain`` leaves it alone, ``SHUDIAN_KERNEL=compiled`` refuses to
do without.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

ENVIRONMENT_NAME = "SHUDIAN_KERNEL"
COMPILED, PLAIN = "compiled", "plain"
FOLDER = "shudian_compiled"
MANIFEST = "manifest.json"
LIBRARY = "shudian__mypyc"
"""The library that holds the code of all modules; each module is a shim around it."""

PACKAGE = Path(__file__).parent
ROOMS = ("kernel", "clearing", "contracts")
"""Whose sources the code was made from: a compiled module holds constants and types of those that are not compiled, too."""

MODULES = (
    "kernel.blinding",
    "kernel.check",
    "kernel.clock",
    "kernel.cold",
    "kernel.contract",
    "kernel.crypto",
    "kernel.door",
    "kernel.envelope",
    "kernel.fields",
    "kernel.ids",
    "kernel.machine",
    "kernel.merkle",
    "kernel.ordered",
    "kernel.repeats",
    "kernel.roots",
    "kernel.tables",
    "kernel.units",
    "clearing.book",
    "contracts.agreements.rules_days",
    "contracts.funds.messages_numbers",
    "contracts.funds.rules_accounts",
    "contracts.funds.rules_reservations",
    "contracts.funds.state_checks",
    "contracts.guarantees.rules_lines",
    "contracts.identity.rules_authority",
    "contracts.identity.rules_verbs",
    "contracts.resources.rules",
    "contracts.trading.rules_collateral",
    "contracts.trading.rules_exposure",
    "contracts.trading.rules_gates",
    "contracts.trading.rules_numbers",
    "contracts.trading.rules_orders",
    "contracts.trading.rules_positions",
    "node.batches",
    "node.numbering",
    "node.ticking",
)
"""What an order passes from the door to the disk. Here stand functions and classes of our own, typed without Any where it counts; a module
that declares records (Record, Message, Event) cannot be compiled, and the tests refuse one in this list."""


@dataclass(frozen=True)
class Form:
    """Which form runs. name: ``compiled`` or ``plain``. zh, en: why it is plain; empty if it is compiled."""

    name: str
    zh: str = ""
    en: str = ""


class Finder:
    """Finds the compiled modules, and their library, in their folder: a finder of ``sys.meta_path``.

    It does without importlib.abc, whose imports would make a tenth of a front's start.
    """

    def __init__(self, folder: Path) -> None:
        """``folder``: holds one file per module, named as the module."""
        names = (LIBRARY, *(f"shudian.{name}" for name in MODULES))
        self._files = {name: folder / f"{name}{EXTENSION_SUFFIXES[0]}" for name in names}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The place of a compiled module; None for any other."""
        del path, target
        file = self._files.get(fullname)
        return None if file is None else spec_from_file_location(fullname, file)


def sources() -> dict[str, str]:
    """SHA-256 of each source that compiled code is made from, by its path below the package: all but what only reads."""
    files = {f"{name.replace('.', '/')}.py" for name in MODULES}
    for room in ROOMS:
        files.update(_sources_in(room))
    return {name: hashlib.sha256(PACKAGE.joinpath(name).read_bytes()).hexdigest() for name in sorted(files)}


def _sources_in(folder: str) -> Iterator[str]:
    """Paths below the package; by hand, since every process of the product does this first and pathlib's search takes several times as long."""
    with os.scandir(PACKAGE / folder) as entries:
        for entry in entries:
            path = f"{folder}/{entry.name}"
            if entry.is_dir():
                yield from _sources_in(path)
            elif path.endswith(".py") and not entry.name.startswith(("views", "pages")):
                yield path


def fits(folder: Path) -> Form:
    """Whether the code in a folder is that of these sources and for this interpreter."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Form(PLAIN, "没有编译好的模块（make setup 会在有 C 编译器时编译）", "there is nothing compiled (make setup compiles where there is a C compiler)")  # fmt: skip
    if not isinstance(manifest, dict) or manifest.get("interpreter") != EXTENSION_SUFFIXES[0]:
        return Form(PLAIN, "编译结果属于另一个解释器，请再运行 make setup", "it was compiled for another interpreter: run make setup again")  # fmt: skip
    if manifest.get("modules") != list(MODULES):
        return Form(PLAIN, "编译的模块表已改变，请再运行 make setup", "the list of compiled modules changed: run make setup again")  # fmt: skip
    compiled, present = manifest.get("sources"), sources()
    if compiled != present:
        known = compiled if isinstance(compiled, dict) else {}
        changed = sorted(name for name in {*known, *present} if known.get(name) != present.get(name))
        return Form(PLAIN, f"编译之后源码改过：{changed[0]}；请再运行 make setup", f"a source changed since: {changed[0]}; run make setup again")  # fmt: skip
    return Form(COMPILED)


def folder() -> Path:
    """The folder of the compiled modules: the first on the path that has a manifest, or, if none has, where none is."""
    places = [Path(entry) / FOLDER for entry in sys.path if entry]
    return next((place for place in places if (place / MANIFEST).is_file()), Path(FOLDER))


def choose() -> Form:
    """Decide, and let the compiled modules be found from here on. Leaves with two sentences if the environment asks for what is not there."""
    wish = os.environ.get(ENVIRONMENT_NAME, "")
    if wish not in ("", COMPILED, PLAIN):
        _refuse(f"{ENVIRONMENT_NAME} 只能是 {COMPILED} 或 {PLAIN}，而不是 {wish}", f"{ENVIRONMENT_NAME} is {COMPILED} or {PLAIN}, not {wish}")  # fmt: skip
    if wish == PLAIN:
        return Form(PLAIN, f"{ENVIRONMENT_NAME}={PLAIN}", f"{ENVIRONMENT_NAME}={PLAIN}")
    place = folder()
    form = fits(place)
    if form.name == COMPILED:
        sys.meta_path.insert(0, Finder(place))
    elif wish == COMPILED:
        _refuse(f"要求 {ENVIRONMENT_NAME}={COMPILED}，但{form.zh}", f"{ENVIRONMENT_NAME}={COMPILED} was asked for, but {form.en}")  # fmt: skip
    return form


def _refuse(zh: str, en: str) -> None:
    """Nothing of the product runs in a form that was not asked for; this is before there is a command line to say it in one language."""
    sys.stderr.write(f"{zh}\n{en}\n")
    raise SystemExit(2)
