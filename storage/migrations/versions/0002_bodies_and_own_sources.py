"""A notice's own page, and sources of the operator's own."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_WANTED = sa.text("body_url is not null and body_read_at is null")


def upgrade() -> None:
    # added in place, with defaults: SQLite would have to write a large table anew for anything else
    op.add_column("source", sa.Column("is_own", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("source", sa.Column("is_proved", sa.Boolean(), nullable=False, server_default=sa.true()))
    # pages and interfaces that are in the catalogue already, but were not polled before, start as new ones do
    op.execute(
        sa.text(
            "update source set is_proved = :no, mode = 'shadow', mode_reason = 'no real page of it has been read yet: live once one is'"
            " where kind not in ('rss', 'atom') and last_ok_at is null"
        ).bindparams(no=False)
    )
    op.add_column("document", sa.Column("listed", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("document", sa.Column("body_url", sqlmodel.sql.sqltypes.AutoString(), nullable=True))
    op.add_column("document", sa.Column("body_read_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
    op.add_column("document", sa.Column("body_tries", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("document", sa.Column("body_detail", sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default=""))
    op.create_index("ix_document_wanted", "document", ["source_id"], sqlite_where=_WANTED, postgresql_where=_WANTED)


def downgrade() -> None:
    op.drop_index("ix_document_wanted", table_name="document")
    for name in ("body_detail", "body_tries", "body_read_at", "body_url", "listed"):
        op.drop_column("document", name)
    op.drop_column("source", "is_proved")
    op.drop_column("source", "is_own")
