"""Names for the JSON that goes in and out."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]
"""One API object, request body or fragment, as decoded JSON."""
