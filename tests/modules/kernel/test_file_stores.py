"""Both stores keep the same promises: the folder, and S3 (against moto's server)."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from huitouke.kernel.files.s3 import S3Store
from huitouke.kernel.files.stores import FolderStore, ObjectMissingError, Store
from huitouke.kernel.ids import new_id
from huitouke.kernel.settings import Settings

BUCKET = "huitouke-test"


@pytest.fixture(scope="module")
def s3_address() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    ).create_bucket(Bucket=BUCKET)
    yield address
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return FolderStore(tmp_path / "objects")
    return S3Store(
        Settings(
            files_s3_bucket=BUCKET,
            files_s3_endpoint=request.getfixturevalue("s3_address"),
            files_s3_region="us-east-1",
            files_s3_access_key="a",
            files_s3_secret_key=SecretStr("b"),
        )
    )


@pytest.fixture
def name() -> str:
    return f"tenant/2026/11/{new_id()}"


async def everything(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


async def test_what_was_put_is_read_whole_or_in_part(store: Store, name: str, tmp_path: Path):
    content = bytes(range(256)) * 1000
    (tmp_path / "incoming").write_bytes(content)

    await store.put(name, tmp_path / "incoming")

    assert await everything(store.read(name, 0, len(content))) == content
    assert await everything(store.read(name, 1000, 10)) == content[1000:1010]


async def test_what_was_deleted_is_missing_and_deleting_twice_is_no_error(store: Store, name: str, tmp_path: Path):
    (tmp_path / "incoming").write_bytes(b"x")
    await store.put(name, tmp_path / "incoming")

    await store.delete(name)
    await store.delete(name)

    with pytest.raises(ObjectMissingError):
        await everything(store.read(name, 0, 1))
