"""Templates, styles and scripts keep the pages' rules: nothing inline, nothing from elsewhere, nothing untranslated."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TEMPLATES = REPOSITORY / "templates"
# E-mails need inline styles, Unfold's admin has templates and a policy of its own.
ELSEWHERE = ("emails", "pdf", "admin")
PAGES = sorted(
    path for path in TEMPLATES.rglob("*.html") if path.relative_to(TEMPLATES).parts[0] not in ELSEWHERE
)  # fmt: skip
STYLES = sorted(path for path in (REPOSITORY / "static" / "css").glob("*.css") if path.name != "admin.css")
SCRIPTS = sorted((REPOSITORY / "static" / "js").glob("*.js"))

FORBIDDEN = {
    # django-cotton gives an expression it cannot resolve as nothing, without a word.
    "a computed attribute, which cotton drops in silence": re.compile(
        r"""\s:[\w-]+=(["'])[^"']*(?:==|!=|\||<|>)[^"']*\1"""
    ),
    "an inline style": re.compile(r"<style\b|\sstyle\s*=", re.IGNORECASE),
    "an inline handler": re.compile(r"\s(?:on[a-z]+|hx-on[\w:-]*)\s*=", re.IGNORECASE),
    "an inline script": re.compile(r"<script\b(?![^>]*\ssrc=)[^>]*>|javascript:", re.IGNORECASE),
    "an asset from elsewhere": re.compile(r"""(?:src|href)\s*=\s*["'](?:https?:)?//""", re.IGNORECASE),
    "a hard-wired static path": re.compile(r"""["']/static/"""),
}
PHYSICAL = re.compile(
    r"(?<![\w-])(?:(?:margin|padding|border|inset)-(?:left|right)[\w-]*|(?:left|right)|(?:text-align|float|clear)\s*:\s*(?:left|right))"
    r"(?=\s*:|\s*;)"
)
FOUR_SIDES = re.compile(r"(?:margin|padding|inset): ([^\s;()]+) ([^\s;()]+) ([^\s;()]+) ([^\s;()]+);")
# Words that are the same in every language, and keys that people press.
SAME_EVERYWHERE = {"Insula", "PDF", "API", "G", "D", "I", "C", "P", "K", "EUR"}


def _relative(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


@pytest.mark.parametrize("rule", FORBIDDEN)
def test_no_template_holds(rule: str) -> None:
    found = [
        f"{_relative(path)}: {match[0].strip()}"
        for path in PAGES
        for match in FORBIDDEN[rule].finditer(path.read_text())
    ]
    assert found == []


def test_every_rule_finds_what_it_is_for() -> None:
    bad = {
        "a computed attribute, which cotton drops in silence": '<c-tab :active="a == b" />',
        "an inline style": '<p style="color: red">',
        "an inline handler": '<button onclick="go()">',
        "an inline script": "<script>go()</script>",
        "an asset from elsewhere": '<link href="https://cdn.example/x.css">',
        "a hard-wired static path": '<img src="/static/x.png">',
    }
    assert [rule for rule, pattern in FORBIDDEN.items() if not pattern.search(bad[rule])] == []
    assert FORBIDDEN["a computed attribute, which cotton drops in silence"].search("<c-a :b='x|length' />")
    assert PHYSICAL.search("  margin-left: 4px;") and PHYSICAL.search("text-align: right;")
    assert not PHYSICAL.search("margin-inline-start: 4px; border-block-start: 0")
    assert _untranslated("<b>Save it</b>") == ["Save it"]


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_styles_are_logical_so_that_they_mirror(path: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    assert PHYSICAL.findall(text) == []
    assert [sides[0] for sides in FOUR_SIDES.finditer(text) if sides[2] != sides[4]] == []


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_styles_live_in_a_layer_and_load_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text()
    assert "@layer" in text
    assert not re.search(r"https?://|@import|!important", text)


def test_every_style_is_loaded() -> None:
    assets = (TEMPLATES / "layouts" / "_assets.html").read_text()
    assert [path.name for path in STYLES if f"css/{path.name}" not in assets] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_evaluate_nothing_and_fetch_from_here_only(path: Path) -> None:
    assert not re.search(r"\beval\(|new Function|https?://|setAttribute\(['\"](?:on|style)", path.read_text())


def test_visible_text_is_translated() -> None:
    found = [f"{_relative(path)}: {text}" for path in PAGES for text in _untranslated(path.read_text())]
    assert found == []


def _untranslated(template: str) -> list[str]:
    return [text for text in _visible(template) if re.search(r"[^\W\d_]{2,}", _without_constants(text))]


def _without_constants(text: str) -> str:
    return " ".join(word for word in text.split() if word.strip("⌘.,:") not in SAME_EVERYWHERE)


def _visible(template: str) -> Iterator[str]:
    text = re.sub(r"{#.*?#}|{% comment %}.*?{% endcomment %}", "", template, flags=re.DOTALL)
    text = re.sub(r"{% blocktranslate.*?{% endblocktranslate %}", "", text, flags=re.DOTALL)
    named = re.compile(
        r"""\s(?:aria-label|title|placeholder|alt|label|text|subtitle)=(["'])((?:{%.*?%}|{{.*?}}|[^"'])*)\1"""
    )
    for match in named.finditer(text):
        yield re.sub(r"{%.*?%}|{{.*?}}", "", match[2]).strip()
    text = re.sub(r"{%.*?%}|{{.*?}}|&\w+;", "", text, flags=re.DOTALL)
    text = re.sub(r"<(script|style|title)\b.*?</\1>", "", text, flags=re.DOTALL)
    for piece in re.split(r"<[^>]*>", text):
        if piece.strip():
            yield piece.strip()
