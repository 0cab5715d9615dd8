"""Where a browser or program puts a file: into the bucket by a presigned address, or to our own by a signed one."""

import posixpath
from dataclasses import dataclass
from uuid import UUID

from django.core import signing
from django.core.files.storage import Storage, default_storage
from django.urls import reverse
from storages.backends.s3 import S3Storage

_SALT = "apps.iam.avatar_uploads"


@dataclass(frozen=True, slots=True)
class UploadTarget:
    """How to send the file: `method` to `url` with `headers`."""

    url: str
    method: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Upload:
    """What a signed address of our own stands for."""

    tenant_id: UUID
    name: str


def target_for(
    upload: Upload, *, key: str, content_type: str, size: int | None, seconds: int, base_url: str
) -> UploadTarget:
    """The address for one file, good for `seconds`. `base_url`: where the caller reaches us.

    A bucket checks the size only when it was announced (it is signed then); what arrived is checked again anyway.
    """
    headers = {"Content-Type": content_type} if content_type else {}
    bucket = _bucket()
    if bucket is None:
        token = signing.dumps([str(upload.tenant_id), upload.name], salt=_SALT)
        return UploadTarget(base_url + reverse("api:avatar-upload", args=[token]), "PUT", headers)
    parameters = {"Bucket": bucket.bucket_name, "Key": posixpath.join(bucket.location, key)}
    if content_type:
        parameters["ContentType"] = content_type
    if size is not None:
        parameters["ContentLength"] = size
    url = bucket.connection.meta.client.generate_presigned_url("put_object", Params=parameters, ExpiresIn=seconds)
    return UploadTarget(url, "PUT", headers)


def read_token(token: str, *, seconds: int) -> Upload | None:
    """What an address of our own stands for; nothing when it is forged, too old, or files go to a bucket."""
    if _bucket() is not None:
        return None
    try:
        tenant_id, name = signing.loads(token, salt=_SALT, max_age=seconds)
        return Upload(UUID(tenant_id), name)
    except (signing.BadSignature, ValueError, TypeError):
        return None


def _bucket() -> S3Storage | None:
    # The storage of the settings, behind Django's lazy stand-in.
    storage: Storage = default_storage
    return storage if isinstance(storage, S3Storage) else None
