"""The first tables."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('case',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('opened_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('number', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_case'))
    )
    op.create_index(op.f('ix_case_number'), 'case', ['number'], unique=False)
    op.create_table('firm',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('name_zh_hans', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('name_zh_hant', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sa.Enum('group', 'company', 'brand', 'fund', name='firmkind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('country', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('tickers', sa.JSON(), nullable=False),
    sa.Column('note', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_firm'))
    )
    op.create_table('regulator',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('name_native', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('aliases', sa.JSON(), nullable=False),
    sa.Column('context_aliases', sa.JSON(), nullable=False),
    sa.Column('jurisdiction', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('time_zone', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('homepage', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('languages', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_regulator'))
    )
    op.create_table('workspace',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('added_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_workspace'))
    )
    op.create_table('action',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('case_id', sa.Integer(), nullable=False),
    sa.Column('case_reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sa.Enum('speech', 'guidance', 'consultation', 'rule', 'talks', 'information_request', 'investigation', 'warning', 'rectification', 'recall', 'lawsuit', 'proposed_penalty', 'settlement', 'consent_order', 'fine', 'confiscation', 'suspension', 'removal', 'ban', 'merger_decision', 'approval', 'appeal', 'annulment', 'closed', 'other', name='kind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('status', sa.Enum('proposed', 'in_force', 'final', 'reduced', 'appealed', 'annulled', 'closed', name='status', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('stated_count', sa.Integer(), nullable=True),
    sa.Column('number', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('decided_on', sa.Date(), nullable=True),
    sa.Column('decided_precision', sa.Enum('year', 'month', 'day', 'minute', name='precision', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('is_decided_inferred', sa.Boolean(), nullable=False),
    sa.Column('effective_on', sa.Date(), nullable=True),
    sa.Column('published_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('published_precision', sa.Enum('year', 'month', 'day', 'minute', name='precision', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('first_seen_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('is_confirmed', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['case.id'], name=op.f('fk_action_case_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_action')),
    sqlite_autoincrement=True
    )
    op.create_index(op.f('ix_action_case_id'), 'action', ['case_id'], unique=False)
    op.create_index('ix_action_first_seen_at', 'action', ['first_seen_at'], unique=False)
    op.create_index('ix_action_kind_decided', 'action', ['kind', 'decided_on'], unique=False)
    op.create_index(op.f('ix_action_number'), 'action', ['number'], unique=False)
    op.create_table('alias',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('firm_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('text', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('folded', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('language', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sa.Enum('legal', 'short', 'former', 'ticker', 'acronym', 'translit', name='aliaskind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('strength', sa.Enum('strong', 'weak', name='strength', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('from_on', sa.Date(), nullable=True),
    sa.Column('to_on', sa.Date(), nullable=True),
    sa.Column('source', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['firm_id'], ['firm.id'], name=op.f('fk_alias_firm_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alias')),
    sa.UniqueConstraint('firm_id', 'folded', name='uq_alias_firm_folded')
    )
    op.create_index(op.f('ix_alias_folded'), 'alias', ['folded'], unique=False)
    op.create_table('change',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('workspace_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('subject', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('made_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('made_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('what', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('before', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('after', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_change_workspace_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_change'))
    )
    op.create_index('ix_change_subject', 'change', ['subject', 'id'], unique=False)
    op.create_table('channel',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('workspace_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('slack_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('time_zone', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('language', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('is_digest_on', sa.Boolean(), nullable=False),
    sa.Column('digest_at', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('digest_days', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('sends_empty_digest', sa.Boolean(), nullable=False),
    sa.Column('next_digest_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('last_digest_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('paused_reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('next_post_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('added_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_channel_workspace_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_channel')),
    sa.UniqueConstraint('workspace_id', 'slack_id', name='uq_channel_slack')
    )
    op.create_index('ix_channel_next_digest_at', 'channel', ['next_digest_at'], unique=False)
    op.create_table('ownership',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('child_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('parent_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sa.Enum('owned_by', 'brand_of', 'affiliate_of', 'successor_of', name='ownershipkind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('from_on', sa.Date(), nullable=True),
    sa.Column('to_on', sa.Date(), nullable=True),
    sa.Column('source', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['child_id'], ['firm.id'], name=op.f('fk_ownership_child_id')),
    sa.ForeignKeyConstraint(['parent_id'], ['firm.id'], name=op.f('fk_ownership_parent_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ownership')),
    sa.UniqueConstraint('child_id', 'parent_id', 'kind', name='uq_ownership_edge')
    )
    op.create_index(op.f('ix_ownership_parent_id'), 'ownership', ['parent_id'], unique=False)
    op.create_table('source',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('regulator_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('url', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('tier', sa.Enum('primary', 'secondary', name='tier', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('language', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('is_enabled', sa.Boolean(), nullable=False),
    sa.Column('off_reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('poll_minutes', sa.Integer(), nullable=False),
    sa.Column('stale_after_days', sa.Integer(), nullable=False),
    sa.Column('min_entries', sa.Integer(), nullable=False),
    sa.Column('definition', sa.JSON(), nullable=False),
    sa.Column('mode', sa.Enum('live', 'shadow', 'held', 'off', name='mode', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('mode_reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('health', sa.Enum('ok', 'late', 'empty', 'blocked', 'changed_layout', 'expired_certificate', 'error', name='health', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('health_since', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('health_detail', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('etag', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('last_modified', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('body_hash', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('next_poll_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('lease_until', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('lease_token', sa.Integer(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('added_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('seeded_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('last_polled_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('last_ok_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('last_new_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('newest_published_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['regulator_id'], ['regulator.id'], name=op.f('fk_source_regulator_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_source'))
    )
    op.create_index('ix_source_due', 'source', ['next_poll_at', 'id'], unique=False, sqlite_where=sa.text('is_enabled'), postgresql_where=sa.text('is_enabled'))
    op.create_index(op.f('ix_source_regulator_id'), 'source', ['regulator_id'], unique=False)
    op.create_table('actionregulator',
    sa.Column('action_id', sa.Integer(), nullable=False),
    sa.Column('regulator_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('is_first', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['action_id'], ['action.id'], name=op.f('fk_actionregulator_action_id')),
    sa.ForeignKeyConstraint(['regulator_id'], ['regulator.id'], name=op.f('fk_actionregulator_regulator_id')),
    sa.PrimaryKeyConstraint('action_id', 'regulator_id', name=op.f('pk_actionregulator'))
    )
    op.create_index('ix_actionregulator_regulator', 'actionregulator', ['regulator_id', 'action_id'], unique=False)
    op.create_table('card',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('channel_id', sa.Integer(), nullable=False),
    sa.Column('case_id', sa.Integer(), nullable=False),
    sa.Column('ts', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('posted_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['case.id'], name=op.f('fk_card_case_id')),
    sa.ForeignKeyConstraint(['channel_id'], ['channel.id'], name=op.f('fk_card_channel_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_card')),
    sa.UniqueConstraint('channel_id', 'case_id', name='uq_card_channel_case')
    )
    op.create_table('correction',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('workspace_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('action_id', sa.Integer(), nullable=False),
    sa.Column('verdict', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('firm_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('made_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('made_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['action_id'], ['action.id'], name=op.f('fk_correction_action_id')),
    sa.ForeignKeyConstraint(['firm_id'], ['firm.id'], name=op.f('fk_correction_firm_id')),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspace.id'], name=op.f('fk_correction_workspace_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_correction'))
    )
    op.create_index(op.f('ix_correction_action_id'), 'correction', ['action_id'], unique=False)
    op.create_index(op.f('ix_correction_workspace_id'), 'correction', ['workspace_id'], unique=False)
    op.create_table('delivery',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('channel_id', sa.Integer(), nullable=False),
    sa.Column('key', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sa.Enum('alert', 'update', 'digest', 'notice', name='deliverykind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('action_id', sa.Integer(), nullable=True),
    sa.Column('payload', sa.JSON(), nullable=False),
    sa.Column('state', sa.Enum('owed', 'leased', 'sent', 'unknown', 'dead', 'waived', name='deliverystate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('is_broadcast', sa.Boolean(), nullable=False),
    sa.Column('token', sa.Integer(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('next_attempt_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('owed_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('sent_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('ts', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.ForeignKeyConstraint(['action_id'], ['action.id'], name=op.f('fk_delivery_action_id')),
    sa.ForeignKeyConstraint(['channel_id'], ['channel.id'], name=op.f('fk_delivery_channel_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery')),
    sa.UniqueConstraint('channel_id', 'key', name='uq_delivery_channel_key')
    )
    op.create_index(op.f('ix_delivery_action_id'), 'delivery', ['action_id'], unique=False)
    op.create_index('ix_delivery_channel_owed', 'delivery', ['channel_id', 'owed_at'], unique=False)
    op.create_index('ix_delivery_due', 'delivery', ['state', 'next_attempt_at'], unique=False)
    op.create_table('document',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('source_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('regulator_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('tier', sa.Enum('primary', 'secondary', name='tier', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('url', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('canonical_url', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('language', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('number', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('sha256', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('published_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('published_precision', sa.Enum('year', 'month', 'day', 'minute', name='precision', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('updated_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('fetched_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('first_seen_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('edited_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('register_version', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['regulator_id'], ['regulator.id'], name=op.f('fk_document_regulator_id')),
    sa.ForeignKeyConstraint(['source_id'], ['source.id'], name=op.f('fk_document_source_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_document'))
    )
    op.create_index(op.f('ix_document_canonical_url'), 'document', ['canonical_url'], unique=False)
    op.create_index(op.f('ix_document_first_seen_at'), 'document', ['first_seen_at'], unique=False)
    op.create_index(op.f('ix_document_number'), 'document', ['number'], unique=False)
    op.create_index(op.f('ix_document_source_id'), 'document', ['source_id'], unique=False)
    op.create_table('poll',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('source_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('started_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('seconds', sa.Float(), nullable=False),
    sa.Column('http_status', sa.Integer(), nullable=True),
    sa.Column('health', sa.Enum('ok', 'late', 'empty', 'blocked', 'changed_layout', 'expired_certificate', 'error', name='health', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('detail', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('n_bytes', sa.Integer(), nullable=False),
    sa.Column('n_entries', sa.Integer(), nullable=False),
    sa.Column('n_new', sa.Integer(), nullable=False),
    sa.Column('n_changed', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['source_id'], ['source.id'], name=op.f('fk_poll_source_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_poll'))
    )
    op.create_index(op.f('ix_poll_source_id'), 'poll', ['source_id'], unique=False)
    op.create_index(op.f('ix_poll_started_at'), 'poll', ['started_at'], unique=False)
    op.create_table('subscription',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('channel_id', sa.Integer(), nullable=False),
    sa.Column('key', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('followed', sa.Enum('firm', 'regulator', 'all', name='followed', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('firm_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('regulator_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('filter', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('broadcast', sa.Enum('never', 'escalation', 'all', name='broadcast', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('deliver', sa.Enum('now', 'digest', 'both', name='deliver', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('created_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('created_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.CheckConstraint("(followed = 'firm' and firm_id is not null and regulator_id is null) or (followed = 'regulator' and regulator_id is not null and firm_id is null) or (followed = 'all' and firm_id is null and regulator_id is null)", name=op.f('ck_subscription_followed_one_thing')),
    sa.ForeignKeyConstraint(['channel_id'], ['channel.id'], name=op.f('fk_subscription_channel_id')),
    sa.ForeignKeyConstraint(['firm_id'], ['firm.id'], name=op.f('fk_subscription_firm_id')),
    sa.ForeignKeyConstraint(['regulator_id'], ['regulator.id'], name=op.f('fk_subscription_regulator_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_subscription')),
    sa.UniqueConstraint('channel_id', 'key', name='uq_subscription_channel_key')
    )
    op.create_index('ix_subscription_key', 'subscription', ['key'], unique=False)
    op.create_table('actiondocument',
    sa.Column('action_id', sa.Integer(), nullable=False),
    sa.Column('document_id', sa.Integer(), nullable=False),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('joined_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['action_id'], ['action.id'], name=op.f('fk_actiondocument_action_id')),
    sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_actiondocument_document_id')),
    sa.PrimaryKeyConstraint('action_id', 'document_id', name=op.f('pk_actiondocument'))
    )
    op.create_index('ix_actiondocument_document', 'actiondocument', ['document_id', 'action_id'], unique=False)
    op.create_table('actionfirm',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('action_id', sa.Integer(), nullable=False),
    sa.Column('firm_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('surface', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('role', sa.Enum('target', 'group', 'complainant', 'counterparty', 'venue', 'impersonated', 'regulator', 'mentioned', name='role', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('via', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('brand_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('rule', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('document_id', sa.Integer(), nullable=False),
    sa.Column('first_seen_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['action_id'], ['action.id'], name=op.f('fk_actionfirm_action_id')),
    sa.ForeignKeyConstraint(['brand_id'], ['firm.id'], name=op.f('fk_actionfirm_brand_id')),
    sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_actionfirm_document_id')),
    sa.ForeignKeyConstraint(['firm_id'], ['firm.id'], name=op.f('fk_actionfirm_firm_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_actionfirm')),
    sa.UniqueConstraint('action_id', 'name', 'brand_id', name='uq_actionfirm_action_name')
    )
    op.create_index(op.f('ix_actionfirm_action_id'), 'actionfirm', ['action_id'], unique=False)
    op.create_index(op.f('ix_actionfirm_brand_id'), 'actionfirm', ['brand_id'], unique=False)
    op.create_index('ix_actionfirm_firm_seen', 'actionfirm', ['firm_id', 'first_seen_at', 'action_id'], unique=False)
    op.create_table('amount',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('action_id', sa.Integer(), nullable=False),
    sa.Column('document_id', sa.Integer(), nullable=False),
    sa.Column('surface', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('minimum', sa.Numeric(precision=24, scale=2), nullable=False),
    sa.Column('maximum', sa.Numeric(precision=24, scale=2), nullable=False),
    sa.Column('currency', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('kind', sa.Enum('proposed', 'imposed', 'final', 'reduced', 'collected', 'deal_value', 'turnover', name='amountkind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('scope', sa.Enum('whole', 'each', name='amountscope', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.ForeignKeyConstraint(['action_id'], ['action.id'], name=op.f('fk_amount_action_id')),
    sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_amount_document_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_amount'))
    )
    op.create_index(op.f('ix_amount_action_id'), 'amount', ['action_id'], unique=False)
    op.create_table('documentkey',
    sa.Column('source_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('key', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('document_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_documentkey_document_id')),
    sa.ForeignKeyConstraint(['source_id'], ['source.id'], name=op.f('fk_documentkey_source_id')),
    sa.PrimaryKeyConstraint('source_id', 'kind', 'key', 'document_id', name=op.f('pk_documentkey'))
    )
    op.create_index('ix_documentkey_document_id', 'documentkey', ['document_id'], unique=False)
    op.create_table('evidence',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('action_id', sa.Integer(), nullable=False),
    sa.Column('document_id', sa.Integer(), nullable=False),
    sa.Column('field', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('start', sa.Integer(), nullable=False),
    sa.Column('end', sa.Integer(), nullable=False),
    sa.Column('sha256', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['action_id'], ['action.id'], name=op.f('fk_evidence_action_id')),
    sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_evidence_document_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_evidence'))
    )
    op.create_index(op.f('ix_evidence_action_id'), 'evidence', ['action_id'], unique=False)
    op.create_table('mention',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('document_id', sa.Integer(), nullable=False),
    sa.Column('firm_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('surface', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('start', sa.Integer(), nullable=False),
    sa.Column('end', sa.Integer(), nullable=False),
    sa.Column('role', sa.Enum('target', 'group', 'complainant', 'counterparty', 'venue', 'impersonated', 'regulator', 'mentioned', name='role', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('strength', sa.Enum('strong', 'weak', name='strength', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('rule', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_mention_document_id')),
    sa.ForeignKeyConstraint(['firm_id'], ['firm.id'], name=op.f('fk_mention_firm_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mention'))
    )
    op.create_index(op.f('ix_mention_document_id'), 'mention', ['document_id'], unique=False)
    op.create_index(op.f('ix_mention_firm_id'), 'mention', ['firm_id'], unique=False)
    op.create_table('sighting',
    sa.Column('source_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('document_id', sa.Integer(), nullable=False),
    sa.Column('entry_hash', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('in_window', sa.Boolean(), nullable=False),
    sa.Column('last_seen_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_sighting_document_id')),
    sa.ForeignKeyConstraint(['source_id'], ['source.id'], name=op.f('fk_sighting_source_id')),
    sa.PrimaryKeyConstraint('source_id', 'document_id', name=op.f('pk_sighting'))
    )
    # the first action is RW-1001
    if op.get_bind().dialect.name == 'sqlite':
        op.execute("insert into sqlite_sequence (name, seq) values ('action', 1000)")
    else:
        op.execute('alter sequence action_id_seq restart with 1001')


def downgrade() -> None:
    for table in (
        'sighting',
        'mention',
        'evidence',
        'documentkey',
        'amount',
        'actionfirm',
        'actiondocument',
        'subscription',
        'poll',
        'document',
        'delivery',
        'correction',
        'card',
        'actionregulator',
        'source',
        'ownership',
        'channel',
        'change',
        'alias',
        'action',
        'workspace',
        'regulator',
        'firm',
        'case',
    ):
        op.drop_table(table)
