"""The vault's key-encryption key behind a command of the administration's, as for a key management service.

Run with `current`, it prints the id of the key-encryption key in use; with `wrap ID`, it takes a secret on standard
input and gives it wrapped on standard output; with `unwrap ID`, the other way round. Secrets are bytes, and go through
those two pipes alone. What fails or takes too long is no key: nothing is kept in memory to go on with.
"""

import asyncio
import os
import re
import shlex
import signal
from contextlib import suppress

from consumers.case_keys import KeyUnavailableError, Wrapped
from consumers.vault_cipher import UnopenableError
from schemas.errors import MisconfiguredError

SECONDS = 2.0  # of one run; a read holds its case for little longer
MOST_WRAPPED = 16 * 1024
_AT_ONCE = 8
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+=-]{0,199}")  # never taken for an option


class KeyCommand:
    """Asks the command, a process for each question."""

    def __init__(self, command: str, seconds: float = SECONDS) -> None:
        """Take the command as a shell would split it; no shell runs it. Raises MisconfiguredError."""
        try:
            self._words = shlex.split(command)
        except ValueError:
            self._words = []
        if not self._words:
            raise MisconfiguredError("SAMSPIL_VAULT_KEY_COMMAND is no command.")
        self._seconds = seconds
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def current(self) -> str:
        said = (await self._run("current")).decode("ascii", "replace").strip()
        if not _ID.fullmatch(said):
            raise KeyUnavailableError("the command gives no id of a key.")
        return said

    async def wrap(self, key_id: str, secret: bytes) -> Wrapped:
        text = await self._run("wrap", key_id, given=secret)
        if not len(secret) <= len(text) <= MOST_WRAPPED or secret in text:
            raise KeyUnavailableError("the command does not wrap.")
        return Wrapped(key_id, text)

    async def unwrap(self, wrapped: Wrapped) -> bytes:
        if not _ID.fullmatch(wrapped.key_id):
            raise UnopenableError
        secret = await self._run("unwrap", wrapped.key_id, given=wrapped.text)
        if not secret:
            raise KeyUnavailableError("the command does not unwrap.")  # a pipe hides what failed in it
        return secret

    async def _run(self, verb: str, *arguments: str, given: bytes = b"") -> bytes:
        try:
            async with asyncio.timeout(self._seconds), self._turn:
                status, said = await self._asked((*self._words, verb, *arguments), given)
        except (OSError, ValueError) as error:  # TimeoutError is an OSError
            raise KeyUnavailableError(f"the command at {verb} ({type(error).__name__}).") from None
        if status != 0:
            raise KeyUnavailableError(f"the command at {verb} (exit status {status}).")
        return said

    async def _asked(self, words: tuple[str, ...], given: bytes) -> tuple[int, bytes]:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # it may say anything, and our log may not
            start_new_session=True,
        )
        try:
            said, _ = await process.communicate(given)
            return await process.wait(), said
        finally:
            if process.returncode is None:
                await asyncio.shield(_ended(process))


async def _ended(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.communicate()  # closes the pipes
