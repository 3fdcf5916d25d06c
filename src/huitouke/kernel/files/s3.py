"""Files in an S3-compatible store (extra `s3`): Aliyun OSS, Tencent COS, MinIO and their like."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiobotocore.session
import anyio
from botocore.config import Config
from botocore.exceptions import ClientError

from huitouke.kernel.files.stores import CHUNK_BYTES, ObjectMissingError
from huitouke.kernel.settings import Settings

CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 30
ATTEMPTS: Final = 3
_MISSING: Final = frozenset({"NoSuchKey", "404"})


class S3Store:
    """Objects in one bucket, which must exist. Opens a client per call: sockets never outlive their event loop."""

    def __init__(self, settings: Settings) -> None:
        self._bucket = settings.files_s3_bucket
        self._session = aiobotocore.session.get_session()
        secret = settings.files_s3_secret_key
        self._options: dict[str, Any] = {
            "endpoint_url": settings.files_s3_endpoint,
            "region_name": settings.files_s3_region,
            "aws_access_key_id": settings.files_s3_access_key,
            "aws_secret_access_key": secret.get_secret_value() if secret is not None else None,
            "config": Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"max_attempts": ATTEMPTS, "mode": "standard"},
                # Stores other than Amazon's refuse the newer checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        }

    async def put(self, name: str, path: Path) -> None:
        """Uploads the file in one request; files are at most 100 MB."""
        async with self._client() as client, await anyio.open_file(path, "rb") as file:
            await client.put_object(Bucket=self._bucket, Key=name, Body=await file.read())

    async def read(self, name: str, start: int, length: int) -> AsyncIterator[bytes]:
        """Streams the range."""
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(self._client())
            try:
                answer = await client.get_object(
                    Bucket=self._bucket, Key=name, Range=f"bytes={start}-{start + length - 1}"
                )
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") in _MISSING:
                    raise ObjectMissingError(name) from error
                raise
            body = await stack.enter_async_context(answer["Body"])
            while chunk := await body.read(CHUNK_BYTES):
                yield chunk

    async def delete(self, name: str) -> None:
        """Removes the object; S3 says nothing when there is none."""
        async with self._client() as client:
            await client.delete_object(Bucket=self._bucket, Key=name)

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[Any]:
        async with self._session.create_client("s3", **self._options) as client:
            yield client
