"""The errors of the library, each with a message that says where and what to do."""


class ClassifierError(Exception):
    """Base of all errors that the library raises on purpose."""


class InputError(ClassifierError):
    """A file or value from the user that cannot be read."""


class TrainingDataError(ClassifierError):
    """Taxonomy, policies, catalogue or word lists that contradict themselves or cannot be read."""


class ModelError(ClassifierError):
    """A model that is missing, corrupt, foreign or stale."""


class OutputError(ClassifierError):
    """A file that cannot be written."""


class DatabaseError(ClassifierError):
    """A database of corrections that cannot be opened, read or written."""


class RowError(InputError):
    """A row that cannot be taken or written as it is wanted."""
