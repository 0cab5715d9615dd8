"""Prepare the fonts documents are set with; Django is not needed for it, and so not imported."""

from __future__ import annotations

import os
import time
from pathlib import Path

from apps.core.documents.fonts import prepare_fonts

if __name__ == "__main__":
    started = time.monotonic()
    prepare_fonts(Path(os.environ["FONT_DIR"]))
    print(f"prepare fonts: {time.monotonic() - started:.2f} s")
