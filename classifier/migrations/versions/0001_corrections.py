"""Corrections, and the number of their last change."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of what people said."""
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO revision (id, number, deleted) VALUES (1, 0, 0)")
    op.create_table(
        "corrections",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("title_digest", sa.String(32), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("posting", sa.String(32), nullable=False),
        sa.Column("department", sa.String(200), nullable=False),
        sa.Column("role", sa.String(200)),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("said", sa.Text),
    )
    op.create_index("ix_corrections_digest", "corrections", ["digest"], unique=True)
    for column in ("revision", "title_digest", "posting", "who"):
        op.create_index(f"ix_corrections_{column}", "corrections", [column])
