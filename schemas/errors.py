"""The one exception tree. A docstring is the message that people read; details name places, never values."""


class SamspilError(Exception):
    """Something in samspil went wrong."""

    def __init__(self, detail: str = "") -> None:
        """Keep the detail: a place (file, line, path, name of a topic), never a value of an event."""
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        """Give the class's message, then the place."""
        message = (type(self).__doc__ or "").strip()
        return f"{message} {self.detail}".strip()


class ContractError(SamspilError):
    """The contract is refused whole:"""


class UnknownContractError(SamspilError):
    """The log names a contract that deploy/policies does not hold:"""


class MalformedError(SamspilError):
    """This is not one well-formed JSON value:"""


class StateError(SamspilError):
    """A stored case state cannot be read:"""


class UnreachableError(SamspilError):
    """A service cannot be reached:"""


class MisconfiguredError(SamspilError):
    """A setting or prerequisite is not right:"""


class TopicMismatchError(SamspilError):
    """A topic exists with another shape than the catalogue's:"""


class UnstorableError(SamspilError):
    """The state of this case is larger than one record may be."""


class UnsendableError(SamspilError):
    """A record can never be sent, so the batch is given up:"""


class StalledError(SamspilError):
    """Work waits and none is done, so this process gives up:"""


class NotPermittedError(SamspilError):
    """The token does not give this right:"""


class UnknownWordError(SamspilError):
    """The contract uses a word that this program does not know, so nothing is released:"""


class BusyError(SamspilError):
    """The broker does not take records in time; try again later:"""


class UsageError(SamspilError):
    """This command cannot be run so:"""


class AlreadyRunningError(SamspilError):
    """samspil is already running in"""
