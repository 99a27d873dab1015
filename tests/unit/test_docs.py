"""Links between the project's documents lead somewhere."""

import re
from pathlib import Path

from shudian.market import MARKET
from shudian.tools import reference
from tests.support.source import REPOSITORY

LINK = re.compile(r"\]\((?!\w+:|#)([^)\s#]+)")


def documents() -> list[Path]:
    """Every Markdown file of the project, its environment and builds left out."""
    shallow = REPOSITORY.glob("*.md")
    deep = (path for folder in ("docs", "src", "tests") for path in (REPOSITORY / folder).rglob("*.md"))
    return sorted([*shallow, *deep])


def dead_links(path: Path, text: str) -> list[str]:
    """Relative links of a document that lead to no file."""
    return [link for link in LINK.findall(text) if not (path.parent / link).exists()]


def test_the_generated_reference_has_not_drifted() -> None:
    """`make reference` writes it anew."""
    folder = REPOSITORY / "docs" / "reference"
    held = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    assert held == reference.pages()


def test_every_contract_has_a_rulebook_that_names_its_messages() -> None:
    for contract in MARKET.contracts:
        rulebook = (REPOSITORY / "src" / "shudian" / "contracts" / contract.name / "README.md").read_text(
            encoding="utf-8"
        )
        missing = [kind.__name__ for kind in contract.handlers if f"`{kind.__name__}" not in rulebook]
        assert not missing, contract.name


def test_every_relative_link_leads_to_a_file() -> None:
    dead = {str(path): dead_links(path, path.read_text(encoding="utf-8")) for path in documents()}
    assert {path: links for path, links in dead.items() if links} == {}


def test_a_dead_link_is_seen() -> None:
    here = REPOSITORY / "README.md"
    text = "[a](LICENSE) [b](nowhere.md#part) [c](https://example.org/x) [d](#part) ![e](docs/nothing.png)"
    assert dead_links(here, text) == ["nowhere.md", "docs/nothing.png"]
