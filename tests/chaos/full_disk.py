"""A disk that fills up: run in a mount namespace of its own, where the folder given is a small file system.

    unshare -m python -m tests.chaos.full_disk <folder>      (as root: elsewhere PostgreSQL can't have another account)

Prints the account as JSON. The file system holds PostgreSQL's files alone, as a volume of its own would.
"""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Final

from huitouke.installation import POSTGRES_FOLDER
from tests.chaos.account import Account, draw_up
from tests.chaos.merchant import Merchant
from tests.chaos.storm import settle
from tests.chaos.town import THREE_ROLES, Town, merchant, town

MEBIBYTE: Final = 1 << 20
DISK_MIB: Final = 400
FULL_SECONDS: Final = 10.0
PAUSE_SECONDS: Final = 0.1
SETTLE_SECONDS: Final = 90.0


async def fill_up(folder: Path, seconds: float) -> int:
    """Takes whatever room there is, again and again, for that long, then gives it back. How many bytes it had."""
    taken = folder / "taken"
    ends = monotonic() + seconds
    with taken.open("wb", buffering=0) as file:
        while monotonic() < ends:
            _take_all(file.fileno())
            await asyncio.sleep(PAUSE_SECONDS)
    size = (await asyncio.to_thread(taken.stat)).st_size
    await asyncio.to_thread(taken.unlink)
    return size


def _take_all(file: int) -> None:
    block = bytes(64 * 1024)
    for size in (len(block), 4096):
        try:
            while True:
                os.write(file, block[:size])
        except OSError:
            continue


async def talk(shop: Merchant, ends: float) -> None:
    while monotonic() < ends:
        for customer in shop.customers[:-1]:
            await shop.says(customer, "多久发货")
        await asyncio.sleep(1)


async def fill_and_hold_to_account(folder: Path) -> tuple[Account, int, list[str]]:
    """Customers write before, while and after nothing more can be stored."""
    async with town(folder, THREE_ROLES) as running, merchant(running, 6) as shop:
        talking = asyncio.create_task(talk(shop, monotonic() + FULL_SECONDS + 6))
        await asyncio.sleep(3)
        taken = await fill_up(folder / POSTGRES_FOLDER, FULL_SECONDS)
        await talking
        await _until_ready(running)
        await settle(running, shop, SETTLE_SECONDS)
        account = await draw_up(running, shop, [])
        endings = [ending for service in running.services.values() for ending in service.endings]
    return account, taken, endings


async def _until_ready(running: Town) -> None:
    async with asyncio.timeout(SETTLE_SECONDS):
        while not running.postgres.is_ready():  # noqa: ASYNC110 - another process
            await asyncio.sleep(PAUSE_SECONDS)
    await running.ready()


def main() -> None:
    """Mounts, fills, prints."""
    folder = Path(sys.argv[1])
    disk = folder / POSTGRES_FOLDER
    disk.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=0755", "none", str(disk)]
    if subprocess.run(mount, check=False).returncode != 0:
        print(json.dumps({"not_allowed": "no file system may be mounted here"}))
        return
    account, taken, endings = asyncio.run(fill_and_hold_to_account(folder))
    print(json.dumps({**asdict(account), "taken_mib": taken // MEBIBYTE, "endings": endings}))


if __name__ == "__main__":
    main()
