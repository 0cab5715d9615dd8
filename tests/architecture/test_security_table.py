"""The table of docs/security.md is whole, says one of five things of each requirement, and its links lead somewhere."""

import re
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/security.md"
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([^|]+) \| (met|in part|open|operator|n/a) \| (.*) \|$", re.MULTILINE)
LINK = re.compile(r"\]\(\.\./([^)#]+)(?:#(\w+))?\)")

# ASVS 5.0.0, levels 1 and 2: the numbers of each section.
ASKED = {
    "1.1": "1-2",
    "1.2": "1-9",
    "1.3": "1-11",
    "1.4": "1-3",
    "1.5": "1-2",
    "2.1": "1-3",
    "2.2": "1-3",
    "2.3": "1-4",
    "2.4": "1",
    "3.2": "1-2",
    "3.3": "1-4",
    "3.4": "1-6",
    "3.5": "1-5",
    "3.7": "1-2",
    "4.1": "1-3",
    "4.2": "1",
    "4.3": "1-2",
    "4.4": "1-4",
    "5.1": "1",
    "5.2": "1-3",
    "5.3": "1-2",
    "5.4": "1-3",
    "6.1": "1-3",
    "6.2": "1-12",
    "6.3": "1-4",
    "6.4": "1-4",
    "6.5": "1-5",
    "6.6": "1-3",
    "6.8": "1-4",
    "7.1": "1-3",
    "7.2": "1-4",
    "7.3": "1-2",
    "7.4": "1-5",
    "7.5": "1-2",
    "7.6": "1-2",
    "8.1": "1-2",
    "8.2": "1-3",
    "8.3": "1",
    "8.4": "1",
    "9.1": "1-3",
    "9.2": "1-4",
    "10.1": "1-2",
    "10.2": "1-2",
    "10.3": "1-4",
    "10.4": "1-11",
    "10.5": "1-5",
    "10.6": "1-2",
    "10.7": "1-3",
    "11.1": "1-2",
    "11.2": "1-3",
    "11.3": "1-3",
    "11.4": "1-4",
    "11.5": "1",
    "11.6": "1",
    "12.1": "1-3",
    "12.2": "1-2",
    "12.3": "1-4",
    "13.1": "1",
    "13.2": "1-5",
    "13.3": "1-2",
    "13.4": "1-5",
    "14.1": "1-2",
    "14.2": "1-4",
    "14.3": "1-3",
    "15.1": "1-3",
    "15.2": "1-3",
    "15.3": "1-7",
    "16.1": "1",
    "16.2": "1-5",
    "16.3": "1-4",
    "16.4": "1-3",
    "16.5": "1-3",
    "17.1": "1",
    "17.2": "1-4",
    "17.3": "1-2",
}


def asked() -> list[str]:
    found = []
    for section, numbers in ASKED.items():
        for part in numbers.split():
            first, _, last = part.partition("-")
            found += [f"{section}.{number}" for number in range(int(first), int(last or first) + 1)]
    return found


def rows() -> list[tuple[str, str, str]]:
    return [(found[1], found[3], found[4]) for found in ROW.finditer(DOCUMENT.read_text())]


def test_every_requirement_has_one_line() -> None:
    assert len(asked()) == 253
    assert [number for number, _, _ in rows()] == asked()


def test_the_numbers_in_its_head_are_those_of_its_lines() -> None:
    text = DOCUMENT.read_text()
    for state in ("met", "in part", "open", "operator", "n/a"):
        told = re.search(rf"\*\*{state}\*\* (\d+)", text)
        assert told and int(told[1]) == sum(1 for _, found, _ in rows() if found == state), state


def test_every_link_leads_to_a_test_that_exists() -> None:
    for number, _, proof in rows():
        for path, name in LINK.findall(proof):
            file = DOCUMENT.parents[1] / path
            assert file.is_file(), (number, path)
            if name:
                assert re.search(rf"^def {name}\(", file.read_text(), re.MULTILINE), (number, path, name)


@pytest.mark.parametrize("state", ["met", "in part"])
def test_what_is_claimed_has_a_proof(state: str) -> None:
    assert [number for number, found, proof in rows() if found == state and not LINK.search(proof)] == []
