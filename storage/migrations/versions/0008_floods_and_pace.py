"""Rolled-up messages, how far a delivery of several messages has come, and the pace of a workspace."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TIME = sqlmodel.sql.sqltypes.UTCDateTime
_CHECK = "ck_delivery_kind"


def upgrade() -> None:
    op.add_column("workspace", sa.Column("next_post_at", _TIME(), nullable=True))
    op.add_column("workspace", sa.Column("pace", sa.Float(), nullable=False, server_default="5"))
    op.add_column("workspace", sa.Column("limited_at", _TIME(), nullable=True))
    op.add_column("channel", sa.Column("rolled_up_at", _TIME(), nullable=True))
    op.add_column("channel", sa.Column("rolled_up", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("delivery") as delivery:
        delivery.drop_constraint(op.f(_CHECK), type_="check")
        delivery.create_check_constraint(op.f(_CHECK), "kind in ('alert', 'update', 'digest', 'notice', 'rollup')")
        delivery.add_column(sa.Column("rolled_into", sa.Integer(), nullable=True))
        delivery.add_column(sa.Column("is_held", sa.Boolean(), nullable=False, server_default=sa.false()))
        delivery.add_column(sa.Column("parts", sa.Integer(), nullable=False, server_default="0"))
    rolled = sa.text("rolled_into is not null")
    op.create_index("ix_delivery_rolled_into", "delivery", ["rolled_into"], postgresql_where=rolled, sqlite_where=rolled)
    op.create_index("ix_delivery_channel_state", "delivery", ["channel_id", "state"])
    # serves claim(): how many cards a channel got lately
    op.create_index("ix_card_channel_posted", "card", ["channel_id", "posted_at"])


def downgrade() -> None:
    op.drop_index("ix_card_channel_posted", "card")
    op.drop_index("ix_delivery_channel_state", "delivery")
    op.drop_index("ix_delivery_rolled_into", "delivery")
    op.execute("update delivery set state = 'sent' where rolled_into is not null and state = 'owed'")
    op.execute("delete from delivery where kind = 'rollup'")
    with op.batch_alter_table("delivery") as delivery:
        delivery.drop_constraint(op.f(_CHECK), type_="check")
        delivery.create_check_constraint(op.f(_CHECK), "kind in ('alert', 'update', 'digest', 'notice')")
        delivery.drop_column("parts")
        delivery.drop_column("is_held")
        delivery.drop_column("rolled_into")
    op.drop_column("channel", "rolled_up")
    op.drop_column("channel", "rolled_up_at")
    op.drop_column("workspace", "limited_at")
    op.drop_column("workspace", "pace")
    op.drop_column("workspace", "next_post_at")
