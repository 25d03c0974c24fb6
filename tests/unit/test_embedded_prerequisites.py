"""What is missing, taken or somebody else's is said in one line that tells what to do."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from deploy.embedded import jars, java, ports
from deploy.embedded.home import Home
from schemas.errors import AlreadyRunningError, MisconfiguredError


@pytest.fixture
def bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH on which nothing is."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_missing_maven(bare_path: Path, tmp_path: Path) -> None:
    assert list(bare_path.iterdir()) == []
    with pytest.raises(MisconfiguredError, match="mvn is missing: install Maven"):
        jars.ensure(tmp_path / "cache", lambda _: None)


def test_jars_that_are_there_need_no_maven(bare_path: Path, tmp_path: Path) -> None:
    assert shutil.which("mvn") is None, bare_path
    jars.folder(tmp_path).mkdir()
    assert jars.ensure(tmp_path, lambda _: None) == jars.folder(tmp_path)


def test_without_java_the_wheels_is_taken(bare_path: Path) -> None:
    assert shutil.which("java") is None, bare_path
    assert (java.version(java.find()) or 0) >= java.OLDEST


def test_an_old_java_is_passed_over(bare_path: Path) -> None:
    old = bare_path / "java"
    old.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_392\"' >&2\n")
    old.chmod(0o755)
    assert java.version(str(old)) == 8
    assert java.find() != str(old)


def test_a_taken_port_is_refused_where_it_was_set_and_passed_over_where_it_was_kept() -> None:
    with socket.socket() as other:
        other.bind((ports.HOST, 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(MisconfiguredError, match=f"port {taken} is taken.*SAMSPIL_HTTP_PORT"):
            ports.require_free(taken, "SAMSPIL_HTTP_PORT")
        assert ports.choose(["http"], {"http": taken})["http"] != taken


def test_kept_ports_are_kept_and_no_two_are_alike() -> None:
    first = ports.choose(["a", "b", "c"], {})
    assert len(set(first.values())) == 3
    assert ports.choose(["a", "b", "c"], first) == first


def test_a_folder_with_something_else_in_it_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    with pytest.raises(MisconfiguredError, match="is no samspil home"):
        Home(tmp_path).ensure()
    assert (tmp_path / "letters.txt").read_text() == "mine"


def test_a_home_is_private_and_run_by_one_only(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.ensure()
    assert home.path.stat().st_mode & 0o077 == 0
    assert not home.is_running()
    with home.held():
        assert home.is_running()
        with pytest.raises(AlreadyRunningError, match="samspil down"), home.held():
            pass
    assert not home.is_running()


def test_a_full_disk_is_said_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = os.statvfs(tmp_path)
    usage = shutil.disk_usage(tmp_path)._replace(free=full.f_frsize)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(MisconfiguredError, match="nearly full"):
        Home(tmp_path).require_room()


def test_fresh_wipes_the_home_and_nothing_that_it_points_to(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "letter").touch()
    home = Home(tmp_path / "home")
    home.ensure()
    (home.path / "link").symlink_to(outside)
    (home.path / "kafka").mkdir()
    (home.path / "kafka" / "log").touch()
    with home.held():
        home.wipe()
    assert not (home.path / "kafka").exists()
    assert (outside / "letter").exists()
