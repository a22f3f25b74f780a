"""With which names and which reader stored documents were read last, and how far reading them again has come."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_STRING = sqlmodel.sql.sqltypes.AutoString
_TIME = sqlmodel.sql.sqltypes.UTCDateTime


def upgrade() -> None:
    op.create_table(
        "rereading",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("names", _STRING(), nullable=False),
        sa.Column("packed", sa.Text(), nullable=False),
        sa.Column("reader", _STRING(), nullable=False),
        sa.Column("touched", sa.JSON(), nullable=False),
        sa.Column("after_id", sa.Integer(), nullable=False),
        sa.Column("begun_at", _TIME(), nullable=False),
        sa.Column("ended_at", _TIME(), nullable=True),
        sa.Column("late_since", _TIME(), nullable=True),
        sa.Column("looked_at", sa.Integer(), nullable=False),
        sa.Column("unreadable", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rereading")),
    )


def downgrade() -> None:
    op.drop_table("rereading")
