"""The tables of corrections, and how a database gets and keeps them."""

from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    inspect,
    text,
)

from classifier.errors import DatabaseError

VERSION = "0002"
"""The last of the migrations."""

MIGRATIONS = Path(__file__).resolve().parent / "migrations"

_LOCK = 0x6A6F627469746C65  # "jobtitle": what PostgreSQL holds while tables are made

METADATA = MetaData()

REVISION = Table(
    "revision",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # goes up with every change; whoever writes moves it first, and so waits for the others
    Column("number", BigInteger, nullable=False),
    # the number of the last change that took something out
    Column("deleted", BigInteger, nullable=False),
)

CORRECTIONS = Table(
    "corrections",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("digest", String(64), nullable=False),  # of title, description, labels and person
    Column("revision", BigInteger, nullable=False),
    Column("at", DateTime, nullable=False),  # UTC
    Column("title", Text, nullable=False),
    Column("title_digest", String(32), nullable=False),
    Column("description", Text, nullable=False),
    Column("posting", String(32), nullable=False),  # digest of title and description
    Column("department", String(200), nullable=False),
    Column("role", String(200)),
    Column("who", String(200), nullable=False),
    Column("said", Text),  # JSON
    Index("ix_corrections_digest", "digest", unique=True),
    Index("ix_corrections_revision", "revision"),
    Index("ix_corrections_title_digest", "title_digest"),
    Index("ix_corrections_posting", "posting"),
    Index("ix_corrections_who", "who"),
)

QUEUE = Table(
    "queue",
    METADATA,
    Column("id", String(32), primary_key=True),  # digest of title and description
    Column("at", DateTime, nullable=False),  # UTC
    Column("title", Text, nullable=False),
    Column("title_digest", String(32), nullable=False),
    Column("description", Text, nullable=False),
    Column("department", String(200)),
    Column("role", String(200)),
    Column("confidence", Float, nullable=False),
    Column("reason", String(20), nullable=False),
    Column("count", Integer, nullable=False),
    Column("worth", Float, nullable=False),  # how many wrong answers a look is likely to mend
    Index("ix_queue_title_digest", "title_digest"),
    Index("ix_queue_worth", "worth"),
)


def version_of(connection: Connection) -> str | None:
    """Return the migration that a database is at, None if it has none of the tables."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def migrate(connection: Connection, version: str = VERSION) -> None:
    """Make the tables, or bring them up to date; one process does it, the others wait.

    Parameters
    ----------
    connection
        In a transaction that writes: what goes wrong leaves nothing behind.
    version
        Up to which migration.

    Raises
    ------
    DatabaseError
        If a newer version of this program made them.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    config = Config()
    # interpolation: what is a % in a path is none in the configuration
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    found = version_of(connection)
    if found is not None and found not in known:
        raise DatabaseError(
            f"a newer version of this program made it (its tables are at {found}, this one knows "
            f"them up to {VERSION}); install that version"
        )
    command.upgrade(config, version)
