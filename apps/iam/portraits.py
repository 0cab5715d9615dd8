"""From a file that somebody uploaded to the pictures that are shown: drawn anew, so that only pixels survive."""

import io
import re
import warnings

from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from apps.core.errors import ValidationFailed

LARGEST_FILE = 5 * 1024 * 1024
LARGEST_PIXELS = 25_000_000
SIZES = (256, 64)  # pixels a side
CONTENT_TYPE = "image/webp"
# By what the bytes are, whatever the file is called.
CONTENT_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}

# A picture that is also something else (an archive behind it, a page or a program in it) is nobody's portrait. What is
# drawn anew would be harmless; refusing tells the sender.
_OTHERWISE = re.compile(rb"<script|<\?php|<html|<!doctype|<iframe|javascript:", re.IGNORECASE)
_ARCHIVE_END = b"PK\x05\x06"
_ARCHIVE_TAIL = 22 + 65_535
_DOCUMENT, _DOCUMENT_HEAD = b"%PDF-", 1024


def draw(content: bytes, declared: str = "") -> dict[int, bytes]:
    """The square WebP pictures of an upload by their sizes; upright, without metadata, the first frame only.

    `declared`: the content type that was announced, if any.

    Raises:
        ValidationFailed: too large, no JPEG, PNG, WebP or GIF, another one than announced, damaged, too many pixels,
            or a picture and something else at once.
    """
    if len(content) > LARGEST_FILE:
        raise refused("too_large", _("The file is larger than 5 MB."))
    if _is_more_than_a_picture(content):
        raise refused("not_a_picture", _("This file is more than a picture."))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=tuple(CONTENT_TYPES)) as picture:
                if declared and CONTENT_TYPES.get(picture.format or "") != declared:
                    raise refused("other_type", _("This is another kind of picture than was announced."))
                if picture.width * picture.height > LARGEST_PIXELS:
                    raise refused("too_many_pixels", _("The picture has too many pixels; 256 × 256 are enough."))
                return _squares(picture)
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise refused("not_a_picture", _("Upload a JPEG, PNG, WebP or GIF picture.")) from error
    except (OSError, SyntaxError, ValueError, EOFError, OverflowError) as error:
        raise refused("damaged", _("This picture is damaged.")) from error


def refused(code: str, detail: str) -> ValidationFailed:
    """The refusal of a picture."""
    return ValidationFailed.one("avatar", code, detail)


def _squares(picture: Image.Image) -> dict[int, bytes]:
    largest = SIZES[0]
    # JPEG decodes at a fraction of its size at once; elsewhere this does nothing.
    picture.draft("RGB", (2 * largest, 2 * largest))
    upright = ImageOps.exif_transpose(picture).convert("RGBA")
    made = {}
    for size in SIZES:
        square = ImageOps.fit(upright, (size, size), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        square.save(out, "WEBP", quality=85, method=4)
        made[size] = out.getvalue()
    return made


def _is_more_than_a_picture(content: bytes) -> bool:
    return (
        _OTHERWISE.search(content) is not None
        or _ARCHIVE_END in content[-_ARCHIVE_TAIL:]
        or _DOCUMENT in content[:_DOCUMENT_HEAD]
    )
