"""An archive on its way to a browser or a program."""

from django.http import FileResponse

from apps.archives.services import Download


def sent(download: Download) -> FileResponse:
    """The answer that streams an archive and closes it."""
    response = FileResponse(
        download.content, as_attachment=True, filename=download.filename, content_type="application/zip"
    )
    response["Content-Length"] = str(download.size)
    response["Cache-Control"] = "private, no-store"
    return response
