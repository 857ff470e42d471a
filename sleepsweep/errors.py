"""The error that is written for the person who runs sleepsweep."""


class UserError(Exception):
    """Something the user can mend: a file, a key, a value.

    Its message says what is wrong, where, what is allowed and what to do next. The command line
    prints it without a traceback and ends with exit status 2. A bug is never a `UserError`.
    """
