"""Postings that wait for a person to look at them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table of the review queue."""
    op.create_table(
        "queue",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("title_digest", sa.String(32), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("department", sa.String(200)),
        sa.Column("role", sa.String(200)),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("worth", sa.Float, nullable=False),
    )
    for column in ("title_digest", "worth"):
        op.create_index(f"ix_queue_{column}", "queue", [column])
