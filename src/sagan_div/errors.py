"""What a user can put right: one line that names the file or key and what to do, never a traceback."""


class UserError(Exception):
    """An error in the input or the surroundings; its text is one line for the user, and the exit status is 2."""


class Interrupted(Exception):  # noqa: N818
    """Work stopped by a signal after its state was saved; running the same command again continues it.

    `signal` is the number of the signal, so that the exit status can be 128 + signal as shells expect.
    """

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.signal = signal
