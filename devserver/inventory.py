"""What the product is made of: the locked requirements as a CycloneDX 1.6 document, the same for the same lock."""

from __future__ import annotations

import json
import re
import sys
import uuid
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

LOCK = Path(__file__).resolve().parent.parent / "requirements" / "base.txt"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://cyclonedx.org/insula")


def inventory(lock: str) -> dict[str, Any]:
    """The packages that `lock` pins, with their licences as far as they are installed and say so."""
    pinned = sorted((re.sub(r"[-_.]+", "-", name).lower(), version) for name, version in _PINNED.findall(lock))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, lock)}",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "insula", "name": "insula"}},
        "components": [_component(name, version) for name, version in pinned],
    }


def _component(name: str, version: str) -> dict[str, Any]:
    address = f"pkg:pypi/{name}@{version}"
    found = {"type": "library", "bom-ref": address, "name": name, "version": version, "purl": address}
    licences = _licences(name)
    return {**found, "licenses": licences} if licences else found


def _licences(name: str) -> list[dict[str, Any]]:
    try:
        told: dict[str, Any] = metadata(name).json
    except PackageNotFoundError:
        return []
    if expression := told.get("license_expression"):
        return [{"expression": expression}]
    classified = [line.rsplit(" :: ", 1)[1] for line in told.get("classifier", ()) if line.startswith("License ::")]
    # Some packages have the whole text in this field.
    named = classified or [str(told.get("license", "")).strip().split("\n", 1)[0]]
    return [{"license": {"name": one}} for one in named if one]


if __name__ == "__main__":
    json.dump(inventory(LOCK.read_text()), sys.stdout, indent=1)
