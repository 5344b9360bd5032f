"""Settings: typed, checked together, every fault told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tianfu.platform import settings
from tianfu.platform.settings import Environment, ProofingProvider, SettingsInvalidError

PRODUCTION = {
    "TIANFU_ENV": "production",
    "TIANFU_PROOFING": "http",
    "TIANFU_PROOFING_URL": "https://proofing.example/identity",
    "TIANFU_MESSAGE_URL": "https://proofing.example/message",
    "TIANFU_PUBLIC_ORIGIN": "https://code.example/",
}


def faults_of(environ: dict[str, str]) -> set[str]:
    with pytest.raises(SettingsInvalidError) as refused:
        settings.load(environ)
    return {fault.field for fault in refused.value.faults}


def test_nothing_set_gives_a_demo_machine_on_loopback() -> None:
    loaded = settings.load({"HOME": "/root", "PATH": "/bin"})

    assert loaded.environment is Environment.DEMO
    assert loaded.server.host == "127.0.0.1"
    assert loaded.server.public_origin == "http://localhost:8000"
    assert loaded.proofing.provider is ProofingProvider.SANDBOX
    assert loaded.database.url is None


def test_a_production_machine_is_accepted_when_everything_is_there() -> None:
    loaded = settings.load(PRODUCTION)

    assert loaded.environment is Environment.PRODUCTION
    assert loaded.server.public_origin == "https://code.example"


def test_the_sandbox_is_refused_in_production() -> None:
    assert "TIANFU_PROOFING" in faults_of(PRODUCTION | {"TIANFU_PROOFING": "sandbox"})


def test_production_needs_https() -> None:
    assert faults_of(PRODUCTION | {"TIANFU_PUBLIC_ORIGIN": "http://code.example"}) == {"TIANFU_PUBLIC_ORIGIN"}


def test_the_http_provider_needs_its_addresses() -> None:
    assert faults_of({"TIANFU_PROOFING": "http"}) == {"TIANFU_PROOFING_URL", "TIANFU_MESSAGE_URL"}


def test_every_fault_is_told_at_once_in_both_languages() -> None:
    environ = {
        "TIANFU_ENV": "staging",
        "TIANFU_PORT": "99999",
        "TIANFU_DATABASE_URL": "mysql://localhost/x",
        "TIANFU_DATABASE_POOL": "1",
        "TIANFU_PUBLIC_ORIGIN": "localhost",
        "TIANFU_NO_SUCH_THING": "1",
    }

    with pytest.raises(SettingsInvalidError) as refused:
        settings.load(environ)

    assert {fault.field for fault in refused.value.faults} == environ.keys()
    assert all(fault.zh and fault.en for fault in refused.value.faults)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "8e3", "８０００", "80 00", "0x50"])
def test_a_port_is_a_plain_whole_number_in_its_range(port: str) -> None:
    assert faults_of({"TIANFU_PORT": port}) == {"TIANFU_PORT"}


def test_a_blank_variable_counts_as_not_set(tmp_path: Path) -> None:
    loaded = settings.load({"TIANFU_PORT": "  ", "TIANFU_VAR": f" {tmp_path} "})

    assert loaded.server.port == 8000
    assert loaded.var == tmp_path


def test_a_database_password_is_not_repeated_in_a_fault() -> None:
    with pytest.raises(SettingsInvalidError) as refused:
        settings.load({"TIANFU_DATABASE_URL": "mysql://someone:secret@host/x"})

    assert "secret" not in repr(refused.value.faults)
