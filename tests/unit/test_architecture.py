"""The house: layers, names, sizes and languages of the tree, kept by tests so that they stay true."""

import ast
import importlib.util
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("schemas", "producers", "streams", "consumers", "deploy")
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_layers_hold() -> None:
    """import-linter finds no arrow that points the wrong way."""
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_nobody_else_provides_our_packages(package: str) -> None:
    """The five names are general words: another distribution with one of them would overwrite ours."""
    assert set(packages_distributions().get(package, [])) <= {"samspil"}  # an editable install lists no package
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.origin == str(ROOT / package / "__init__.py")


def test_the_distribution_cannot_be_published() -> None:
    assert "Private :: Do Not Upload" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_file_has_one_job(path: Path) -> None:
    """No file is over 400 lines, and each says in its first line what it is for."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_file_is_named_by_a_noun_of_the_field(path: Path) -> None:
    assert path.stem not in {"utils", "util", "common", "helpers", "helper", "manager", "base", "misc"}


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_sql_lives_in_sql_files(path: Path) -> None:
    """A statement in Python invites a value into its text."""
    statement = re.compile(
        r"\b(SELECT\s+.+\s+FROM|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|CREATE\s+TABLE)\b", re.DOTALL
    )
    texts = [
        node.value for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Constant)
    ]
    assert not [text for text in texts if isinstance(text, str) and statement.search(text)]


STATEMENTS = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.sql"))]
OWN_CONNECTIONS = {"vault_begin_rotation.sql", "patience.sql"}  # of a command, closed when it ends


@pytest.mark.parametrize("path", STATEMENTS, ids=_name)
def test_a_statement_leaves_nothing_in_its_session(path: Path) -> None:
    """A pool hands its connections on as they are (deploy/clients.py): locks and settings end with the transaction."""
    text = re.sub(r"--[^\n]*|/\*.*?\*/", "", path.read_text(encoding="utf-8").lower(), flags=re.DOTALL)
    begins = {statement.split(maxsplit=1)[0] for statement in text.split(";") if statement.strip()}
    stays = begins & {"listen", "prepare", "declare", "load", "do"} or re.search(r"\btemp(orary)?\b|pg_temp", text)
    locks = re.search(r"pg_(try_)?advisory_lock", text)
    sets = re.search(r"(^|;)\s*set\s+(?!local\b)", text)
    settings = len(re.findall(r"set_config\s*\(", text)) - len(re.findall(r"set_config\s*\([^()]*, true\)", text))
    assert bool(stays or locks or sets or settings) == (path.name in OWN_CONNECTIONS)


def test_the_topology_fits_one_screen() -> None:
    assert len((ROOT / "streams/topology.py").read_text(encoding="utf-8").splitlines()) <= 80


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_nothing_is_printed_but_by_the_command_line(path: Path) -> None:
    """Output goes through the log's catalogue or the CLI, never a stray print."""
    if path.is_relative_to(ROOT / "deploy/cli"):
        return
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    assert not [call for call in calls if _prints(call)]


def test_log_calls_use_the_catalogue() -> None:
    """Every log call names a LogEvent, so no text with a value can slip in."""
    method = {"debug", "info", "warning", "error", "critical", "exception"}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in method):
                continue
            owner = node.func.value
            if not (isinstance(owner, ast.Name) and owner.id in {"log", "logger", "_log"}):
                continue
            first = node.args[0] if node.args else None
            named = (
                isinstance(first, ast.Attribute) and isinstance(first.value, ast.Name) and first.value.id == "LogEvent"
            )
            assert named, f"{_name(path)}:{node.lineno}"


def _prints(call: ast.Call) -> bool:
    to_a_file = any(keyword.arg == "file" for keyword in call.keywords)
    return isinstance(call.func, ast.Name) and call.func.id == "print" and not to_a_file


def test_the_environment_of_the_peers_has_what_the_pure_steps_import() -> None:
    """The benchmark's peers call the same functions, in an environment that is locked apart."""
    pure = [*sorted((ROOT / "schemas").rglob("*.py")), *(ROOT / "streams" / f"{n}.py" for n in ("coordinate", "step"))]
    imported = {name.partition(".")[0] for path in pure for name in _imports(path)}
    foreign = imported - set(sys.stdlib_module_names) - set(PACKAGES)
    named = {packages_distributions()[name][0].lower() for name in foreign}
    locked = (ROOT / "requirements-peers.txt").read_text(encoding="utf-8").lower()
    assert {name for name in named if f"\n{name}==" not in locked} == set()


def _imports(path: Path) -> list[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return plain + [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
