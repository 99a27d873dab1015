"""Compile the hot path with mypyc, from the sources as they stand, into the environment: ``python -m shudian.tools.compiling``.

``--can`` only says whether this machine is able to (0) or not (3). ``--into FOLDER`` puts the result there instead of beside the installed packages.
What is up to date is left alone. What was compiled is tried in a process of its own before it takes the place of what was there.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import version
from io import StringIO
from pathlib import Path

from shudian.compiled import COMPILED, ENVIRONMENT_NAME, FOLDER, LIBRARY, MANIFEST, MODULES, PACKAGE, fits, sources

CANNOT = 3
"""Exit code where there is no C compiler or no header of Python."""

_MYPY_FLAGS = (
    "--config-file=",
    "--strict",
    "--explicit-package-bases",
    "--ignore-missing-imports",
    "--no-error-summary",
)


def cannot() -> tuple[str, str] | None:
    """Why this machine cannot compile, in Chinese and English; None if it can."""
    compiler = shlex.split(os.environ.get("CC") or str(sysconfig.get_config_var("CC") or "cc"))[0]
    if shutil.which(compiler) is None:
        return f"没有 C 编译器 {compiler}", f"there is no C compiler {compiler}"
    header = Path(sysconfig.get_path("include")) / "Python.h"
    if not header.is_file():
        return f"没有 {header}（Debian：python3-dev）", f"there is no {header} (Debian: python3-dev)"
    return None


def build(place: Path) -> None:
    """Compile all modules into ``place``, with their manifest. Needs mypy and setuptools."""
    from mypyc.build import mypycify  # noqa: PLC0415 - a tool of the installation, not of the product
    from setuptools import Distribution  # noqa: PLC0415 - a tool of the installation, not of the product

    made_of, words = sources(), StringIO()
    files = [str(Path("shudian", *name.split("."))) + ".py" for name in MODULES]
    with tempfile.TemporaryDirectory() as scratch:
        before = Path.cwd()
        os.chdir(PACKAGE.parent)  # mypy names modules by their path from here
        try:
            flags = [*_MYPY_FLAGS, f"--cache-dir={scratch}/mypy"]
            with redirect_stdout(words), redirect_stderr(words):
                extensions = mypycify(
                    [*flags, *files], opt_level="2", debug_level="0", target_dir=f"{scratch}/c", group_name="shudian"
                )
        except BaseException:
            _say(words.getvalue())  # warnings are told only with what they led to
            raise
        finally:
            os.chdir(before)
        for extension in extensions:
            # a compiler newer than mypyc may warn of what older ones do not
            extension.extra_compile_args = [*(f for f in extension.extra_compile_args if f != "-Werror"), "-w"]
        command = Distribution({"name": FOLDER, "ext_modules": extensions}).get_command_obj("build_ext")
        command.build_lib, command.build_temp, command.parallel = f"{scratch}/lib", f"{scratch}/o", os.cpu_count()
        command.ensure_finalized()
        command.run()
        place.mkdir(parents=True)
        built = Path(scratch, "lib")
        for name in (LIBRARY, *(f"shudian.{name}" for name in MODULES)):
            parts = name.split(".")
            shutil.copyfile(
                built.joinpath(*parts[:-1], parts[-1] + EXTENSION_SUFFIXES[0]), place / f"{name}{EXTENSION_SUFFIXES[0]}"
            )
    manifest = {
        "interpreter": EXTENSION_SUFFIXES[0],
        "python": sys.version.split()[0],
        "mypyc": version("mypy"),
        "modules": MODULES,
        "sources": made_of,
    }
    (place / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _works(parent: Path) -> bool:
    """Whether a fresh process runs the market on what was compiled."""
    environment = {**os.environ, "PYTHONPATH": f"{parent}{os.pathsep}{PACKAGE.parent}", ENVIRONMENT_NAME: COMPILED}
    program = "import shudian.market, shudian.kernel.machine as m; assert not m.__file__.endswith('.py')"
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=False)  # noqa: S603 - this very interpreter
    return done.returncode == 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Compile if need be and possible; the exit code says which: 0 it is there, 1 it failed, 3 it cannot be done here."""
    reason = cannot()
    if reason is not None:
        _say(f"不编译，以纯 Python 运行：{reason[0]}")
        _say(f"not compiled, plain Python runs: {reason[1]}")
        return CANNOT
    if arguments == ["--can"]:
        return 0
    parent = Path(arguments[1]) if arguments[:1] == ["--into"] else Path(sysconfig.get_path("purelib"))
    place = parent / FOLDER
    if fits(place).name == COMPILED:
        return 0
    _say(f"编译 {len(MODULES)} 个模块（约半分钟）… compiling {len(MODULES)} modules (half a minute) ...")
    started = time.monotonic()
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix=f"{FOLDER}.") as scratch:
        fresh = Path(scratch) / FOLDER
        try:
            build(fresh)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a compiler meets, plain Python goes on
            _say(f"编译失败 compiling failed: {type(error).__name__}: {error}")
            return 1
        if not _works(Path(scratch)):
            _say("编译结果无法运行 what was compiled does not run")
            return 1
        if place.exists():
            place.rename(Path(scratch) / "old")
        fresh.rename(place)
    _say(f"已编译 compiled: {place} ({time.monotonic() - started:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
