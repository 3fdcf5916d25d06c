"""The plug-in's one table. A plug-in's tables bear its name."""

from datetime import date

from sqlalchemy import Date
from sqlalchemy.orm import Mapped, mapped_column

from huitouke.kernel.database import Base, TenantScoped


class VisitDay(TenantScoped, Base):
    """Messages of customers on one day, in UTC."""

    __tablename__ = "visits_days"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    messages: Mapped[int]
