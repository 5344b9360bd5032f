"""Settings: frozen, typed, per feature, read once from the environment before a socket opens.

Every variable starts with `TIANFU_` and is documented in docs/settings.md (a test holds the two together). All
faults are reported at once. Nothing here is secret: keys live in files (see `tianfu.platform.keyring`), and a
database password stays inside the URL, which is never logged.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from tianfu.errors import Fault, TianfuError

Value = TypeVar("Value")


class Environment(enum.Enum):
    """Where this runs. `PRODUCTION` refuses every sandbox part."""

    DEMO = "demo"
    TEST = "test"
    PRODUCTION = "production"


class ProofingProvider(enum.Enum):
    """Who confirms that a name, a document and a face belong together, and who sends one-time passwords."""

    SANDBOX = "sandbox"
    HTTP = "http"


class SettingsInvalidError(TianfuError):
    """The environment holds values that cannot be used; every one of them is listed in `faults`."""

    code = "settings_invalid"
    status = 500
    zh = "配置有误，系统未启动。"
    en = "The settings are not usable; nothing was started."


class DatabaseSettings(msgspec.Struct, frozen=True):
    """PostgreSQL. `url` None means the embedded server under `var/postgres`.

    Statement timeouts are per purpose: a resident waits seconds, a batch may take minutes.
    """

    url: str | None
    pool_connections_max: int
    resident_statement_ms: int
    operator_statement_ms: int
    worker_statement_ms: int
    batch_statement_ms: int


class ServerSettings(msgspec.Struct, frozen=True):
    """Where the one origin listens, and the address that posters and links carry."""

    host: str
    port: int
    public_origin: str


class ProofingSettings(msgspec.Struct, frozen=True):
    """Identity proofing and one-time passwords. The URLs are needed for the HTTP provider only."""

    provider: ProofingProvider
    identity_url: str | None
    message_url: str | None
    timeout_ms: int


class GateSettings(msgspec.Struct, frozen=True):
    """The gate. Past `board_age_max_seconds` without word from the board it answers "being checked".

    `number` tells gates apart in the journal (0 to 65,535). `board_secret` is the file with what a board's source and
    its followers share. `resolvers` is the file of other issuers of codes; without one, only our own codes are known.
    """

    number: int
    board_age_max_seconds: int
    board_secret: Path
    resolvers: Path | None = None


class CodeSettings(msgspec.Struct, frozen=True):
    """How long credentials live, and how long a scanner without network believes a list."""

    card_days: int
    device_hours: int
    list_hours: int


class LakeSettings(msgspec.Struct, frozen=True):
    """How many whole days of visits are kept besides today."""

    visit_days: int = 30


class Settings(msgspec.Struct, frozen=True):
    """Everything a process is told from outside."""

    environment: Environment
    var: Path
    migrations: Path
    policies: Path
    web: Path
    database: DatabaseSettings
    server: ServerSettings
    proofing: ProofingSettings
    gate: GateSettings
    codes: CodeSettings
    lake: LakeSettings = LakeSettings()


PROJECT_ROOT: Final = Path(__file__).resolve().parents[3]

# A gate that has heard nothing for longer than this no longer trusts its colours: the worst published wait between
# a result and a changed colour is 12 h, and an emergency change of policy must reach every gate within a shift.
BOARD_AGE_MAX_SECONDS_DEFAULT: Final = 6 * 3600


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in `environ` (the process's own by default).

    Raises `SettingsInvalidError` naming every unusable or unknown `TIANFU_` variable.
    """
    reader = _Reader(os.environ if environ is None else environ)
    host = reader.text("TIANFU_HOST", "127.0.0.1")
    port = reader.whole("TIANFU_PORT", 8000, 1, 65535)
    var = reader.path("TIANFU_VAR", PROJECT_ROOT / "var")
    settings = Settings(
        environment=reader.choice("TIANFU_ENV", Environment, Environment.DEMO),
        var=var,
        migrations=reader.path("TIANFU_MIGRATIONS", PROJECT_ROOT / "migrations"),
        policies=reader.path("TIANFU_POLICIES", PROJECT_ROOT / "policies"),
        web=reader.path("TIANFU_WEB", PROJECT_ROOT / "web" / "dist"),
        database=DatabaseSettings(
            url=reader.optional("TIANFU_DATABASE_URL", _postgres_url),
            pool_connections_max=reader.whole("TIANFU_DATABASE_POOL", 8, 2, 200),
            resident_statement_ms=reader.whole("TIANFU_DATABASE_RESIDENT_MS", 3_000, 100, 60_000),
            operator_statement_ms=reader.whole("TIANFU_DATABASE_OPERATOR_MS", 15_000, 100, 600_000),
            worker_statement_ms=reader.whole("TIANFU_DATABASE_WORKER_MS", 60_000, 100, 600_000),
            batch_statement_ms=reader.whole("TIANFU_DATABASE_BATCH_MS", 600_000, 100, 3_600_000),
        ),
        server=ServerSettings(
            host=host,
            port=port,
            public_origin=reader.origin("TIANFU_PUBLIC_ORIGIN", f"http://localhost:{port}"),
        ),
        proofing=ProofingSettings(
            provider=reader.choice("TIANFU_PROOFING", ProofingProvider, ProofingProvider.SANDBOX),
            identity_url=reader.optional("TIANFU_PROOFING_URL", _http_url),
            message_url=reader.optional("TIANFU_MESSAGE_URL", _http_url),
            timeout_ms=reader.whole("TIANFU_PROOFING_MS", 5_000, 100, 30_000),
        ),
        gate=GateSettings(
            number=reader.whole("TIANFU_GATE_NUMBER", 1, 0, 65_535),
            board_age_max_seconds=reader.whole(
                "TIANFU_BOARD_AGE_MAX_SECONDS", BOARD_AGE_MAX_SECONDS_DEFAULT, 5, 7 * 86_400
            ),
            resolvers=reader.optional("TIANFU_RESOLVERS", _file),
            board_secret=reader.path("TIANFU_BOARD_SECRET", var / "keys" / "board.secret"),
        ),
        codes=CodeSettings(
            card_days=reader.whole("TIANFU_CARD_DAYS", 7, 1, 180),
            device_hours=reader.whole("TIANFU_DEVICE_HOURS", 24, 1, 168),
            list_hours=reader.whole("TIANFU_LIST_HOURS", 4, 1, 168),
        ),
        lake=LakeSettings(visit_days=reader.whole("TIANFU_VISIT_DAYS", 30, 14, 365)),
    )
    _check_together(settings, reader)
    reader.finish()
    return settings


def _check_together(settings: Settings, reader: _Reader) -> None:
    """Faults that only show when two settings are read side by side."""
    sandbox = settings.proofing.provider is ProofingProvider.SANDBOX
    if settings.environment is Environment.PRODUCTION and sandbox:
        reader.fault(
            "TIANFU_PROOFING",
            "正式环境不能使用沙箱实名核验，请设为 http。",
            "the sandbox proofing provider is refused when TIANFU_ENV=production; set http",
        )
    if not sandbox and settings.proofing.identity_url is None:
        reader.fault("TIANFU_PROOFING_URL", "缺少实名核验地址。", "needed by the http proofing provider")
    if not sandbox and settings.proofing.message_url is None:
        reader.fault("TIANFU_MESSAGE_URL", "缺少短信服务地址。", "needed by the http proofing provider")
    if settings.environment is Environment.PRODUCTION and not settings.server.public_origin.startswith("https://"):
        reader.fault("TIANFU_PUBLIC_ORIGIN", "正式环境必须使用 https。", "must be https when TIANFU_ENV=production")


class _Reader:
    """Reads variables one by one and remembers what was wrong with each."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._known: set[str] = set()
        self._faults: list[Fault] = []

    def fault(self, name: str, zh: str, en: str) -> None:
        self._faults.append(Fault(field=name, code="setting", zh=zh, en=en))

    def finish(self) -> None:
        """Raise if anything was wrong; a misspelt variable counts as wrong."""
        for name in sorted(self._environ):
            if name.startswith("TIANFU_") and name not in self._known:
                self.fault(name, "没有这个配置项。", "no such setting")
        if self._faults:
            raise SettingsInvalidError(faults=tuple(self._faults))

    def _raw(self, name: str) -> str | None:
        self._known.add(name)
        value = self._environ.get(name, "").strip()
        return value or None

    def text(self, name: str, default: str) -> str:
        return self._raw(name) or default

    def path(self, name: str, default: Path) -> Path:
        raw = self._raw(name)
        return Path(raw).expanduser().resolve() if raw else default

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        raw = self._raw(name)
        if raw is None:
            return default
        if raw.isascii() and raw.isdigit() and least <= int(raw) <= most:
            return int(raw)
        self.fault(name, f"应为 {least} 到 {most} 之间的整数。", f"must be a whole number from {least} to {most}")
        return default

    def choice(self, name: str, kind: type[_Choice], default: _Choice) -> _Choice:
        raw = self._raw(name)
        if raw is None:
            return default
        for member in kind:
            if member.value == raw:
                return member
        options = ", ".join(str(member.value) for member in kind)
        self.fault(name, f"应为以下之一：{options}。", f"must be one of: {options}")
        return default

    def optional(self, name: str, parse: Callable[[str], Value]) -> Value | None:
        raw = self._raw(name)
        if raw is None:
            return None
        try:
            return parse(raw)
        except ValueError as error:
            self.fault(name, "地址格式不对，或文件不存在。", str(error))
            return None

    def origin(self, name: str, default: str) -> str:
        value = self.optional(name, _http_url) or default
        return value.rstrip("/")


_Choice = TypeVar("_Choice", bound=enum.Enum)


def _http_url(raw: str) -> str:
    if raw.startswith(("http://", "https://")):
        return raw
    message = "must start with http:// or https://"
    raise ValueError(message)


def _file(raw: str) -> Path:
    path = Path(raw).expanduser().resolve()
    if path.is_file():
        return path
    message = "there is no such file"
    raise ValueError(message)


def _postgres_url(raw: str) -> str:
    if raw.startswith(("postgresql://", "postgres://")):
        return raw
    message = "must start with postgresql://"
    raise ValueError(message)
