"""The console's routes about conversations and channel accounts."""

from fastapi import APIRouter

from huitouke.modules.conversations.console import accounts, conversations, hosted_page

router = APIRouter(prefix="/api")
router.include_router(accounts.router)
router.include_router(conversations.router)
router.include_router(hosted_page.router)

__all__ = ["router"]
