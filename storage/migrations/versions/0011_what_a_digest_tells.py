"""Which digest tells of a delivery: a mark instead of a span of time."""

from datetime import datetime

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TIME = sqlmodel.sql.sqltypes.UTCDateTime
_AT_ONCE = 500  # ids in one statement

_delivery = sa.table(
    "delivery",
    sa.column("id", sa.Integer),
    sa.column("channel_id", sa.Integer),
    sa.column("kind", sa.String),
    sa.column("state", sa.String),
    sa.column("payload", sa.JSON),
    sa.column("owed_at", _TIME()),
    sa.column("digest_id", sa.Integer),
)
_channel = sa.table(
    "channel",
    sa.column("id", sa.Integer),
    sa.column("is_digest_on", sa.Boolean),
    sa.column("last_digest_at", _TIME()),
    sa.column("added_at", _TIME()),
)


def upgrade() -> None:
    op.add_column("delivery", sa.Column("digest_id", sa.Integer(), nullable=True, server_default="0"))
    op.create_index("ix_delivery_channel_digest", "delivery", ["channel_id", "digest_id"])
    connection = op.get_bind()
    for channel_id, last_at, added_at in connection.execute(
        sa.select(_channel.c.id, _channel.c.last_digest_at, _channel.c.added_at).where(_channel.c.is_digest_on)
    ).all():
        its = sa.select(_delivery.c.id, _delivery.c.payload, _delivery.c.owed_at, _delivery.c.state).where(_delivery.c.channel_id == channel_id)
        told = its.where(_delivery.c.kind.in_(("alert", "update")))
        # what no digest has told of yet: the next one does
        since = last_at or added_at
        _mark([row.id for row in connection.execute(told.where(_delivery.c.owed_at >= since)) if row.payload.get("digest")], None)
        # a digest that is owed, or that may be sent once the channel is posted to again, tells of its window
        digest = connection.execute(its.where(_delivery.c.kind == "digest", _delivery.c.owed_at == last_at)).first() if last_at else None
        if digest is not None and digest.state != "sent":
            window = told.where(_delivery.c.owed_at < last_at, _delivery.c.owed_at >= datetime.fromisoformat(digest.payload["since"]))
            _mark([row.id for row in connection.execute(window) if row.payload.get("digest")], digest.id)
    op.drop_index("ix_delivery_channel_owed", "delivery")  # it served the span of time


def _mark(ids: list[int], digest_id: int | None) -> None:
    for at in range(0, len(ids), _AT_ONCE):
        op.execute(_delivery.update().where(_delivery.c.id.in_(ids[at : at + _AT_ONCE])).values(digest_id=digest_id))


def downgrade() -> None:
    told = sa.select(_delivery.c.id, _delivery.c.payload, _delivery.c.digest_id).where(_delivery.c.kind.in_(("alert", "update")))
    rows = [{"row": row.id, "now": row.payload | {"digest": row.digest_id != 0}} for row in op.get_bind().execute(told)]
    if rows:
        which = _delivery.update().where(_delivery.c.id == sa.bindparam("row"))
        op.get_bind().execute(which.values(payload=sa.bindparam("now", type_=sa.JSON)), rows)
    op.drop_index("ix_delivery_channel_digest", "delivery")
    op.drop_column("delivery", "digest_id")
    op.create_index("ix_delivery_channel_owed", "delivery", ["channel_id", "owed_at"])
