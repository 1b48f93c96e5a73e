"""Compile the message catalogues that are newer than their compiled form: python -m kpt.messages"""

from pathlib import Path

import polib  # type: ignore[import-untyped]

LOCALE = Path(__file__).resolve().parent.parent / "locale"


def compile_catalogues(folder: Path = LOCALE) -> list[Path]:
    """The catalogues that were compiled."""
    stale = [source for source in sorted(folder.glob("**/*.po")) if is_stale(source)]
    for source in stale:
        unfinished = source.with_suffix(".mo.new")
        polib.pofile(str(source)).save_as_mofile(str(unfinished))
        unfinished.rename(source.with_suffix(".mo"))
    return stale


def is_stale(source: Path) -> bool:
    compiled = source.with_suffix(".mo")
    return not compiled.exists() or compiled.stat().st_mtime_ns < source.stat().st_mtime_ns


if __name__ == "__main__":
    compile_catalogues()
