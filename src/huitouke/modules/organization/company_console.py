"""The console's routes about the company behind the shop."""

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from huitouke.kernel.context import Context
from huitouke.kernel.http import ConsoleTransaction, requires
from huitouke.kernel.locales import translate
from huitouke.modules.organization.service import company as service

router = APIRouter(prefix="/api", tags=["organization"])
_manage = requires("organization.manage")

Words = Annotated[str, Field(max_length=200)]


class CompanyIn(BaseModel):
    """Basic data, as on the licence."""

    name: Words = ""
    licence_number: Words = Field(default="", description="统一社会信用代码: 18 characters.")
    address: Words = ""
    contact_name: Words = ""
    contact_phone: Words = ""
    industry: Words = ""


class CorpOut(BaseModel):
    """A corp in WeCom, with the apps that were entered for it."""

    corp_id: str
    apps: list[str]


class AbilityOut(BaseModel):
    """Something that WeCom has to grant."""

    name: str
    title: str
    state: Literal["granted", "failing", "missing"]


class CompanyOut(BaseModel):
    """The company behind the shop."""

    name: str
    licence_number: str
    address: str
    contact_name: str
    contact_phone: str
    industry: str
    corps: list[CorpOut]
    abilities: list[AbilityOut]


@router.get("/company", operation_id="organization_company", dependencies=[_manage])
async def get_company(ctx: ConsoleTransaction) -> CompanyOut:
    """The company's data, its corps in WeCom, and what WeCom grants."""
    return await _shown(ctx)


@router.put("/company", operation_id="organization_change_company", dependencies=[_manage])
async def put_company(body: CompanyIn, ctx: ConsoleTransaction) -> CompanyOut:
    """Writes the company's data; the filing of the domain is compared with its name."""
    await service.change_company(ctx, service.Company(**body.model_dump()))
    return await _shown(ctx)


async def _shown(ctx: Context) -> CompanyOut:
    abilities = [
        AbilityOut(name=one.name, title=translate(ctx.locale, f"organization.ability.{one.name}"), state=one.state)
        for one in await service.abilities(ctx)
    ]
    corps = [CorpOut(corp_id=corp_id, apps=apps) for corp_id, apps in (await service.corps(ctx)).items()]
    return CompanyOut(**asdict(await service.company(ctx)), corps=corps, abilities=abilities)
