"""The inventory of components tells of everything that is locked, and of nothing else."""

import json

from devserver.inventory import LOCK, inventory


def test_every_locked_package_is_in_it_with_its_licence() -> None:
    lock = LOCK.read_text()
    told = json.loads(json.dumps(inventory(lock)))
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    pinned = [line.split(" ", 1)[0] for line in lock.splitlines() if line[:1].isalpha()]
    assert [f"{one['name']}=={one['version']}" for one in told["components"]] == [line.split("[")[0] for line in pinned]
    assert {one["purl"] for one in told["components"]} == {one["bom-ref"] for one in told["components"]}
    assert [one["name"] for one in told["components"] if not one.get("licenses")] == []


def test_the_same_lock_gives_the_same_inventory() -> None:
    lock = "With.Extra[one,two]==4 ; python_version > '3'\na-package==1.2.3 \\\n    --hash=sha256:00\n    # via b==9\n"
    told = inventory(lock)
    assert told == inventory(lock) and told["serialNumber"] != inventory(lock + "more==1\n")["serialNumber"]
    assert [one["purl"] for one in told["components"]] == ["pkg:pypi/a-package@1.2.3", "pkg:pypi/with-extra@4"]
