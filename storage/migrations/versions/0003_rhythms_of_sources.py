"""Rhythms of sources."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('sourcerhythm',
    sa.Column('source_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('minutes', sa.JSON(), nullable=False),
    sa.Column('days', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['source_id'], ['source.id'], name=op.f('fk_sourcerhythm_source_id')),
    sa.PrimaryKeyConstraint('source_id', name=op.f('pk_sourcerhythm'))
    )


def downgrade() -> None:
    op.drop_table('sourcerhythm')
