"""Logos: whatever picture was uploaded, drawn anew as one small PNG whose digest is its name."""

import hashlib
import io
import warnings
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from apps.core.errors import ValidationFailed

LARGEST_FILE = 2 * 1024 * 1024
LARGEST_PIXELS = 16_000_000
SIZE = (640, 240)
# Made as small as this at once, since each later step holds a copy.
_WORKED_ON = (2560, 2560)
FORMATS = ("PNG", "JPEG", "WEBP")


def store(tenant_id: UUID, content: bytes) -> str:
    """Keep a logo and return its digest. Only pixels survive: no metadata, no second picture, nothing to run.

    The file stays when another logo follows, because issued invoices show the one that they were issued with.

    Raises:
        ValidationFailed: too large, or no PNG, JPEG or WebP picture.
    """
    if len(content) > LARGEST_FILE:
        raise _refused("too_large", _("The file is larger than 2 MB."))
    drawn = _redrawn(content)
    digest = hashlib.sha256(drawn).hexdigest()
    key = key_of(tenant_id, digest)
    if not default_storage.exists(key):
        default_storage.save(key, ContentFile(drawn))
    return digest


def read(tenant_id: UUID, digest: str) -> bytes | None:
    """The PNG of a tenant's logo, if the storage has it."""
    try:
        with default_storage.open(key_of(tenant_id, digest)) as stored:
            return bytes(stored.read())
    except FileNotFoundError:
        return None


def key_of(tenant_id: UUID, digest: str) -> str:
    """Where the storage keeps a logo."""
    return f"tenants/{tenant_id}/logos/{digest}.png"


def _redrawn(content: bytes) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
                if picture.width * picture.height > LARGEST_PIXELS:
                    raise _refused("too_large", _("The picture has too many pixels; 640 × 240 are enough."))
                picture.thumbnail(_WORKED_ON)
                upright = ImageOps.exif_transpose(picture)
                plain = upright.convert("RGBA")
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _refused("not_a_picture", _("Upload a PNG, JPEG or WebP picture.")) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise _refused("damaged", _("This picture is damaged.")) from error
    box = plain.getchannel("A").getbbox()
    if box is None:
        raise _refused("empty", _("This picture is empty: every point is transparent."))
    plain = plain.crop(box)
    plain.thumbnail(SIZE)
    out = io.BytesIO()
    plain.save(out, "PNG", optimize=True)
    return out.getvalue()


def _refused(code: str, detail: str) -> ValidationFailed:
    return ValidationFailed.one("logo", code, detail)
