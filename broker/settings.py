"""Settings: ``SWB_*`` in the environment, over one TOML file that ``SWB_CONFIG`` names, over these defaults."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from broker.model.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

_MEBIBYTE = 1024 * 1024
_ADDRESS = r"([^\s,:\[\]]+|\[[0-9A-Fa-f:]+\]):\d{1,5}"


class Settings(BaseSettings):
    """All that an installation may say: keys of the TOML file and, with ``SWB_`` before them, variables."""

    model_config = SettingsConfigDict(env_prefix="SWB_", frozen=True, extra="forbid", env_ignore_empty=True)

    bootstrap: str = Field("127.0.0.1:9092", pattern=f"^{_ADDRESS}(,{_ADDRESS})*$")
    """Kafka's addresses, ``host:port`` with commas between."""
    security: Literal["plaintext", "ssl", "sasl_ssl"] = "plaintext"
    """``ssl`` with ``certificate_file`` and ``key_file`` is mutual TLS."""
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    sasl_mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    username: str = ""
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    """The password in a file, without the white space around it, as secrets are mounted; instead of ``password``."""
    principals: str = "User:{name}"
    """How Kafka names who connects, ``{name}`` being a participant's code or ``swb-relay``; mutual TLS: its CN."""

    partitions: int = Field(12, ge=1)
    """Of every topic; fixed once per cluster."""
    replication: int = -1
    """Copies of every topic; -1 leaves it to the broker's default."""

    max_content_bytes: int = Field(16 * _MEBIBYTE, ge=1)
    """Bytes of one document, attachments included."""
    max_record_bytes: int = Field(17 * _MEBIBYTE, ge=1)
    """``max.message.bytes`` of the topics: a document and its headers."""
    inline_bytes: int = Field(_MEBIBYTE, ge=0)
    """On the broker's own topics, content above this goes by claim check."""
    claims: str = ""
    """The object store of claim checks: ``file:///var/lib/swb``, ``s3://bucket/folder``; empty: in the cache."""

    state_folder: str = ""
    """Where copies of what the lanes remember lie, for a quick restart on the same host; empty: in the cache."""

    session_seconds: float = Field(10.0, gt=0)
    heartbeat_seconds: float = Field(3.0, gt=0)
    rebalance_seconds: float = Field(30.0, gt=0)
    transaction_seconds: float = Field(60.0, gt=0)
    """Longer than the slowest batch."""
    batch_seconds: float = Field(0.5, gt=0)
    """Of planning in one transaction: so long what comes meanwhile waits for its turn."""
    batch_records: int = Field(500, ge=1)
    produce_seconds: float = Field(10.0, gt=0)
    """A destination that has not taken a record within this counts as one that refused it."""
    stuck_seconds: float = Field(60.0, gt=0)
    """A worker before which records wait, and none moves for so long, leaves."""
    health_port: int = Field(0, ge=0, le=65535)
    """Where a worker says whether it is alive and ready, and how it fares; 0: nowhere."""
    health_host: str = "127.0.0.1"
    instance: str = ""
    """Name of a static member of the group, one per worker: a restart within the session then moves no partition."""
    drain_seconds: float = Field(20.0, ge=0)
    """What a worker that was asked to stop may take to finish what it has begun."""

    retry_first_seconds: float = Field(1.0, gt=0)
    retry_longest_seconds: float = Field(300.0, gt=0)
    retry_limit_seconds: float = Field(86_400.0, gt=0)
    """After this a delivery that cannot be made becomes a dead letter."""
    circuit_failures: int = Field(5, ge=1)
    """Failures in a row after which a destination is left alone for a while."""

    window_faults: str = ""
    """What goes wrong with the answers of the mock windows, JSON: ``{"pe-vuce": {"twice": 0.5, "late": 0.1}}``."""

    kept_boxes_days: int = Field(30, ge=1)
    kept_intake_days: int = Field(7, ge=1)
    kept_state_days: int = Field(90, ge=1)
    kept_deadletter_days: int = Field(90, ge=1)
    kept_tracking_days: int = Field(365, ge=1)

    console_host: str = "127.0.0.1"
    console_port: int = Field(8081, ge=0, le=65535)
    """Where the console serves its pages; 0: a port that is free."""
    console_names: str = ""
    """Names besides those of the loopback under which a browser may ask for it, with commas between."""
    console_database: str = ""
    """The read model, as SQLAlchemy names it: ``postgresql+psycopg://...``; empty: a file of SQLite in the cache."""
    console_tokens_file: Path | None = None
    """Who may sign in: lines of ``name role token``, a token also as ``sha256:<hex>``. Without it and without a header
    of a proxy, the console makes one token when it starts, and says it."""
    console_user_header: str = ""
    """The header in which a proxy in front says who it is; believed from ``console_proxies`` alone."""
    console_role_header: str = ""
    """The header in which it says the role; empty: readers all."""
    console_proxies: str = "127.0.0.1"
    """Addresses of the proxy, with commas between."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"
    """``auto``: for people on a terminal, JSON lines elsewhere."""

    @model_validator(mode="after")
    def _is_whole(self) -> Settings:
        if self.password_file and self.password.get_secret_value():
            raise ValueError("password and password_file exclude each other")
        if self.security == "sasl_ssl" and not (self.username and self.secret()):
            raise ValueError("security sasl_ssl needs username and password")
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file go together")
        try:
            self.ssl_context()
        except OSError as error:  # a file that is not there, or holds no certificate
            names = ", ".join(str(file) for file in (self.ca_file, self.certificate_file, self.key_file) if file)
            raise ValueError(f"{names} cannot be used for TLS: {error.strerror or error}") from error
        if "{name}" not in self.principals:
            raise ValueError("principals must hold {name}, or all would be one")
        if self.max_record_bytes <= self.max_content_bytes:
            raise ValueError("max_record_bytes must leave room for headers above max_content_bytes")
        if self.kept_state_days < self.kept_boxes_days:
            raise ValueError("kept_state_days must not be below kept_boxes_days: state outlives outboxes")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - a .env file is nothing we read
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - nor are secret folders
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = os.environ.get("SWB_CONFIG")
        toml = (TomlConfigSettingsSource(settings_cls, Path(file)),) if file else ()
        return (init_settings, env_settings, *toml)

    def secret(self) -> str:
        """The password, read anew where it lies in a file: who replaces it there need not start anything again."""
        if self.password_file is None:
            return self.password.get_secret_value()
        try:
            text = self.password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            said = getattr(error, "strerror", None) or "it is no text"
            raise ValueError(f"password_file {self.password_file} cannot be read: {said}") from None
        if not text:
            raise ValueError(f"password_file {self.password_file} is empty")
        return text

    def ssl_context(self) -> ssl.SSLContext | None:
        """TLS 1.2 or later, with the CA and (mutual TLS) the certificate that are set; None in the clear."""
        if self.security == "plaintext":
            return None
        context = ssl.create_default_context(cafile=self.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.certificate_file is not None:
            context.load_cert_chain(self.certificate_file, self.key_file)
        return context

    def aiokafka(self) -> dict[str, Any]:
        """Address and security in aiokafka's words."""
        given: dict[str, Any] = {"bootstrap_servers": self.bootstrap, "security_protocol": self.security.upper()}
        if self.security != "plaintext":
            given["ssl_context"] = self.ssl_context()
        if self.security == "sasl_ssl":
            given |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.secret(),
            }
        return given

    def librdkafka(self) -> dict[str, str]:
        """The same in librdkafka's words, for confluent-kafka."""
        given = {
            "bootstrap.servers": self.bootstrap,
            "security.protocol": self.security,
            "ssl.ca.location": str(self.ca_file or ""),
            "ssl.certificate.location": str(self.certificate_file or ""),
            "ssl.key.location": str(self.key_file or ""),
        }
        if self.security == "sasl_ssl":
            given |= {
                "sasl.mechanism": self.sasl_mechanism,
                "sasl.username": self.username,
                "sasl.password": self.secret(),
            }
        return {key: value for key, value in given.items() if value}


def load(**given: object) -> Settings:
    """The settings, with what a command line gave above all else (None = not given); raises Misconfigured."""
    file = os.environ.get("SWB_CONFIG")
    if file and not Path(file).is_file():
        raise Misconfigured(f"SWB_CONFIG names {file}, and there is no such file.")
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        raise Misconfigured("\n".join(_sentence(fault, file) for fault in error.errors())) from None
    except ValueError as error:  # TOML that cannot be read
        raise Misconfigured(f"{file} cannot be read: {error}") from None


def _sentence(fault: Mapping[str, Any], file: str | None) -> str:
    name = ".".join(map(str, fault["loc"]))
    where = f" (SWB_{name.upper()}{f', or {file}' if file else ''})" if name else ""
    if fault["type"] == "string_pattern_mismatch":
        return f"Setting {name}{where}: {fault['input']!r} is not of the form host:port, with commas between several."
    if fault["type"] == "extra_forbidden":
        return f"{file}: there is no setting {name}."
    text = fault["msg"].removeprefix("Value error, ")
    return f"Setting {name}{where}: {text}" if name else f"Settings: {text}"
