"""Settings of channels, mutes, verdicts and reviews, workspaces that come and go, leases and requests that came in."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TEXT = sqlmodel.sql.sqltypes.AutoString
_TIME = sqlmodel.sql.sqltypes.UTCDateTime


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.add_column("workspace", sa.Column("enterprise_id", _TEXT(), nullable=True))
    op.add_column("workspace", sa.Column("installed_by", _TEXT(), nullable=False, server_default=""))
    op.add_column("workspace", sa.Column("installed_at", _TIME(), nullable=True))
    op.add_column("workspace", sa.Column("uninstalled_at", _TIME(), nullable=True))
    # written anew on SQLite, for the sake of the CHECKs: a channel is a small row
    with op.batch_alter_table("channel") as channel:
        channel.add_column(sa.Column("quiet_from", _TEXT(), nullable=True))
        channel.add_column(sa.Column("quiet_to", _TEXT(), nullable=True))
        channel.add_column(
            sa.Column("broadcast", _choice("broadcast", "never", "escalation", "all"), nullable=False, server_default="escalation")
        )
        channel.add_column(
            sa.Column("who_may_change", _choice("whomaychange", "everyone", "members", "admins"), nullable=False, server_default="everyone")
        )
    op.create_table(
        "mute",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("key", _TEXT(), nullable=False),
        sa.Column("until", _TIME(), nullable=False),
        sa.Column("made_by", _TEXT(), nullable=False),
        sa.Column("made_at", _TIME(), nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_mute_channel_id"),
        sa.PrimaryKeyConstraint("id", name="pk_mute"),
        sa.UniqueConstraint("channel_id", "key", name="uq_mute_channel_key"),
    )
    # no version before this one wrote a row of it
    op.drop_table("correction")
    op.create_table(
        "correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", _TEXT(), nullable=True),
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("action_id", sa.Integer(), nullable=False),
        sa.Column("verdict", _choice("verdict", "wrong_firm", "not_relevant", "duplicate"), nullable=False),
        sa.Column("firm_id", _TEXT(), nullable=True),
        sa.Column("folded", _TEXT(), nullable=False),
        sa.Column("of_action_id", sa.Integer(), nullable=True),
        sa.Column("reason", _TEXT(), nullable=False),
        sa.Column("made_by", _TEXT(), nullable=False),
        sa.Column("made_at", _TIME(), nullable=False),
        sa.Column("withdrawn_by", _TEXT(), nullable=False),
        sa.Column("withdrawn_at", _TIME(), nullable=True),
        sa.ForeignKeyConstraint(["action_id"], ["action.id"], name="fk_correction_action_id"),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_correction_channel_id"),
        sa.ForeignKeyConstraint(["firm_id"], ["firm.id"], name="fk_correction_firm_id"),
        sa.ForeignKeyConstraint(["of_action_id"], ["action.id"], name="fk_correction_of_action_id"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="fk_correction_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_correction"),
    )
    op.create_index("ix_correction_action_id", "correction", ["action_id"])
    op.create_index("ix_correction_workspace_id", "correction", ["workspace_id"])
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("action_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_by", _TEXT(), nullable=False),
        sa.Column("made_at", _TIME(), nullable=False),
        sa.ForeignKeyConstraint(["action_id"], ["action.id"], name="fk_review_action_id"),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_review_channel_id"),
        sa.PrimaryKeyConstraint("id", name="pk_review"),
        sa.UniqueConstraint("channel_id", "action_id", "version", "made_by", name="uq_review_action_version"),
    )
    op.create_index("ix_review_action_id", "review", ["action_id"])
    op.create_table(
        "lease",
        sa.Column("name", _TEXT(), nullable=False),
        sa.Column("token", _TEXT(), nullable=False),
        sa.Column("until", _TIME(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )
    op.create_table(
        "inbound",
        sa.Column("key", _TEXT(), nullable=False),
        sa.Column("seen_at", _TIME(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_inbound"),
    )
    op.create_index("ix_inbound_seen_at", "inbound", ["seen_at"])


def downgrade() -> None:
    for name in ("inbound", "lease", "review", "correction", "mute"):
        op.drop_table(name)
    op.create_table(
        "correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", _TEXT(), nullable=False),
        sa.Column("action_id", sa.Integer(), nullable=False),
        sa.Column("verdict", _TEXT(), nullable=False),
        sa.Column("firm_id", _TEXT(), nullable=True),
        sa.Column("reason", _TEXT(), nullable=False),
        sa.Column("made_by", _TEXT(), nullable=False),
        sa.Column("made_at", _TIME(), nullable=False),
        sa.ForeignKeyConstraint(["action_id"], ["action.id"], name="fk_correction_action_id"),
        sa.ForeignKeyConstraint(["firm_id"], ["firm.id"], name="fk_correction_firm_id"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspace.id"], name="fk_correction_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_correction"),
    )
    op.create_index("ix_correction_action_id", "correction", ["action_id"])
    op.create_index("ix_correction_workspace_id", "correction", ["workspace_id"])
    with op.batch_alter_table("channel") as channel:
        channel.drop_constraint(op.f("ck_channel_broadcast"), type_="check")
        channel.drop_constraint(op.f("ck_channel_who_may_change"), type_="check")
        for name in ("who_may_change", "broadcast", "quiet_to", "quiet_from"):
            channel.drop_column(name)
    for name in ("uninstalled_at", "installed_at", "installed_by", "enterprise_id"):
        op.drop_column("workspace", name)
