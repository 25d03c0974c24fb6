"""`samspil up`, `down`, `status`, and the hidden `service` that each process of the stack is."""

import contextlib
import logging
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from deploy.cli.console import FINE, NO, Json, answer, answer_json, note, table
from deploy.embedded.home import Home, Run
from deploy.settings import Settings, load
from schemas.contract_files import load_all
from schemas.errors import MisconfiguredError, SamspilError, UnreachableError

_POLL_SECONDS = 0.1
_STOP_SECONDS = 60.0
_DETACHED = "SAMSPIL_DETACHED"  # set for the supervisor of `up --detach`


def register(app: typer.Typer) -> None:
    app.command("up")(up)
    app.command("down")(down)
    app.command("status")(status)
    app.command("service", hidden=True)(service)


def up(
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget all data of this home first.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Come back once everything is ready.")] = False,
    clock: Annotated[
        Literal["wall", "events"] | None,
        typer.Option(help="events: the bus's clock follows the newest event time, for demonstrations."),
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="On the first start, play the shipped first weeks, moved to end now.")
    ] = False,
) -> None:
    """Run the whole bus on this machine: Kafka, PostgreSQL and every service, each its own process.

    Ctrl-C stops all of it. Data, logs and passwords are in .samspil, or where SAMSPIL_HOME says.
    """
    settings = load(**({"clock": clock} if clock else {}))
    home = Home(settings.home)
    home.ensure()
    if detach:
        _detached(home, fresh=fresh, demo=demo, settings=settings)
    else:
        with home.held():
            _supervised(settings, fresh=fresh, demo=demo)


def down() -> None:
    """Stop the bus that runs in this home."""
    home = Home(load().home)
    if not home.is_running():
        answer(f"samspil is not running in {home.path}.")
        return
    asked: int | None = None
    deadline = time.monotonic() + _STOP_SECONDS
    while home.is_running():
        if asked is None and (asked := home.holder()) is not None:
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself meanwhile
                os.kill(asked, signal.SIGTERM)
        if time.monotonic() > deadline:
            raise UnreachableError(f"process {asked or 'unknown'} does not stop; see {home.path}/logs.")
        time.sleep(_POLL_SECONDS)
    answer("samspil is stopped; its data is kept.")


def status(as_json: Json = False) -> None:
    """Say how the bus in this home is. Exit code 0: everything is ready; 1: not."""
    home = Home(load().home)
    run = home.present_run()
    told = _told(home, run)
    if as_json:
        answer_json(told)
    elif run is None:
        answer(f"samspil is {'not running' if told['state'] == 'stopped' else told['state']} in {home.path}.")
    else:
        answer(f"samspil is {told['state']} at {run.url}, since {run.since}, clock: {run.clock}.")
        rows = [(name, part.state, str(part.pid or "-"), str(part.restarts)) for name, part in run.parts.items()]
        table(("PART", "STATE", "PID", "RESTARTS"), rows)
    raise typer.Exit(FINE if told["state"] == "ready" else NO)


def service(name: Annotated[str, typer.Argument(help="worker, projector or web.")]) -> None:
    """Be one process of the bus."""
    from deploy import services
    from deploy.embedded.parts import MISCONFIGURED

    if name not in services.NAMES:
        raise MisconfiguredError(f"there is no service of this name; there are {', '.join(services.NAMES)}.")
    try:
        services.run(name, load())
    except UnreachableError:
        raise
    except SamspilError as error:
        note(str(error))
        raise typer.Exit(MISCONFIGURED) from None  # starting it again would change nothing


def _told(home: Home, run: Run | None) -> dict[str, Any]:
    if run is None:
        return {"home": str(home.path), "state": "starting" if home.is_running() else "stopped", "parts": {}}
    said = run.model_dump()
    limping = run.state == "ready" and any(part.state != "ready" for part in run.parts.values())
    return {"home": str(home.path), **said, "state": "degraded" if limping else run.state}


def _supervised(settings: Settings, *, fresh: bool, demo: bool) -> None:
    from deploy import logs
    from deploy.embedded.stack import Stack, Wishes  # here: the Kafka and PostgreSQL clients cost half a second

    stopping = threading.Event()
    logs.configure("up", level=logging.WARNING)  # a person reads here; what goes well is said in words
    stack = Stack(settings, load_all(settings.policies), note)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        run = stack.start(Wishes(fresh=fresh, demonstration=demo))
        if not os.environ.get(_DETACHED):  # then what is printed goes into a file: no place for a token
            _greet(run, settings, "Stop with Ctrl-C.")
        stack.supervise(stopping)
    except KeyboardInterrupt as why:
        note(f"stopping ({why}); a moment")
    finally:
        # A second Ctrl-C must not tear the stop apart; what hangs is killed after some seconds anyway.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        stack.stop()
    note("stopped; the data is kept")


def _interrupt(number: int, _frame: object) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)


def _greet(run: Run, settings: Settings, ending: str) -> None:
    answer(f"\nThe overview: {run.url}/")
    if settings.oidc_issuer:
        answer("Sign in with a token of your issuer.")
    else:
        answer(f"Sign in as ku (Koordineringsenheden) with this token, good for 12 hours:\n\n{_token(settings)}\n")
        answer(f"A new one, or one for another party: {_program()} token PARTY")
    answer(f"Logs: {settings.home}/logs. {ending}\n")


def _program() -> str:
    """Return how this command was started, so that what is printed can be copied."""
    started = sys.argv[0]
    if Path(started).suffix == ".py":
        return f"{shlex.quote(sys.executable)} -m deploy.cli.main"
    found = shutil.which(Path(started).name)
    return Path(started).name if found and Path(found).samefile(started) else shlex.quote(started)


def _token(settings: Settings) -> str:
    from deploy import tokens
    from schemas.identity import Role

    parties = tuple(load_all(settings.policies).newest.parties)
    return tokens.mint(settings.issuer_folder, "ku", [Role.OVERVIEW], parties=parties)


def _detached(home: Home, *, fresh: bool, demo: bool, settings: Settings) -> None:
    with home.held():
        log = home.path / "logs" / "up.log"
        log.parent.mkdir(exist_ok=True)
    wishes = [option for option, wished in (("--fresh", fresh), ("--demo", demo)) if wished]
    with log.open("wb") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "deploy.cli.main", "up", *wishes],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**settings.environment(), _DETACHED: "1"},
            start_new_session=True,
        )
    _greet(_followed(home, supervisor, log), settings, f"Stop with {_program()} down.")


def _followed(home: Home, supervisor: "subprocess.Popen[bytes]", log: Path) -> Run:
    """Show what the supervisor says until it is ready, and return its run; or until it has given up."""
    with log.open() as said:
        while True:
            ended = supervisor.poll() is not None
            run = home.last_run()
            sys.stdout.write(said.read())
            sys.stdout.flush()
            if run is not None and run.pid == supervisor.pid and run.state == "ready":
                return run
            if ended:
                raise typer.Exit(supervisor.returncode or NO)
            time.sleep(_POLL_SECONDS)
