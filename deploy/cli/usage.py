"""A command line that cannot be understood, told in our own words.

What was typed may be a value that landed in the wrong place, and Typer's messages repeat it. So of its errors only
what speaks of our own commands and options is used.
"""

from typing import Any

import typer

from schemas.errors import UsageError


def told(error: typer.TyperException) -> str:
    """Return what to print: one line, or the help where a group was called with nothing."""
    if type(error).__name__ == "NoArgsIsHelpError":
        return str(error)
    context = getattr(error, "ctx", None)
    return f"{UsageError(_what(error, context))}" + (f" See {context.command_path} --help." if context else "")


def _what(error: typer.TyperException, context: Any) -> str:
    # By name: only BadParameter is public in Typer. An error that is not known here says nothing of itself.
    name = type(error).__name__
    if isinstance(error, typer.BadParameter) and error.param is not None:
        option = error.param.get_error_hint().replace("'", "")
        return f"{option} {_fault(error, context)}"
    if name == "NoSuchOption":
        alike = ", ".join(getattr(error, "possibilities", None) or ())
        return "there is no such option" + (f"; did you mean {alike}?" if alike else ".")
    if name == "BadOptionUsage":
        fault = "needs a value." if "requires" in error.message else "takes no value."
        return f"{getattr(error, 'option_name', 'an option')} {fault}"
    if commands := getattr(getattr(context, "command", None), "commands", None):
        return f"there is no such command; there are {', '.join(n for n, c in commands.items() if not c.hidden)}."
    return "there is an argument too many."


def _fault(error: typer.BadParameter, context: Any) -> str:
    if type(error).__name__ == "MissingParameter" or error.param is None:
        return "is missing."
    return f"does not take this value; it takes {error.param.display_type(context).strip('<>')}."
