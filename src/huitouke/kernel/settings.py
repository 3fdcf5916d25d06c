"""All settings of the process, read once from the environment; nothing else reads it."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def _named(name: str) -> AliasChoices:
    """The setting's name in the environment; the field's own name serves in code."""
    return AliasChoices(name)


class Settings(BaseSettings):
    """The one documented list of settings. Every field's description is printed by `huitouke doctor --settings`."""

    model_config = SettingsConfigDict(extra="ignore", populate_by_name=True, env_ignore_empty=True)

    database_url: SecretStr | None = Field(
        default=None,
        validation_alias=_named("DATABASE_URL"),
        description="PostgreSQL for the application's role (owns nothing, fenced by row-level security). "
        "Empty: an embedded server under the data folder.",
    )
    database_direct_url: SecretStr | None = Field(
        default=None,
        validation_alias=_named("DATABASE_DIRECT_URL"),
        description="The same role past any pooler, for LISTEN only. Empty: DATABASE_URL.",
    )
    database_owner_url: SecretStr | None = Field(
        default=None,
        validation_alias=_named("DATABASE_OWNER_URL"),
        description="The role that owns the tables, for `migrate` and backups only; never through a pooler.",
    )
    database_statement_cache: int = Field(
        default=256,
        ge=0,
        validation_alias=_named("DATABASE_STATEMENT_CACHE"),
        description="Prepared statements kept per connection; 0 behind PgBouncer older than 1.21.",
    )
    data_dir: Path = Field(
        default=Path(".huitouke"),
        validation_alias=_named("HUITOUKE_DATA_DIR"),
        description="Folder for the embedded database, uploaded files and the key file.",
    )
    host: str = Field(
        default="127.0.0.1", validation_alias=_named("HUITOUKE_HOST"), description="Address to listen on."
    )
    port: int = Field(
        default=8000, ge=0, le=65535, validation_alias=_named("HUITOUKE_PORT"), description="Port to listen on."
    )
    realtime_port: int = Field(
        default=8001,
        ge=0,
        le=65535,
        validation_alias=_named("HUITOUKE_REALTIME_PORT"),
        description="Port of `huitouke realtime`: the live sockets, /health/live, /health/ready and /metrics.",
    )
    work_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        validation_alias=_named("HUITOUKE_WORK_PORT"),
        description="Port of `huitouke work` for /health/live, /health/ready and /metrics. Empty: none.",
    )
    drain_seconds: float = Field(
        default=0,
        ge=0,
        le=300,
        validation_alias=_named("HUITOUKE_DRAIN_SECONDS"),
        description="How long `serve` and `realtime` go on after SIGTERM while /health/ready says 503, so that a proxy "
        "that asks it stops sending first. About two of its intervals; the supervisor must wait 10 s longer.",
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        validation_alias=_named("HUITOUKE_PUBLIC_URL"),
        description="The address under which WeChat and people reach this installation; no slash at the end.",
    )
    files_host: str | None = Field(
        default=None,
        validation_alias=_named("FILES_HOST"),
        description="A host of its own for uploaded files, e.g. https://files.example.cn. Empty: the public address.",
    )
    files_s3_bucket: str | None = Field(
        default=None,
        validation_alias=_named("FILES_S3_BUCKET"),
        description="Keeps files in this bucket of an S3-compatible store (extra `s3`). Empty: the data folder.",
    )
    files_s3_endpoint: str | None = Field(
        default=None,
        validation_alias=_named("FILES_S3_ENDPOINT"),
        description="The store's address, e.g. https://oss-cn-hangzhou.aliyuncs.com. Empty: Amazon's.",
    )
    files_s3_region: str | None = Field(
        default=None, validation_alias=_named("FILES_S3_REGION"), description="The store's region."
    )
    files_s3_access_key: str | None = Field(
        default=None, validation_alias=_named("FILES_S3_ACCESS_KEY"), description="The store's access key."
    )
    files_s3_secret_key: SecretStr | None = Field(
        default=None, validation_alias=_named("FILES_S3_SECRET_KEY"), description="The store's secret key."
    )
    keys: SecretStr | None = Field(
        default=None,
        validation_alias=_named("HUITOUKE_KEYS"),
        description="Key ring `kid:base64,…`; the first encrypts, all decrypt. Empty: the key file.",
    )
    keys_file: Path | None = Field(
        default=None,
        validation_alias=_named("HUITOUKE_KEYS_FILE"),
        description="Key file with mode 0600. Empty: `keys` in the data folder.",
    )
    testing: bool = Field(
        default=False,
        validation_alias=_named("HUITOUKE_TESTING"),
        description="Test switches, among them a movable clock. Never in production.",
    )
    wecom_base_url: str = Field(
        default="https://qyapi.weixin.qq.com",
        validation_alias=_named("HUITOUKE_WECOM_BASE_URL"),
        description="The WeCom API; the sandbox's address in the demo and in tests.",
    )
    wecom_oauth_url: str = Field(
        default="https://open.weixin.qq.com",
        validation_alias=_named("HUITOUKE_WECOM_OAUTH_URL"),
        description="Where people inside WeCom are sent to be recognised; the sandbox's address in the demo.",
    )
    wecom_sso_url: str = Field(
        default="https://login.work.weixin.qq.com",
        validation_alias=_named("HUITOUKE_WECOM_SSO_URL"),
        description="Where browsers show the code to scan with WeCom; the sandbox's address in the demo.",
    )
    sms_base_url: str = Field(
        default="https://dysmsapi.aliyuncs.com",
        validation_alias=_named("HUITOUKE_SMS_BASE_URL"),
        description="Aliyun's SMS API; the sandbox's address in the demo and in tests.",
    )
    smtp_url: SecretStr | None = Field(
        default=None,
        validation_alias=_named("HUITOUKE_SMTP_URL"),
        description="Where e-mail is handed in: smtp://user:password@mail.example.cn:587 (STARTTLS) or smtps://…:465. "
        "Empty: no e-mail; links are copied and passed on by hand.",
    )
    mail_from: str | None = Field(
        default=None,
        validation_alias=_named("HUITOUKE_MAIL_FROM"),
        description="The sender of e-mail, e.g. 回头客 <no-reply@example.cn>; the mail server must allow it.",
    )
    allow_private_endpoints: bool = Field(
        default=True,
        validation_alias=_named("HUITOUKE_ALLOW_PRIVATE_ENDPOINTS"),
        description="Whether a model endpoint may stand on this machine or in a private network (Ollama, vLLM). "
        "Providers who host foreign merchants switch it off.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", validation_alias=_named("HUITOUKE_LOG_LEVEL"), description="Least level that is logged."
    )
    log_format: Literal["json", "text"] = Field(
        default="json", validation_alias=_named("HUITOUKE_LOG_FORMAT"), description="JSON lines, or text for people."
    )
    serve_with: str = Field(
        default="",
        validation_alias=_named("HUITOUKE_SERVE_WITH"),
        description="What `serve --reload` does besides answering requests; set by the command itself.",
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        validation_alias=_named("HUITOUKE_METRICS_TOKEN"),
        description="Bearer token that /metrics asks for. Empty: only callers on this machine may read it.",
    )

    @field_validator("public_url", "wecom_base_url", "wecom_oauth_url", "wecom_sso_url", "sms_base_url", "files_host")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("smtp://", "smtps://")):
            raise ValueError("must begin with smtp:// or smtps://")
        return value

    @property
    def key_file(self) -> Path:
        """Where the key ring lies when HUITOUKE_KEYS is empty."""
        return self.keys_file or self.data_dir / "keys"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read at first use.

    Raises:
        pydantic.ValidationError: a value is not allowed; the message names the setting.
    """
    return Settings()
