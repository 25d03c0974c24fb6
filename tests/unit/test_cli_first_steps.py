"""What a newcomer does in the wrong order, or with a stray character, is put right or told in one line."""

import os
import subprocess
import sys
from pathlib import Path

from deploy.embedded.home import Home

SAMSPIL = Path(sys.executable).with_name("samspil")
CPR = "251248-9996"
FINE, NO, CANNOT = 0, 1, 2


def samspil(home: Path, *arguments: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SAMSPIL, *arguments],
        env={**os.environ, "SAMSPIL_HOME": str(home), **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refused(run: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a command ended with."""
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (CANNOT, "", 1), run.stdout + run.stderr
    return run.stderr


def test_a_token_before_the_first_start_leaves_a_home_that_starts(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert samspil(home, "token", "ku").returncode == FINE
    assert home.stat().st_mode & 0o077 == 0
    Home(home).ensure()


def test_a_token_of_keys_elsewhere_needs_no_home(tmp_path: Path) -> None:
    keys = {"SAMSPIL_ISSUER_KEYS": str(tmp_path / "keys")}
    assert samspil(tmp_path / "home", "token", "ku", **keys).returncode == FINE
    assert not (tmp_path / "home").exists()


def test_a_token_makes_no_home_of_a_folder_with_something_else_in_it(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").touch()
    assert "is no samspil home" in refused(samspil(tmp_path, "token", "ku"))
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]
