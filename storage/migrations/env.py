"""Run by alembic for each command. `storage.base` hands over a connection that is already in a transaction."""

from alembic import context
from sqlmodel import SQLModel

import storage.models
import storage.tenancy  # noqa: F401  # both fill the metadata
from storage.base import is_of_the_tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,  # SQLite cannot alter most things in place
    transactional_ddl=True,  # on SQLite too: the transaction is ours
    transaction_per_migration=False,
    include_object=is_of_the_tables,
)
with context.begin_transaction():
    context.run_migrations()
