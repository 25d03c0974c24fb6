"""`samspil vault`: another key-encryption key for the vault, while it is in use."""

from typing import Annotated

import asyncpg
import typer

from consumers.case_keys import CaseKeys
from consumers.key_rotation import Rotated, Rotation
from deploy import clients, vault_key
from deploy import settings as settings_
from deploy.cli import reach
from deploy.cli.console import NO, Json, answer, answer_json, note, progress, progress_over
from deploy.settings import Settings
from deploy.vault_key import KeyFile
from schemas.errors import MisconfiguredError, UnreachableError

app = typer.Typer(no_args_is_help=True, help="The vault's keys.")

Keep = Annotated[
    bool, typer.Option("--keep-old", help="Leave the older key-encryption keys in the file; the next run removes them.")
]


@app.callback()
def vault() -> None:
    """Keep the name of the command, of which there is only one yet."""


@app.command("rotate")
def rotate_command(keep_old: Keep = False, as_json: Json = False) -> None:
    """Wrap the key of every case by a new key-encryption key; reads and deposits go on meanwhile.

    The new one is made in the file of keys, or is what SAMSPIL_VAULT_KEY_COMMAND says is current. Older ones leave the
    file once nothing is wrapped by them. An interrupted run is finished by the next. Exit code 1: some keys are still
    wrapped by an older one, which is not here or does not open them.
    """
    done = reach.run(rotate(settings_.load(), keep_old=keep_old))
    progress_over()
    if as_json:
        answer_json({"key": done.key_id, "rewrapped": done.rewrapped, "left": done.left})
    else:
        answer(f"{done.rewrapped} keys of cases are now wrapped by {done.key_id}.")
    if done.left:
        note(f"{done.left} keys of cases are still wrapped by others, which stay: not here, or not theirs.")
    elif not done.rewrapped:
        note("There was no other key left to wrap: an earlier run had begun this rotation, or no case has a key.")
    raise typer.Exit(NO if done.left else 0)


async def rotate(settings: Settings, *, keep_old: bool = False) -> Rotated:
    """Rotate with the vault's own login. Raises UnreachableError, MisconfiguredError, RotationUnderWayError."""
    keeper = vault_key.keeper(settings.vault_key_file, settings.vault_key_command)
    try:
        connection = await clients.connection(settings.dsn("vault"))
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise UnreachableError(f"PostgreSQL ({type(error).__name__}).") from None

    async def renew() -> None:
        if isinstance(keeper, KeyFile):
            await keeper.renew()

    async def give_up(key_id: str) -> None:
        if isinstance(keeper, KeyFile) and not keep_old:
            try:
                await keeper.keep_only(key_id)
            except MisconfiguredError as error:
                note(f"{error.detail} Nothing needs the keys after its first line any more: take them out yourself.")

    try:
        return await Rotation(connection, CaseKeys(keeper), renew, give_up).run(
            lambda count: progress(f"{count} keys of cases wrapped anew")
        )
    finally:
        await connection.close()
