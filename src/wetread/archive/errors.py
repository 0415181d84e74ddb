"""archive/errors.py: the base of every error that is wetread's own."""


class WetreadError(Exception):
    """Base of all errors, where an input cannot be used; the message says where and what to do.

    Errors of wrong arguments derive from ValueError as well; files that are not there raise
    FileNotFoundError, as everywhere.
    """
