"""People who open a shop's page without an account: who they are, and which page they are on."""

from huitouke.kernel.visitors.tokens import VISITOR_COOKIE, Visitor, VisitorToken, new_visitor, open_visitor_token
from huitouke.kernel.visitors.visits import PAGES, PATH, PageGone, PageNotOpen, page_of, visitor_context

__all__ = [
    "PAGES",
    "PATH",
    "VISITOR_COOKIE",
    "PageGone",
    "PageNotOpen",
    "Visitor",
    "VisitorToken",
    "new_visitor",
    "open_visitor_token",
    "page_of",
    "visitor_context",
]
