"""Compiled code is used only if it is of these very sources and this interpreter, never in part, and it does the same as plain Python."""

import ast
import json
import os
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from shudian import KERNEL
from shudian.compiled import COMPILED, FOLDER, MANIFEST, MODULES, PACKAGE, fits, sources
from shudian.tools import compiling

TELL = "import shudian, shudian.kernel.machine as m; print(shudian.KERNEL.name, m.__file__.endswith('.py'), shudian.KERNEL.en)"
RECORDS = {"Record", "Message", "Event", "Reply", "Struct"}


def manifest(parent: Path, **changes: object) -> Path:
    """The folder of a compilation that nothing came of but its manifest."""
    folder = parent / FOLDER
    folder.mkdir()
    said = {"interpreter": EXTENSION_SUFFIXES[0], "modules": list(MODULES), "sources": sources()} | changes
    (folder / MANIFEST).write_text(json.dumps(said), encoding="utf-8")
    return folder


def told(wish: str | None, *path: Path) -> subprocess.CompletedProcess[str]:
    """What a fresh process says of its form. path: where compiled code is looked for first."""
    environment = {name: value for name, value in os.environ.items() if name != "SHUDIAN_KERNEL"}
    environment["PYTHONPATH"] = os.pathsep.join(map(str, (*path, PACKAGE.parent)))
    if wish is not None:
        environment["SHUDIAN_KERNEL"] = wish
    return subprocess.run([sys.executable, "-c", TELL], env=environment, capture_output=True, text=True, check=False)


def test_code_of_these_sources_and_this_interpreter_fits(tmp_path: Path) -> None:
    assert fits(manifest(tmp_path)).name == COMPILED


def stale() -> dict[str, str]:
    return sources() | {"kernel/roots.py": "00"}


def gone() -> dict[str, str]:
    return {name: digest for name, digest in sources().items() if name != "kernel/units.py"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"interpreter": ".cpython-27.so"}, "it was compiled for another interpreter: run make setup again"),
        ({"modules": list(MODULES)[1:]}, "the list of compiled modules changed: run make setup again"),
        ({"sources": stale()}, "a source changed since: kernel/roots.py; run make setup again"),
        ({"sources": gone()}, "a source changed since: kernel/units.py; run make setup again"),
        ({"sources": None}, "a source changed since: clearing/__init__.py; run make setup again"),
    ],
)
def test_what_does_not_fit_is_left_alone_and_the_reason_told(
    tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    manifest(tmp_path, **changes)
    assert told(None, tmp_path).stdout.strip() == f"plain True {reason}"
    refused = told("compiled", tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.splitlines()[1] == f"SHUDIAN_KERNEL=compiled was asked for, but {reason}"
    assert refused.stderr.startswith("要求 SHUDIAN_KERNEL=compiled，但")


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_damaged_manifest_is_none(tmp_path: Path, text: str) -> None:
    (manifest(tmp_path) / MANIFEST).write_text(text, encoding="utf-8")
    assert fits(tmp_path / FOLDER).name == "plain"


def test_no_folder_is_plain(tmp_path: Path) -> None:
    assert (
        fits(tmp_path / "nowhere").en == "there is nothing compiled (make setup compiles where there is a C compiler)"
    )


def test_plain_is_had_for_the_asking(tmp_path: Path) -> None:
    manifest(tmp_path)
    assert told("plain", tmp_path).stdout.strip() == "plain True SHUDIAN_KERNEL=plain"


def test_another_word_is_refused() -> None:
    refused = told("fast")
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [
        "SHUDIAN_KERNEL 只能是 compiled 或 plain，而不是 fast",
        "SHUDIAN_KERNEL is compiled or plain, not fast",
    ]


def test_a_module_that_is_missing_from_the_folder_is_a_failure_and_no_mixture(tmp_path: Path) -> None:
    manifest(tmp_path)
    failed = told(None, tmp_path)
    assert failed.returncode == 1
    assert "ImportError" in failed.stderr


def test_the_list_holds_modules_that_can_be_compiled() -> None:
    assert list(MODULES) == [
        *sorted(n for n in MODULES if n.startswith("kernel.")),
        "clearing.book",
        *sorted(n for n in MODULES if n.startswith("contracts.")),
        *sorted(n for n in MODULES if n.startswith("node.")),
    ]
    for name in MODULES:
        tree = ast.parse(PACKAGE.joinpath(*name.split(".")).with_suffix(".py").read_text(encoding="utf-8"))
        bases = {
            base.id
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
            for base in node.bases
            if isinstance(base, ast.Name)
        }
        assert not bases & RECORDS, name


def test_no_compiled_module_hands_on_a_generator_expression() -> None:
    """Compiled, it is a list: the same to whoever reads it to its end at once, another thing to ``next``."""
    for name in MODULES:
        tree = ast.parse(PACKAGE.joinpath(*name.split(".")).with_suffix(".py").read_text(encoding="utf-8"))
        read = {
            id(child)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call | ast.Starred)
            for child in ast.iter_child_nodes(node)
        }
        handed_on = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.GeneratorExp) and id(n) not in read]
        assert not handed_on, (name, handed_on)


@pytest.mark.parametrize("missing", ["compiler", "header"])
def test_a_machine_without_a_compiler_is_told_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    (tmp_path / "cc").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CC", "no-such-compiler -O2" if missing == "compiler" else "cc")
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path))
    assert compiling.main(["--can"]) == compiling.CANNOT
    zh, en = capsys.readouterr().out.splitlines()
    reason = "there is no C compiler no-such-compiler" if missing == "compiler" else f"there is no {tmp_path}/Python.h (Debian: python3-dev)"  # fmt: skip
    assert zh.startswith("不编译，以纯 Python 运行：")
    assert en == f"not compiled, plain Python runs: {reason}"


def test_what_is_up_to_date_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if compiling.cannot() is not None:
        pytest.skip("no compiler here")
    manifest(tmp_path)
    assert compiling.main(["--into", str(tmp_path)]) == 0
    assert not capsys.readouterr().out


@pytest.mark.parametrize("how", ["broken compiler", "no mypy", "does not run"])
def test_what_was_there_stays_if_compiling_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    def build(place: Path) -> None:
        if how == "does not run":
            manifest(place.parent)
        else:
            raise SystemExit(1) if how == "broken compiler" else ImportError("mypyc")

    folder = manifest(tmp_path, sources=stale())
    monkeypatch.setattr(compiling, "cannot", lambda: None)
    monkeypatch.setattr(compiling, "build", build)
    assert compiling.main(["--into", str(tmp_path)]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith(("编译失败 compiling failed: ", "编译结果无法运行 "))
    assert [entry.name for entry in tmp_path.iterdir()] == [FOLDER]
    assert json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["sources"] == stale()


@pytest.mark.skipif(
    KERNEL.name != COMPILED, reason="it plays the market in both forms: SHUDIAN_KERNEL=compiled, make test"
)
def test_the_two_forms_make_the_same_blocks(tmp_path: Path) -> None:
    """Two days of the sandbox in each form: the same end; plain Python comes to every header of the other, which carry state, outcomes and events."""
    summaries = []
    for form in ("compiled", "plain"):
        file = tmp_path / f"{form}.json"
        demo = ["demo", "--days", "2", "--data", str(tmp_path / form), "--headless", "--json", str(file)]
        environment = {**os.environ, "SHUDIAN_KERNEL": form}
        subprocess.run([sys.executable, "-m", "shudian", *demo], env=environment, check=True, capture_output=True)
        summary = json.loads(file.read_text(encoding="utf-8"))
        summaries.append({name: value for name, value in summary.items() if name != "seconds"})
    assert summaries[0] == summaries[1]
    verify = [sys.executable, "-m", "shudian", "verify", str(tmp_path / "compiled")]
    subprocess.run(verify, env={**os.environ, "SHUDIAN_KERNEL": "plain"}, check=True, capture_output=True)
