"""Wrong command lines: exit code 2, one sentence on standard error in the asked language, never a stack trace."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from shudian.kernel.crypto import sha256
from tests.support.chain import create

ROOT = Path(__file__).parents[2]
CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
EXTRA: dict[str, tuple[str, ...]] = {"zh": (), "en": ("--lang", "en")}
"""What is added to a line for each language; Chinese is the default."""

NO_FOLDER = "/text 不是文件夹|/text is not a folder"
KEY = ("--data", "chain", "--key", "good.key")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a chain, damaged copies of it, and files that are not what they should be."""
    folder = tmp_path_factory.mktemp("place")
    create(folder / "chain").close()
    write_key(folder / "chain" / "node.key", "node")
    write_key(folder / "good.key", "exchange-operator")
    write_key(folder / "open.key", "exchange-operator", 0o644)
    write_key(folder / "stranger.key", "stranger")
    (folder / "text").write_text("hello")
    (folder / "text").chmod(0o600)
    (folder / "latin1.csv").write_bytes("segment,order_id,side,price,quantity_mwh\n1,é,buy,1,1\n".encode("latin-1"))
    (folder / "short.csv").write_text("segment,order_id\n1,2\n")
    (folder / "price.csv").write_text("segment,order_id,side,price,quantity_mwh\n1,a,buy,cheap,1\n")
    (folder / "founders.toml").write_text('[[founder]]\nkind="bank"\nname_zh="行"\nname_en="B"\nuscc="1"\n')
    (folder / "zebra.toml").write_text('[[founder]]\nkind="zebra"\nname_zh="行"\nname_en="B"\nuscc="1"\n')
    (folder / "empty").mkdir()
    for name, damage in (("replaced", b"x" * 4_000), ("cut", None), ("scratched", b"\xff" * 30_000)):
        shutil.copytree(folder / "chain", folder / name)
        with (folder / name / "ledger.db").open("r+b") as file:
            if name == "scratched":
                file.seek(12_000)
            if damage is None:
                file.truncate(20_000)
            else:
                file.write(damage)
    shutil.copytree(folder / "chain", folder / "no_reading")
    (folder / "no_reading" / "reading.db").write_bytes(b"x" * 4_000)
    return folder


def write_key(path: Path, name: str, mode: int = 0o600) -> None:
    path.write_text(sha256(name.encode()).hex() + "\n")
    path.chmod(mode)


@dataclass(frozen=True)
class Answer:
    """What a command line left behind."""

    code: int
    out: str
    err: str


# Python and the product are loaded once; each line then has a process of its own, as a user's has.
_EACH_LINE_IN_A_PROCESS = """
import json, os, sys
from shudian.cli import main
for number, line in enumerate(json.load(sys.stdin)):
    child = os.fork()
    if not child:
        for name, fd in (("out", 1), ("err", 2)):
            os.dup2(os.open(f"{sys.argv[1]}/{number}.{name}", os.O_WRONLY | os.O_CREAT), fd)
        sys.argv = ["shudian", *line]
        main()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def run(place: Path, lines: Sequence[Sequence[str]]) -> list[Answer]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "80"}
    for name in ("SHUDIAN_LANG", "SHUDIAN_DATA", "SHUDIAN_KEY", "SHUDIAN_DEBUG"):
        environment.pop(name, None)
    with TemporaryDirectory() as told:
        done = subprocess.run(
            [sys.executable, "-c", _EACH_LINE_IN_A_PROCESS, told],
            cwd=place,
            env=environment,
            input=json.dumps(lines),
            stdout=subprocess.PIPE,
            text=True,
            timeout=240,
            check=True,
        )
        return [
            Answer(int(code), *((Path(told) / f"{number}.{name}").read_text("utf-8") for name in ("out", "err")))
            for number, code in enumerate(done.stdout.split())
        ]


WRONG = (
    ("missing folder", ("node", "status", "--data", "nowhere"), "nowhere"),
    ("file for a folder", ("node", "init", "--data", "text"), NO_FOLDER),
    ("file above the folder", ("node", "init", "--data", "text/below"), NO_FOLDER),
    ("file for the sandbox", ("demo", "--data", "text", "--headless"), NO_FOLDER),
    ("ledger already there", ("node", "init", "--data", "chain"), "chain"),
    ("key open to others", ("order", "list", "--data", "chain", "--key", "open.key"), "open.key"),
    ("not a key", ("order", "list", "--data", "chain", "--key", "text"), "text"),
    ("no key file", ("order", "list", "--data", "chain", "--key", "nowhere.key"), "nowhere.key"),
    ("key of nobody", ("order", "cancel", "1", "--data", "chain", "--key", "stranger.key"), "stranger.key"),
    ("no key given", ("order", "cancel", "1", "--data", "chain"), "--key"),
    ("unknown command", ("orders",), "No such|没有"),
    ("unknown option", ("order", "list", "--nope", *KEY), "--nope"),
    ("missing argument", ("order", "place", "1", "9", *KEY), "SIDE"),
    ("negative days", ("demo", "--days", "-1", "--data", "sandbox"), "--days.*>= 1"),
    ("words for a number", ("demo", "--days", "many", "--data", "sandbox"), "--days"),
    ("not one of the choices", ("member", "list", "--kind", "zebra", "--data", "chain"), "--kind.*'generator'"),
    ("number out of range", ("order", "place", "1", "24", "buy", "1", "1", *KEY), "SEGMENT.*<= 23"),
    ("number too large", ("member", "show", "9" * 30, "--data", "chain"), "数字|number"),
    ("not a decimal", ("order", "place", "1", "9", "buy", "1e", "1", *KEY), "PRICE = 1e"),
    ("nothing to trade", ("order", "place", "1", "9", "buy", "1", "0", *KEY), r"\[1011\].*quantity_kwh = 0.*1\.\."),
    ("unknown sort", ("resource", "list", "--sort", "zebra", "--data", "chain"), r"\[1011\].*sort = zebra"),
    ("open no hex", ("message", "open", "zz", *KEY), "zz"),
    ("open a stranger's id", ("message", "open", "00" * 16, *KEY), "00" * 16),
    ("open without a key", ("message", "open", "00" * 16, "--data", "chain"), "--key"),
    ("hand out to no hex", ("epoch", "hand-out", "--epoch", "1", "--to", "zz", "--out", "new", *KEY), "zz"),
    (
        "hand out to a weak key",
        ("epoch", "hand-out", "--epoch", "1", "--to", "00" * 32, "--out", "new", *KEY),
        "00" * 8,
    ),
    (
        "hand out no epoch",
        ("epoch", "hand-out", "--epoch", "9", "--to", "09" + "00" * 31, "--out", "new", *KEY),
        "2008",
    ),
    (
        "hand out over a file",
        ("epoch", "hand-out", "--epoch", "1", "--to", "09" + "00" * 31, "--out", "text", *KEY),
        "text",
    ),
    ("rotate with another's key", ("epoch", "rotate", "--data", "chain", "--key", "stranger.key"), "stranger.key"),
    ("accept no file", ("epoch", "accept", "none", "--out", "new", *KEY), "none"),
    ("accept what was not handed", ("epoch", "accept", "text", "--out", "new", *KEY), "移交|handed"),
    ("epochs of nothing", ("epoch", "show", "--data", "empty"), "empty"),
    ("verify with a key of no epoch", ("verify", "chain", "--epoch-key", "good.key"), "密钥期|epoch"),
    ("unknown message", ("message", "say", "Nonsense", *KEY), "Nonsense"),
    ("bad JSON", ("message", "say", "ClearDay", '{"day":', *KEY), "JSON"),
    ("JSON of another shape", ("message", "say", "ClearDay", "[1]", *KEY), "JSON"),
    ("unknown field", ("message", "say", "ClearDay", '{"dya": 20260701}', *KEY), "dya"),
    ("missing field", ("message", "say", "ClearDay", "{}", *KEY), "day"),
    ("bad field", ("message", "say", "ClearDay", '{"day": "today"}', *KEY), "day"),
    ("bad choice", ("message", "say", "OpenSession", '{"method": "zebra"}', *KEY), "OpenSession.*product"),
    (
        "refused by the ledger",
        ("message", "say", "ClearDay", '{"day": 20990101}', *KEY),
        r"\[10\d\d\d\].*day = 20990101",
    ),
    ("bad founder", ("node", "init", "--data", "new", "--founders", "founders.toml"), r"\[1011\].*uscc"),
    ("unknown founder", ("node", "init", "--data", "new", "--founders", "zebra.toml"), "kind = zebra"),
    ("founders not in TOML", ("node", "init", "--data", "new", "--founders", "latin1.csv"), "latin1.csv.*TOML"),
    ("no evidence", ("statement", "object", "1", "--claimed", "1", "--evidence", "nil", "--reason", "x", *KEY), "nil"),
    ("replaced ledger", ("node", "status", "--data", "replaced"), "账本|ledger"),
    ("cut ledger", ("node", "status", "--data", "cut"), "账本|ledger"),
    ("scratched ledger", ("node", "status", "--data", "scratched"), "账本|ledger"),
    ("scratched ledger verified", ("verify", "scratched"), "账本|ledger"),
    ("damaged read model", ("member", "list", "--data", "no_reading"), "reading.db"),
    ("verify an empty folder", ("verify", "empty"), "empty"),
    ("clear a missing file", ("clear", "auction", "nowhere.csv"), "nowhere.csv"),
    ("clear a folder", ("clear", "auction", "empty"), "empty"),
    ("clear a file that is not UTF-8", ("clear", "auction", "latin1.csv"), "latin1.csv|order_id"),
    ("clear a file without columns", ("clear", "rolling", "short.csv"), "seq"),
    ("clear a bad price", ("clear", "auction", "price.csv"), "cheap"),
)


@pytest.fixture(scope="module")
def answers(place: Path) -> dict[tuple[str, str], Answer]:
    """The answers to all wrong lines, by name and language."""
    asked = [(name, language, (*line, *EXTRA[language])) for name, line, _ in WRONG for language in EXTRA]
    answered = run(place, [line for _, _, line in asked])
    return {(name, language): answer for (name, language, _), answer in zip(asked, answered, strict=True)}


@pytest.mark.parametrize("language", EXTRA)
@pytest.mark.parametrize(("name", "told"), [pytest.param(name, told, id=name) for name, _, told in WRONG])
def test_a_wrong_command_line_is_answered_in_one_sentence(
    place: Path, answers: dict[tuple[str, str], Answer], name: str, told: str, language: str
) -> None:
    answer = answers[name, language]
    check_answer(answer, language)
    assert re.search(told, answer.err), answer
    assert not (place / "new").exists()
    assert not (place / "sandbox").exists()


def check_answer(answer: Answer, language: str) -> None:
    assert answer.code == 2, answer
    assert not answer.out
    assert "Traceback" not in answer.err
    assert len(answer.err.splitlines()) == 1, answer
    assert bool(CHINESE.search(answer.err)) == (language == "zh"), answer


def test_a_second_process_on_the_folder_is_turned_away(place: Path) -> None:
    line = ("node", "status", "--data", "chain")
    with (place / "chain" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = run(place, [(*line, *extra) for extra in EXTRA.values()])
    for language, answer in zip(EXTRA, told, strict=True):
        check_answer(answer, language)
        assert "chain" in answer.err


def test_help_is_no_error(place: Path) -> None:
    assert [answer.code for answer in run(place, [("order", "--help"), (), ("order",)])] == [0, 2, 2]


def test_the_module_is_the_command(place: Path) -> None:
    command = [sys.executable, "-m", "shudian", "verify", "empty", "--lang", "en"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=60, check=False)
    check_answer(Answer(done.returncode, done.stdout, done.stderr), "en")
