"""Settings come from SAMSPIL_*, fall back to the home, are documented, and keep their values to themselves."""

import json
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from deploy.embedded.home import Home, Run
from deploy.settings import PREFIX, Settings, documentation, load
from schemas.errors import MisconfiguredError

README = Path(__file__).parents[2] / "deploy" / "README.md"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    monkeypatch.setenv("SAMSPIL_HOME", str(tmp_path))
    return tmp_path


def running(home: Path) -> None:
    ports = {"kafka": 1001, "controller": 1002, "postgres": 1003, "http": 1004}
    Home(home).note(Run(pid=1, ports=ports, clock="wall", since="", url="", state="ready"))
    (home / "credentials.json").write_text(json.dumps({"worker": "hemmeligt"}))


def test_what_is_not_set_follows_from_the_home(home: Path) -> None:
    running(home)
    settings = load()
    assert settings.bootstrap == "127.0.0.1:1001"
    assert settings.base_url == "http://127.0.0.1:1004"
    assert settings.dsn("worker") == "postgresql://worker:hemmeligt@127.0.0.1:1003/samspil"
    assert settings.kafka("worker").password == "hemmeligt"
    assert "hemmeligt" not in repr(settings.kafka("worker"))


def test_what_is_set_wins(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running(home)
    monkeypatch.setenv("SAMSPIL_KAFKA_BOOTSTRAP", "broker:9092")
    monkeypatch.setenv("SAMSPIL_DATABASE", "db:5432/bus")
    monkeypatch.setenv("SAMSPIL_URL", "https://bus.example.org/")
    settings = load()
    assert settings.bootstrap == "broker:9092"
    assert settings.dsn("worker") == "postgresql://worker:hemmeligt@db:5432/bus"
    assert settings.base_url == "https://bus.example.org"


def test_a_password_of_any_characters_stays_a_password(home: Path) -> None:
    running(home)
    odd = "a/b:c@d?e#f%20 g+å"
    (home / "credentials.json").write_text(json.dumps({"worker": odd}))
    dsn = urlsplit(load().dsn("worker"))
    assert (dsn.username, unquote(dsn.password or "")) == ("worker", odd)
    assert (dsn.hostname, dsn.port, dsn.path) == ("127.0.0.1", 1003, "/samspil")


def test_a_child_process_gets_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(clock="events", http_port=1234, vault_wait=0.5)
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert load() == settings


@pytest.mark.parametrize("name", ["CLOCK", "HTTP_PORT", "DATABASE", "URL", "VERDICT_WAIT"])
def test_an_error_names_the_setting_and_not_its_value(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + name, "251248-9996")
    with pytest.raises(MisconfiguredError) as caught:
        load()
    assert PREFIX + name in str(caught.value)
    assert "251248" not in str(caught.value)


def test_nothing_running_says_what_to_do() -> None:
    with pytest.raises(MisconfiguredError, match="samspil up"):
        _ = load().bootstrap
    with pytest.raises(MisconfiguredError, match="SAMSPIL_CREDENTIALS"):
        load(kafka_bootstrap="broker:9092").kafka("worker")


def test_every_setting_is_documented() -> None:
    assert documentation() in README.read_text(), "its table is what python -m deploy.settings prints"
