"""The day of an action, kept by the database, and indexes that answer "actions against X" without reading an action."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# SQLite adds no stored column to a table that is there, and works a virtual one out when it writes the index
_DAYS = {
    "sqlite": ("coalesce(decided_on, date(published_at), date(first_seen_at))", False),
    "postgresql": (
        "coalesce(decided_on, (published_at at time zone 'UTC'::text)::date, (first_seen_at at time zone 'UTC'::text)::date)",
        True,
    ),
}
# the copy beside the firm, whoever writes either table. A later migration that writes one of the two tables anew on SQLite
# (batch_alter_table) loses its triggers and must make them again; tests/test_figures.py notices
_TRIGGERS = {
    "sqlite": (
        "create trigger actionfirm_acted_on after insert on actionfirm begin"
        " update actionfirm set acted_on = (select acted_on from action where id = new.action_id) where id = new.id; end",
        "create trigger action_acted_on after update of decided_on, published_at, first_seen_at on action"
        " when new.acted_on is not old.acted_on begin"
        " update actionfirm set acted_on = new.acted_on where action_id = new.id; end",
    ),
    "postgresql": (
        "create function actionfirm_acted_on() returns trigger language plpgsql as $$"
        " begin select acted_on into new.acted_on from action where id = new.action_id; return new; end $$",
        "create trigger actionfirm_acted_on before insert on actionfirm for each row execute function actionfirm_acted_on()",
        "create function action_acted_on() returns trigger language plpgsql as $$"
        " begin update actionfirm set acted_on = new.acted_on where action_id = new.id; return null; end $$",
        "create trigger action_acted_on after update on action for each row"
        " when (new.acted_on is distinct from old.acted_on) execute function action_acted_on()",
    ),
}
_UNDONE = {
    "sqlite": ("drop trigger action_acted_on", "drop trigger actionfirm_acted_on"),
    "postgresql": (
        "drop trigger action_acted_on on action",
        "drop trigger actionfirm_acted_on on actionfirm",
        "drop function action_acted_on()",
        "drop function actionfirm_acted_on()",
    ),
}
_OF_BRAND = sa.text("brand_id is not null")


def upgrade() -> None:
    kind = op.get_bind().dialect.name
    day, is_stored = _DAYS[kind]
    op.add_column("action", sa.Column("acted_on", sa.Date(), sa.Computed(day, persisted=is_stored), nullable=True))
    op.create_index("ix_action_acted_on", "action", ["acted_on", "id"])
    op.add_column("actionfirm", sa.Column("acted_on", sa.Date(), nullable=True))
    op.execute("update actionfirm set acted_on = (select acted_on from action where action.id = actionfirm.action_id)")
    op.drop_index("ix_actionfirm_firm_seen", table_name="actionfirm")
    op.drop_index("ix_actionfirm_brand_id", table_name="actionfirm")
    op.create_index("ix_actionfirm_firm_acted", "actionfirm", ["firm_id", "acted_on", "action_id", "role"])
    op.create_index(
        "ix_actionfirm_brand_acted",
        "actionfirm",
        ["brand_id", "acted_on", "action_id", "role"],
        sqlite_where=_OF_BRAND,
        postgresql_where=_OF_BRAND,
    )
    op.drop_index("ix_mention_firm_id", table_name="mention")
    op.create_index("ix_mention_firm_read", "mention", ["firm_id", "surface", "role"])
    for statement in _TRIGGERS[kind]:
        op.execute(statement)


def downgrade() -> None:
    kind = op.get_bind().dialect.name
    for statement in _UNDONE[kind]:
        op.execute(statement)
    op.drop_index("ix_mention_firm_read", table_name="mention")
    op.create_index("ix_mention_firm_id", "mention", ["firm_id"])
    op.drop_index("ix_actionfirm_brand_acted", table_name="actionfirm")
    op.drop_index("ix_actionfirm_firm_acted", table_name="actionfirm")
    op.create_index("ix_actionfirm_brand_id", "actionfirm", ["brand_id"])
    op.create_index("ix_actionfirm_firm_seen", "actionfirm", ["firm_id", "first_seen_at", "action_id"])
    op.drop_column("actionfirm", "acted_on")
    op.drop_index("ix_action_acted_on", table_name="action")
    op.drop_column("action", "acted_on")
