"""Documents are checked like code: settings, errors, alerts, rules, commands, and what a stranger must not find."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

from click import Command, Group

from tests.architecture.tree import files, name, python_files, tree
from tianfu.cli.main import COMMANDS, application
from tianfu.platform.settings import PROJECT_ROOT

DOCS = PROJECT_ROOT / "docs"
SETTING = re.compile(r"\bTIANFU_[A-Z_]+\b")
BINARY = {".png", ".ico", ".woff2", ".wasm", ".jpg", ".gz"}
# The site that must not be named, in pieces so that this file does not name it either.
REGISTRIES = [
    ".".join(parts) for parts in (("pypi", "org"), ("npmjs", "org"), ("npmjs", "com"), ("pythonhosted", "org"))
]
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:root|work)/|(?<![\w.])/home/[a-z]+/|(?<![\w.])/opt/pypi")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_every_setting_is_documented_and_no_other() -> None:
    module = tree(PROJECT_ROOT / "src/tianfu/platform/settings.py")
    known = {
        node.args[0].value
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "reader"
        and node.func.attr != "fault"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    documented = set(re.findall(r"^\| `(TIANFU_[A-Z_]+)`", read(DOCS / "settings.md"), re.MULTILINE))
    assert documented == known


def error_codes() -> dict[str, str]:
    """Every code that a subclass of the error family states, and where."""
    found = {}
    for path in python_files("src"):
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.ClassDef) or not node.name.endswith("Error"):
                continue
            for statement in node.body:
                target = statement.targets[0] if isinstance(statement, ast.Assign) else None
                if isinstance(statement, ast.AnnAssign):
                    target = statement.target
                value = getattr(statement, "value", None)
                if isinstance(target, ast.Name) and target.id == "code" and isinstance(value, ast.Constant):
                    found[f"{name(path)}:{node.name}"] = str(value.value)
    return found


def test_every_error_code_is_documented_and_no_other() -> None:
    documented = re.findall(r"^- `([a-z_]+)` \(", read(DOCS / "errors.md"), re.MULTILINE)
    assert len(documented) == len(set(documented)), "a code is documented twice"
    assert set(documented) == set(error_codes().values())


def test_an_error_code_belongs_to_one_class() -> None:
    codes = list(error_codes().values())
    assert sorted(codes) == sorted(set(codes))


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    alerts = set(re.findall(r"^\| `([a-z-]+)` \|", read(DOCS / "operate" / "alerts.md"), re.MULTILINE))
    runbooks = {path.stem for path in (DOCS / "operate").glob("*.md")} - {"alerts"}
    assert alerts
    assert alerts == runbooks


def test_every_policy_has_golden_cases() -> None:
    policies = sorted((PROJECT_ROOT / "policies").glob("*.toml"))
    assert policies
    for policy in policies:
        beside = [path for path in (PROJECT_ROOT / "policies").rglob("*") if path.stem.startswith(policy.stem)]
        golden = [path for path in beside if path != policy and path.is_file()]
        golden += [path for path in (PROJECT_ROOT / "policies" / policy.stem).rglob("*") if path.is_file()]
        assert golden, f"{policy.name} has no golden cases beside it"


def test_every_dependency_that_runs_has_a_decision_page() -> None:
    pages = "\n".join(read(path) for path in (DOCS / "decisions").glob("*.md"))
    plain = {"click", "setuptools", "tzdata", "rich"}
    for line in read(PROJECT_ROOT / "requirements/runtime.in").splitlines():
        package = re.split(r"[\[<>=#]", line, maxsplit=1)[0].strip()
        if package and package not in plain:
            assert package in pages, f"no page in docs/decisions names {package}"


def test_the_commands_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read(PROJECT_ROOT / "Makefile"), re.MULTILINE))
    for readme in ("README.md", "README.zh.md"):
        text = read(PROJECT_ROOT / readme)
        assert set(re.findall(r"\bmake ([a-z-]+)", text)) <= targets
        for words in re.findall(r"^ *(?:\.venv/bin/)?tianfu ([a-z -]+)", text, re.MULTILINE):
            first = words.split()[0]
            assert first in COMMANDS, f"{readme}: tianfu {first}"


def test_the_two_readmes_have_the_same_parts() -> None:
    levels = [re.findall(r"^(#+) ", read(PROJECT_ROOT / file), re.MULTILINE) for file in ("README.md", "README.zh.md")]
    assert levels[0] == levels[1]


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{name(path)} → {target}"
        for path in files()
        if path.suffix == ".md" and "node_modules" not in path.parts
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", read(path))
        if not (path.parent / target).exists()
    ]
    assert broken == []


def test_every_command_is_in_the_table_and_loads() -> None:
    modules = {path.stem for path in python_files("src/tianfu/cli")} - {"__init__", "main"}
    assert {entry.module.rsplit(".", 1)[-1] for entry in COMMANDS.values()} <= modules
    assert isinstance(application, Group)
    for command in COMMANDS:
        context = application.make_context("tianfu", ["--help"], resilient_parsing=True)
        assert isinstance(application.get_command(context, command), Command)


def test_lock_files_have_hashes_and_no_addresses() -> None:
    for path in (PROJECT_ROOT / "requirements").glob("*.lock"):
        text = read(path)
        assert "--hash=sha256:" in text
        assert "://" not in text, path.name
    web = PROJECT_ROOT / "web" / "package-lock.json"
    assert '"resolved"' not in read(web)


def test_lock_files_agree_so_that_no_part_of_the_setup_changes_another() -> None:
    versions: dict[str, set[str]] = {}
    for path in (PROJECT_ROOT / "requirements").glob("*.lock"):
        for package, version in re.findall(r"^([\w.-]+)==(\S+)", read(path), re.MULTILINE):
            versions.setdefault(package, set()).add(version)
    assert {package: found for package, found in versions.items() if len(found) > 1} == {}


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    found = []
    for path in files():
        if path.suffix in BINARY or path.name == "test_documents.py":
            continue
        text = read(path)
        if any(registry in text for registry in REGISTRIES) or MACHINE_PATHS.search(text):
            found.append(name(path))
    assert found == []


def test_the_project_file_parses_and_names_the_command() -> None:
    project = tomllib.loads(read(PROJECT_ROOT / "pyproject.toml"))
    assert project["project"]["scripts"] == {"tianfu": "tianfu.cli.main:main"}
