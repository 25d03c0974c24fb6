"""Who keeps the vault's key-encryption keys: a file, or a command. What fails is no key, and shows nothing of one."""

import asyncio
import os
import shlex
import sys
from collections.abc import Awaitable
from dataclasses import replace
from pathlib import Path

import pytest

from consumers.case_keys import CaseKeys, Keeper, KeyUnavailableError, UnknownKeyError, Wrapped
from consumers.vault_cipher import UnopenableError
from deploy import vault_key
from deploy.key_command import KeyCommand
from deploy.vault_key import KeyFile
from schemas.errors import MisconfiguredError, SamspilError

CASE, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
# A key management service in small: what it wraps is turned round behind its key's id.
SERVICE = """
import pathlib, sys
verb, *ids = sys.argv[1:]
given = sys.stdin.buffer.read()
if verb == "current":
    print("key/7")
elif verb == "wrap":
    sys.stdout.buffer.write(ids[0].encode() + b"|" + bytes(255 - byte for byte in given))
elif given.startswith(ids[0].encode() + b"|"):
    sys.stdout.buffer.write(bytes(255 - byte for byte in given.partition(b"|")[2]))
else:
    sys.exit(3)
"""


def command(program: str = SERVICE, seconds: float = 20) -> KeyCommand:
    return KeyCommand(shlex.join([sys.executable, "-S", "-c", program]), seconds)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "home" / "vault.keys"
    vault_key.ensured(found, None)
    return found


@pytest.fixture(params=["file", "command"])
def keeper(request: pytest.FixtureRequest, path: Path) -> Keeper:
    return KeyFile(path) if request.param == "file" else command()


class TestEither:
    async def test_a_case_s_key_comes_back_and_is_no_other_case_s(self, keeper: Keeper) -> None:
        keys, key = CaseKeys(keeper), os.urandom(32)
        wrapped = await keys.wrapped(CASE, key, await keeper.current())
        assert key not in wrapped.text
        assert key.hex() not in repr(wrapped)
        assert await keys.unwrapped(CASE, wrapped) == key
        with pytest.raises(UnopenableError):
            await keys.unwrapped(OTHER, wrapped)

    async def test_a_key_that_was_changed_is_none(self, keeper: Keeper) -> None:
        keys = CaseKeys(keeper)
        wrapped = await keys.wrapped(CASE, os.urandom(32), await keeper.current())
        for text in (b"", wrapped.text[:-1], wrapped.text[:-1] + bytes([wrapped.text[-1] ^ 1])):
            with pytest.raises((UnopenableError, KeyUnavailableError)):
                await keys.unwrapped(CASE, replace(wrapped, text=text))


class TestFile:
    def test_it_is_made_once_for_its_owner_alone(self, path: Path) -> None:
        before = path.read_text()
        assert path.stat().st_mode & 0o777 == 0o600
        vault_key.ensured(path, None)
        assert path.read_text() == before

    @pytest.mark.parametrize("text", ["", "00" * 31, "no hex", "00" * 32 + "\nzz"])
    def test_what_is_no_key_is_refused(self, path: Path, text: str) -> None:
        path.write_text(text)
        with pytest.raises(MisconfiguredError) as refused:
            vault_key.ensured(path, None)
        assert not text or text not in str(refused.value)

    def test_one_that_others_can_read_is_refused(self, path: Path) -> None:
        path.chmod(0o640)
        with pytest.raises(MisconfiguredError, match="chmod"):
            vault_key.ensured(path, None)

    async def test_a_new_key_comes_into_use_at_once_and_the_old_one_opens_until_it_is_given_up(
        self, path: Path
    ) -> None:
        keeper, elsewhere = KeyFile(path), KeyFile(path)
        old = await keeper.current()
        wrapped = await keeper.wrap(old, b"a secret")
        await keeper.renew()
        new = await elsewhere.current()
        assert new != old
        assert await elsewhere.unwrap(wrapped) == b"a secret"
        await keeper.renew()  # the rotation is not over
        assert await keeper.current() == new
        await keeper.keep_only(new)
        with pytest.raises(UnknownKeyError):
            await elsewhere.unwrap(wrapped)
        assert path.stat().st_mode & 0o777 == 0o600
        assert [file.name for file in path.parent.iterdir()] == ["vault.keys"]

    async def test_the_last_key_is_never_given_up(self, path: Path) -> None:
        before = path.read_text()
        await KeyFile(path).keep_only("another")
        assert path.read_text() == before

    async def test_without_the_file_there_is_no_key_and_none_is_made(self, path: Path) -> None:
        keeper = KeyFile(path)
        path.unlink()
        with pytest.raises(KeyUnavailableError):
            await keeper.current()
        with pytest.raises(MisconfiguredError):
            await keeper.renew()
        assert not path.exists()


class TestCommand:
    @pytest.mark.parametrize(
        "program",
        [
            "raise SystemExit(3)",
            "import sys; sys.stdin.close(); print('x' * 5)",
            "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())",
            "",
        ],
        ids=["fails", "says something short", "does not wrap", "says nothing"],
    )
    async def test_what_does_not_wrap_is_no_keeper(self, program: str) -> None:
        assert "secret" not in await _refused(command(program).wrap("k", b"secret" * 8))

    async def test_one_that_hangs_is_ended(self, tmp_path: Path) -> None:
        pid = tmp_path / "pid"
        hangs = f"import os, pathlib, time; pathlib.Path({str(pid)!r}).write_text(str(os.getpid())); time.sleep(600)"
        asked = command(hangs, 3).current()
        assert "TimeoutError" in await _refused(asked)
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.read_text()), 0)

    async def test_one_that_is_not_there_is_no_keeper(self, tmp_path: Path) -> None:
        assert "FileNotFoundError" in await _refused(KeyCommand(str(tmp_path / "none")).current())

    @pytest.mark.parametrize("said", ["", "-n", "two words", "æ", "x" * 201])
    async def test_an_id_is_one_plain_word(self, said: str) -> None:
        await _refused(command(f"import sys; sys.stdout.buffer.write({said.encode()!r})").current())

    async def test_an_id_from_the_database_is_never_an_option(self) -> None:
        with pytest.raises(UnopenableError):
            await command().unwrap(Wrapped("--help", b"x"))

    async def test_nothing_of_a_secret_is_in_arguments_or_environment(self, tmp_path: Path) -> None:
        seen = tmp_path / "seen"
        tell = f"import os, pathlib, sys; pathlib.Path({str(seen)!r}).write_text(repr((sys.argv, dict(os.environ))))"
        secret = b"secret to nobody, of some length"
        await asyncio.gather(command(tell + SERVICE).wrap("key/7", secret))
        assert secret.decode() not in seen.read_text()
        assert secret.hex() not in seen.read_text()

    @pytest.mark.parametrize("words", ["'", "   "])
    def test_what_is_no_command_is_refused(self, words: str) -> None:
        with pytest.raises(MisconfiguredError):
            KeyCommand(words)


async def _refused(asked: Awaitable[object]) -> str:
    with pytest.raises(KeyUnavailableError) as refused:
        await asked
    assert isinstance(refused.value, SamspilError)
    return str(refused.value)
