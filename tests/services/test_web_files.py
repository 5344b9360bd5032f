from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tianfu.platform.http import CONTENT_SECURITY_POLICY
from tianfu.services.web_files import WebFiles, WebMissingError, headers


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    (tmp_path / "dist" / "assets").mkdir(parents=True)
    (tmp_path / "dist" / "index.html").write_text("<!doctype html>phone" + " " * 2_000)
    (tmp_path / "dist" / "console.html").write_text("<!doctype html>console")
    (tmp_path / "dist" / "assets" / "app-1a2b.js").write_text("export default 1")
    (tmp_path / "dist" / "assets" / "reader-3c.wasm").write_bytes(b"\0asm")
    (tmp_path / "secret.txt").write_text("outside")
    (tmp_path / "dist" / "link.txt").symlink_to(tmp_path / "secret.txt")
    return tmp_path / "dist"


@pytest.mark.parametrize("path", ["/", "/claim", "/v", "/code", "/anything/below"])
def test_an_address_of_the_phone_app_gets_its_page(dist: Path, path: str) -> None:
    file = WebFiles.read(dist).find(path)
    assert file is not None
    assert b"phone" in file.body


@pytest.mark.parametrize("path", ["/console", "/console/", "/console/venues"])
def test_an_address_of_the_console_gets_its_page(dist: Path, path: str) -> None:
    file = WebFiles.read(dist).find(path)
    assert file is not None
    assert b"console" in file.body


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/link.txt",
        "/assets/missing.js",
        "//secret.txt",
        "/%2e%2e/secret.txt",
    ],
)
def test_nothing_outside_the_app_can_be_named(dist: Path, path: str) -> None:
    assert WebFiles.read(dist).find(path) is None


def test_hashed_assets_are_kept_and_pages_are_asked_for_again(dist: Path) -> None:
    files = WebFiles.read(dist)
    asset, page = files.find("/assets/app-1a2b.js"), files.find("/")
    assert asset is not None
    assert page is not None
    assert b"immutable" in dict(headers(asset, packed=False))[b"cache-control"]
    assert dict(headers(page, packed=False))[b"cache-control"] == b"no-cache"


def test_web_assembly_has_its_type(dist: Path) -> None:
    file = WebFiles.read(dist).find("/assets/reader-3c.wasm")
    assert file is not None
    assert file.content_type == "application/wasm"


def test_long_text_is_held_compressed(dist: Path) -> None:
    file = WebFiles.read(dist).find("/")
    assert file is not None
    assert file.packed is not None
    assert gzip.decompress(file.packed) == file.body


def test_an_app_that_was_not_built_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(WebMissingError) as missing:
        WebFiles.read(tmp_path)
    assert "make setup" in missing.value.en


def test_the_service_worker_is_asked_for_again_and_the_manifest_has_its_type(dist: Path) -> None:
    (dist / "service-worker.js").write_text("self")
    (dist / "phone.webmanifest").write_text("{}")
    files = WebFiles.read(dist)
    worker, manifest = files.find("/service-worker.js"), files.find("/phone.webmanifest")
    assert worker is not None
    assert manifest is not None
    assert dict(headers(worker, packed=False))[b"cache-control"] == b"no-cache"
    assert worker.content_type.startswith("text/javascript")
    assert manifest.content_type == "application/manifest+json"


def test_the_pages_policy_lets_the_origins_own_worker_run_and_no_other() -> None:
    policy = CONTENT_SECURITY_POLICY.decode()
    assert "worker-src 'self' blob:" in policy
    assert "default-src 'self';" in policy
