"""Uploading from the console."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.datastructures import UploadFile

from huitouke.kernel import plans
from huitouke.kernel.errors import InvalidInput
from huitouke.kernel.files import service
from huitouke.kernel.files.purposes import purpose_named
from huitouke.kernel.files.stores import CHUNK_BYTES
from huitouke.kernel.http import ConsoleContext

UPLOAD_PATH: Final = "/api/files"

router = APIRouter(prefix=UPLOAD_PATH, tags=["files"])

_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


class FileOut(BaseModel):
    """A stored file. `url` may be read for 30 to 60 minutes."""

    id: UUID
    name: str
    bytes: int
    media_type: str
    url: str


@router.post("", status_code=201, operation_id="files_upload", openapi_extra=_FORM)
async def upload(
    request: Request,
    context: ConsoleContext,
    purpose: Annotated[str, Query(description="message_image, message_file or knowledge_import.", max_length=50)],
) -> FileOut:
    """Stores the form's `file`. It is removed after 24 hours unless it becomes part of something.

    The body is read here, and not by the framework, so that strangers are refused before they send anything.
    """
    if not purpose_named(purpose).people:
        raise InvalidInput(field="purpose", reason="unknown_purpose")
    # Measured before, and by what people send only: what customers send is kept whatever the plan says.
    await plans.require_left(context, "storage")
    async with request.form(max_files=1, max_fields=4) as form:
        sent = form.get("file")
        if not isinstance(sent, UploadFile):
            raise InvalidInput(field="file", reason="missing")
        stored = await service.receive(context, purpose, sent.filename or "file", _chunks(sent))
    return FileOut(
        id=stored.id,
        name=stored.name,
        bytes=stored.bytes,
        media_type=stored.media_type,
        url=service.signed_url(context, stored.id),
    )


async def _chunks(sent: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await sent.read(CHUNK_BYTES):
        yield chunk
