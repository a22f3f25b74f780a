"""Full text: the tokens of each document, and an index over them."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

from storage.fulltext import words_values

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BATCH = 500

_FTS = (
    # the tokens hold nothing but letters, digits and what is not ASCII: cut at spaces, they stay what they are
    "create virtual table fulltext using fts5(words, content='documentwords', content_rowid='place', tokenize='ascii', columnsize=0)",
    "create trigger fulltext_insert after insert on documentwords begin"
    " insert into fulltext(rowid, words) values (new.place, new.words); end",
    "create trigger fulltext_delete after delete on documentwords begin"
    " insert into fulltext(fulltext, rowid, words) values ('delete', old.place, old.words); end",
    "create trigger fulltext_update after update on documentwords begin"
    " insert into fulltext(fulltext, rowid, words) values ('delete', old.place, old.words);"
    " insert into fulltext(rowid, words) values (new.place, new.words); end",
)
_GIN = (
    # tokens out of line: a hit is counted from the row's head alone, and a page holds a hundred heads
    "alter table documentwords set (toast_tuple_target = 128)",
    # a function of its own, so that the planner knows what it costs to look into a row instead of the index
    "create function fulltext_tokens(words text) returns tsvector language plpgsql immutable strict parallel safe cost 10000"
    " as $$ begin return array_to_tsvector(string_to_array(btrim(words), ' ')); end $$",
    # what waits in the list is read through by every search
    "create index fulltext on documentwords using gin (fulltext_tokens(words)) with (gin_pending_list_limit = 256)",
)


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    place = sa.Integer() if is_sqlite else sa.BigInteger()
    op.create_table(
        "documentwords",
        sa.Column("place", place, nullable=False, autoincrement=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name="fk_documentwords_document_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("place", name="pk_documentwords"),
        sa.UniqueConstraint("document_id", name="uq_documentwords_document_id"),
    )
    for statement in _FTS if is_sqlite else _GIN[:2]:
        op.execute(statement)
    _index_what_is_stored()
    for statement in () if is_sqlite else _GIN[2:]:
        op.execute(statement)


def _index_what_is_stored() -> None:
    connection = op.get_bind()
    time = sqlmodel.sql.sqltypes.UTCDateTime
    document = sa.table(
        "document",
        sa.column("id", sa.Integer),
        sa.column("title", sa.Text),
        sa.column("text", sa.Text),
        sa.column("language", sa.Text),
        sa.column("regulator_id", sa.Text),
        sa.column("published_at", time()),
        sa.column("first_seen_at", time()),
    )
    words = sa.table("documentwords", sa.column("place", sa.BigInteger), sa.column("document_id"), sa.column("words"))
    last = 0
    while batch := connection.execute(sa.select(document).where(document.c.id > last).order_by(document.c.id).limit(_BATCH)).all():
        rows = [words_values(*row) for row in batch]
        connection.execute(sa.insert(words), rows)
        last = batch[-1].id


def downgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if is_sqlite:
        op.execute("drop table fulltext")
    op.drop_table("documentwords")
    if not is_sqlite:
        op.execute("drop function fulltext_tokens")
