"""What can stop the local host from starting; the text is one sentence for the person at the terminal."""


class LocalHostError(Exception):
    """The local host cannot start; `exit_code` is what the command ends with."""

    exit_code = 2


class IndexingFailed(LocalHostError):
    """The worker library could not index the app: all its functions are lost, in Azure too."""

    exit_code = 1
