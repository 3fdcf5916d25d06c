"""A WeCom callback as it is usually taken today: Flask, wechatpy's crypto, one INSERT and one commit per request.

gunicorn --workers 2 --threads 8 app:app        INGEST_DATABASE: the address; INGEST_ENDPOINTS: the keys, a JSON file
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, Response, abort, request
from sqlalchemy import DateTime, LargeBinary, String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from wechatpy.enterprise import parse_message
from wechatpy.enterprise.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidSignatureException


class Base(DeclarativeBase):
    pass


class Callback(Base):
    __tablename__ = "callbacks"

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(String(36), index=True)
    account: Mapped[str]
    event: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


engine = create_engine(os.environ["INGEST_DATABASE"], pool_size=8)
endpoints = json.loads(Path(os.environ["INGEST_ENDPOINTS"]).read_text())
cryptos = {
    each["callback_id"]: (each["tenant_id"], WeChatCrypto(each["token"], each["aes_key"], each["corp_id"]))
    for each in endpoints
}
app = Flask(__name__)


@app.post("/callbacks/wecom/<callback_id>")
def receive(callback_id: str) -> Response:
    if callback_id not in cryptos:
        abort(404)
    tenant_id, crypto = cryptos[callback_id]
    try:
        plain = crypto.decrypt_message(
            request.data, request.args["msg_signature"], request.args["timestamp"], request.args["nonce"]
        )
    except InvalidSignatureException:
        abort(403)
    message = parse_message(plain)
    with Session(engine) as session:
        session.add(
            Callback(
                tenant_id=tenant_id,
                account=message._data.get("OpenKfId", ""),
                event=message._data.get("Event", ""),
                body=plain.encode() if isinstance(plain, str) else plain,
                received_at=datetime.now(UTC),
            )
        )
        session.commit()
    return Response(status=200)


@app.get("/ready")
def ready() -> Response:
    return Response(status=200)
