"""A catalogue-like knowledge made by arithmetic: 1,000,000 entries over many tenants, and what people ask of it.

An entry is a thing and a property in one of several wordings, as a merchant's table of goods or branches gives them.
That is the hard case for an index: most terms stand in thousands of entries, and few tell one from another.

The large tenants are cut by the product's own code; the many small ones are copies of slices, made by the server.
Sketch: 45 postings an entry, 45 M postings.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from benchmarks.support.report import say
from huitouke.kernel.database import DatabaseUrls
from huitouke.modules.assistant.retrieval.check import terms_to_weigh
from huitouke.modules.assistant.retrieval.terms import postings

TOTAL: Final = 1_000_000
LARGE: Final = 100_000
MIDDLE: Final = 10_000
SMALL: Final = 1_000
"""Entries of the one large tenant, the middle one, and each of the many small ones."""

AT_ONCE: Final = 2_000
MADE_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)

_CHARACTERS: Final = (
    "安宝北碧彩长春大德东方芳丰福古光广桂海和红花华怀欢辉嘉建江金锦京景静久开康可兰乐丽莲凌龙绿满美明"
    "南宁平普齐千青清庆秋泉荣瑞三山尚盛石时双水四松苏泰天同望文五西溪仙香小晓新欣兴秀雅阳怡银永雨玉园远月云泽真知中竹紫"
)
_KINDS: Final = ("酒店", "餐厅", "公园", "茶馆", "书店", "花店", "面馆", "民宿", "影院", "健身房", "烘焙坊", "便利店")
_PROPERTIES: Final = (
    ("地址在哪里", "位置", "怎么过去", "在{place}路{number}号，地铁口出来步行五分钟。"),
    ("电话是多少", "联系方式", "号码给我一下", "前台电话 000-{number}0000，每天 8:00 到 22:00 有人接听。"),
    ("几点开门", "营业时间", "晚上几点关门", "每天 {hour}:00 到 22:00，节假日照常。"),
    ("人均多少钱", "价格", "贵不贵", "人均 {number} 元，周末和节假日以当天价格为准。"),
    ("有停车位吗", "停车", "车停哪里", "门口有 {number} 个车位，消费后免费停 {hour} 小时。"),
    ("评分是多少", "口碑如何", "大家觉得怎么样", "在各平台平均 4.{hour} 分，{place}路一带排第{hour}。"),
    ("附近有什么景点", "旁边可以玩什么", "周边好玩的", "步行可到{place}公园和{place}广场。"),
    ("附近哪里有地铁站", "坐地铁怎么走", "离地铁远吗", "{hour} 号线{place}站 B 口，步行约 {number} 米。"),
    ("可以开发票吗", "发票", "抬头怎么写", "可以，付款后在小程序里填抬头，{hour} 天内发到邮箱。"),
    ("有什么招牌", "推荐什么", "必点的是什么", "{place}招牌和当季新品最受欢迎。"),
    ("会员有什么优惠", "积分怎么用", "能打折吗", "会员日打 {hour} 折，积分每 {number} 分抵 1 元。"),
    ("怎么预约", "要提前预订吗", "怎么订位", "在小程序里选时间，最晚提前 {hour} 小时。"),
    ("可以退吗", "不想去了怎么退", "取消要扣钱吗", "开始前 {hour} 小时可以全额退。"),
    ("有无线网吗", "上网", "密码是多少", "全店免费，密码是 {number}{number}。"),
    ("能带宠物吗", "可以带狗进去吗", "猫能进吗", "{hour} 公斤以下的可以，请牵好绳子。"),
    ("适合带孩子吗", "有儿童椅吗", "小孩收费吗", "1.{hour} 米以下免费，有儿童椅 {number} 把。"),
)
_OPENINGS: Final = (
    "",
    "",
    "你好，",
    "请问",
    "好的，知道了。那",
    "朋友推荐了你们，",
    "我周末想去，麻烦问一下，",
    "嗯嗯，",
)
_BEFORE: Final = ("我们一家三口周末过去", "上次去过一次，挺好的", "听朋友说你们不错", "好的谢谢", "那我想想")

_ENTRY_COLUMNS: Final = (
    "tenant_id, id, question, question_key, variants, answer, group_name, state, source, version, created_at,"
    " updated_at, updated_by, deleted_at"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the catalogue. Its id is made of its number."""

    number: int
    question: str
    variants: tuple[str, str]
    answer: str

    @property
    def id(self) -> UUID:
        """The same for the same number, in every tenant."""
        return UUID(int=0x01990000_0000_7000_8000_000000000000 + self.number)


def tenant_id(number: int) -> UUID:
    """Tenant 0 is the large one, 1 the middle one, from 2 on they are small."""
    return UUID(int=0x01980000_0000_7000_8000_000000000000 + number)


def entry(number: int) -> Entry:
    """The entry of that number: thing number // 16, property number % 16."""
    thing, (question, noun, other, answer) = _thing(number // len(_PROPERTIES)), _PROPERTIES[number % len(_PROPERTIES)]
    chance = random.Random(number)
    said = answer.format(place=_name(chance), number=chance.randint(10, 999), hour=chance.randint(2, 9))
    return Entry(number, f"{thing}{question}？", (f"{thing}{noun}", f"{thing}，{other}"), said)


def questions(seed: int, count: int, entries: int) -> Iterator[tuple[str, list[str]]]:
    """What customers write, with up to two messages before it: two thirds name the thing, one third don't."""
    chance = random.Random(seed)
    for _ in range(count):
        number = chance.randrange(entries)
        thing = _thing(number // len(_PROPERTIES))
        words = chance.choice(_PROPERTIES[number % len(_PROPERTIES)][:3])
        text = chance.choice(_OPENINGS) + (thing if chance.random() < 2 / 3 else "你们") + words
        before = [chance.choice(_BEFORE), thing + chance.choice(_PROPERTIES)[0]]
        yield text + chance.choice(("？", "", "呢？")), before[: chance.randint(0, 2)]


async def fill(urls: DatabaseUrls) -> None:
    """Fills a migrated, empty database."""
    loop = asyncio.get_running_loop()
    connection = await asyncpg.connect(urls.owner)
    small = (TOTAL - LARGE - MIDDLE) // SMALL
    try:
        await connection.execute("SET maintenance_work_mem = '512MB'; SET synchronous_commit = off")
        await connection.executemany(
            "INSERT INTO tenants (id, name, state, time_zone, placement, created_at)"
            " VALUES ($1, $2, 'active', 'Asia/Shanghai', 'default', $3)",
            [(tenant_id(number), f"商户 {number}", MADE_AT) for number in range(2 + small)],
        )
        with ProcessPoolExecutor(2) as pool:
            batches = range(0, LARGE, AT_ONCE)
            for done, rows in enumerate(await _cut_all(loop, pool, batches)):
                await _store(connection, tenant_id(0), *rows)
                if done % 10 == 9:
                    say(f"{(done + 1) * AT_ONCE:,} entries")
        await _copy_slice(connection, tenant_id(0), tenant_id(1), 0, MIDDLE)
        for number in range(small):
            start = number * SMALL % LARGE
            await _copy_slice(connection, tenant_id(0), tenant_id(2 + number), start, SMALL)
            if number % 100 == 99:
                say(f"{LARGE + MIDDLE + (number + 1) * SMALL:,} entries")
        await _count(connection)
    finally:
        await connection.close()


async def _cut_all(loop: asyncio.AbstractEventLoop, pool: ProcessPoolExecutor, batches: range) -> list[Any]:
    return list(await asyncio.gather(*(loop.run_in_executor(pool, _cut, start) for start in batches)))


def _cut(start: int) -> tuple[list[Entry], list[tuple[UUID, str, int, int]]]:
    entries = [entry(number) for number in range(start, start + AT_ONCE)]
    return entries, [
        (made.id, posting.term, posting.frequency, posting.length)
        for made in entries
        for posting in postings(made.question, made.variants, made.answer)
    ]


async def _store(
    connection: asyncpg.Connection[Any],
    tenant: UUID,
    entries: Sequence[Entry],
    rows: Sequence[tuple[UUID, str, int, int]],
) -> None:
    await connection.executemany(
        f"INSERT INTO knowledge_entries ({_ENTRY_COLUMNS}) VALUES"
        " ($1, $2, $3, $3, to_jsonb($4::text[]), $5, '', 'on', 'import', 1, $6, $6, NULL, NULL)",
        [(tenant, made.id, made.question, list(made.variants), made.answer, MADE_AT) for made in entries],
    )
    await connection.copy_records_to_table(
        "knowledge_postings",
        records=[(tenant, *row) for row in rows],
        columns=["tenant_id", "entry_id", "term", "frequency", "length"],
    )
    await connection.copy_records_to_table(
        "knowledge_told",
        records=[(tenant, made.id, sorted(terms_to_weigh([made.question, *made.variants]))) for made in entries],
        columns=["tenant_id", "entry_id", "terms"],
    )


async def _copy_slice(connection: asyncpg.Connection[Any], source: UUID, tenant: UUID, start: int, count: int) -> None:
    ids = (source, tenant, entry(start).id, entry(start + count - 1).id)
    columns = _ENTRY_COLUMNS.removeprefix("tenant_id, ")
    await connection.execute(
        f"INSERT INTO knowledge_entries ({_ENTRY_COLUMNS}) SELECT $2, {columns} FROM knowledge_entries"
        " WHERE tenant_id = $1 AND id BETWEEN $3 AND $4",
        *ids,
    )
    await connection.execute(
        "INSERT INTO knowledge_postings (tenant_id, entry_id, term, frequency, length)"
        " SELECT $2, entry_id, term, frequency, length FROM knowledge_postings"
        " WHERE tenant_id = $1 AND entry_id BETWEEN $3 AND $4 ORDER BY entry_id, term",
        *ids,
    )
    await connection.execute(
        "INSERT INTO knowledge_told (tenant_id, entry_id, terms) SELECT $2, entry_id, terms FROM knowledge_told"
        " WHERE tenant_id = $1 AND entry_id BETWEEN $3 AND $4",
        *ids,
    )


async def _count(connection: asyncpg.Connection[Any]) -> None:
    await connection.execute(
        "INSERT INTO knowledge_terms (tenant_id, term, entries)"
        " SELECT tenant_id, term, count(*) FROM knowledge_postings GROUP BY tenant_id, term"
    )
    await connection.execute(
        "INSERT INTO knowledge_statistics (tenant_id, kind, amount)"
        " SELECT tenant_id, kind, sum(length) FROM"
        " (SELECT DISTINCT tenant_id, entry_id, left(term, 1) AS kind, length FROM knowledge_postings) field"
        " GROUP BY tenant_id, kind"
        " UNION ALL SELECT tenant_id, '*', count(*) FROM knowledge_entries GROUP BY tenant_id"
    )


def _thing(number: int) -> str:
    chance = random.Random(f"thing {number}")
    return _name(chance) + chance.choice(_KINDS) + (f"（{_name(chance)}店）" if number % 3 == 0 else "")


def _name(chance: random.Random) -> str:
    return "".join(chance.choice(_CHARACTERS) for _ in range(chance.choice((2, 2, 3, 3, 4))))
