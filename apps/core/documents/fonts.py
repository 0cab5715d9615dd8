"""The fonts of documents: static instances made once from packaged variable fonts, and what they can display."""

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import fontpkg
import fontTools
import typst
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

# In the order in which a glyph is looked for: the face of the product first, then one face per script.
FAMILIES = ("Inter", "Noto Sans Arabic", "Rubik", "Noto Sans Devanagari", "Noto Sans Thai")
# Used where an installation adds their packages and never demanded: rarer Latin, and tens of megabytes per language.
OPTIONAL_FAMILIES = ("Noto Sans", "Noto Sans SC", "Noto Sans TC", "Noto Sans JP", "Noto Sans KR")
WEIGHTS = (400, 600)

MANIFEST = "manifest.json"
# Raised when the instances or the manifest are made differently, so that prepared directories are made anew.
RECIPE = 1


class FontsUnavailable(Exception):
    """The font directory was not prepared, or a font package is not installed."""


@dataclass(frozen=True)
class Typefaces:
    """Fonts ready for typesetting.

    `families` is the fallback order; `coverage` holds, in the same order, the code points of each family.
    """

    families: tuple[str, ...]
    coverage: tuple[frozenset[int], ...]
    loaded: typst.Fonts


def prepare_fonts(target_dir: Path) -> None:
    """Put static instances (regular and semibold) of every family into `target_dir`; about 15 s CPU at first.

    A directory that is already complete for the installed packages is left untouched, even a read-only one.
    Two processes may call this at once: one works, the other waits and finds the result. A killed run leaves
    whole files only, and the next run starts again.

    Raises:
        FontsUnavailable: a required font package is not installed.
    """
    sources = _sources()
    recipe = _recipe(sources)
    if _is_complete(target_dir, recipe):
        return
    target_dir.mkdir(parents=True, exist_ok=True)
    with _exclusive(target_dir / ".lock"):
        if _is_complete(target_dir, recipe):
            return
        for aborted in target_dir.glob(".*.partial"):
            aborted.unlink()
        fonts = [_instances(family, path, target_dir) for family, path in sources.items()]
        manifest = json.dumps({"recipe": recipe, "fonts": fonts}, separators=(",", ":"))
        with _replacing(target_dir / MANIFEST) as temporary:
            temporary.write_text(manifest)


def load_typefaces(font_dir: Path) -> Typefaces:
    """The typefaces of a prepared directory; read once per process and preparation.

    Raises:
        FontsUnavailable: `prepare_fonts` has not completed for this directory.
    """
    try:
        changed_at = (font_dir / MANIFEST).stat().st_mtime_ns
    except OSError as error:
        raise FontsUnavailable(f"No prepared fonts in {font_dir}; run prepare_fonts first") from error
    return _load(font_dir, changed_at)


@lru_cache(maxsize=4)
def _load(font_dir: Path, changed_at: int) -> Typefaces:
    fonts = _read_manifest(font_dir)["fonts"]
    families = tuple(font["family"] for font in fonts)
    loaded = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(font_dir)])
    # Without any font typst sets nothing and reports nothing: a blank invoice that passes every standard.
    available = [(font.family, font.weight) for font in loaded.fonts()]
    missing = [f"{family} {weight}" for family in families for weight in WEIGHTS if (family, weight) not in available]
    if not families or missing:
        raise FontsUnavailable(f"Fonts missing in {font_dir}: {', '.join(missing)}; run prepare_fonts again")
    return Typefaces(families, tuple(frozenset(_expand(font["coverage"])) for font in fonts), loaded)


def _sources() -> dict[str, Path]:
    installed = fontpkg.families()
    missing = [name for name in FAMILIES if fontpkg.slugify(name) not in installed]
    if missing:
        raise FontsUnavailable(f"Font packages not installed: {', '.join(missing)}")
    optional = [name for name in OPTIONAL_FAMILIES if fontpkg.slugify(name) in installed]
    return {name: fontpkg.path(name, nearest=True) for name in (*FAMILIES, *optional)}


def _recipe(sources: dict[str, Path]) -> str:
    """A fingerprint of everything that decides the bytes of the instances."""
    parts = [f"{RECIPE} {fontTools.version} {WEIGHTS}"]
    parts += [f"{family} {fontpkg.family(family).version} {path.stat().st_size}" for family, path in sources.items()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _is_complete(target_dir: Path, recipe: str) -> bool:
    try:
        manifest = _read_manifest(target_dir)
    except FontsUnavailable:
        return False
    files = [name for font in manifest["fonts"] for name in font["files"]]
    return manifest["recipe"] == recipe and all((target_dir / name).is_file() for name in files)


def _read_manifest(directory: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((directory / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise FontsUnavailable(f"No prepared fonts in {directory}; run prepare_fonts first") from error
    return manifest


def _instances(family: str, source: Path, target_dir: Path) -> dict[str, Any]:
    files: list[str] = []
    covered: set[int] = set()
    for weight in WEIGHTS:
        # recalcTimestamp would write the clock into the font, and two machines would differ.
        with TTFont(source, recalcTimestamp=False) as font:
            if "fvar" in font:
                pins = {axis.axisTag: axis.defaultValue for axis in font["fvar"].axes} | {"wght": weight}
                instancer.instantiateVariableFont(font, pins, inplace=True)
                font["OS/2"].usWeightClass = weight
            points = set(font.getBestCmap())
            name = f"{family.replace(' ', '')}-{weight}.ttf"
            with _replacing(target_dir / name) as temporary:
                font.save(temporary)
        # A character counts only where every weight has it.
        covered = covered & points if files else points
        files.append(name)
    return {"family": family, "files": files, "coverage": _ranges(covered)}


def _ranges(points: Iterable[int]) -> list[list[int]]:
    ordered = sorted(points)
    gaps = [(end, start) for end, start in pairwise(ordered) if start != end + 1]
    starts = [*ordered[:1], *(start for _, start in gaps)]
    ends = [*(end for end, _ in gaps), *ordered[-1:]]
    return [[start, end] for start, end in zip(starts, ends, strict=True)]


def _expand(ranges: Iterable[list[int]]) -> Iterator[int]:
    for start, end in ranges:
        yield from range(start, end + 1)


@contextmanager
def _exclusive(lock: Path) -> Iterator[None]:
    # The kernel frees an flock when its process dies, so a killed preparation never locks out the next.
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".partial")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
