"""Run by Alembic with the connection that `classifier.schema.migrate` gives it."""

from alembic import context

from classifier.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite cannot alter columns in place
)
with context.begin_transaction():
    context.run_migrations()
