"""Whoever opens the tree is led to every app."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDERS = ("apps", "docker", "docs", "sandbox", "templates")
PAGES = sorted(
    str(path.relative_to(REPOSITORY))
    for path in [REPOSITORY / "README.md", *(page for name in FOLDERS for page in (REPOSITORY / name).rglob("*.md"))]
)


def test_every_app_has_a_page_and_the_map_leads_to_it() -> None:
    apps = {f"apps/{path.parent.name}/README.md" for path in REPOSITORY.glob("apps/*/apps.py")}
    assert apps <= set(PAGES)
    assert [name for name in sorted(apps) if f"({name})" not in (REPOSITORY / "README.md").read_text()] == []


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_links_to_is_there(page: str) -> None:
    text = (REPOSITORY / page).read_text()
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    assert [link for link in links if not ((REPOSITORY / page).parent / link).exists()] == []
