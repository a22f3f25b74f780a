"""The deep room of Regwatch: one class, `Store`, and each public method of it is one transaction.

What is kept and how is nobody's business outside: frozen records go in (`storage.records`), frozen views
come out, no session and no table row leaves. The rooms inside:

- `models`: all tables and enums; `records`: what goes in and comes out, and `Filter`; `text`: the fold
- `base`: engine, transactions, errors in words, migrations; the only place where databases differ
- `firms`: the register of firms, their names and owners; `curation`: what operators add to it and take from it;
  `lists` (what a stranger's list adds; pure) and `listfiles` (its rows, as others publish them); `lint` (names that mislead)
- `ingest`: leased sources, and what a poll leaves behind: documents, actions, cases. Below it `casebook` (the
  actions one poll touches, as `draft`s), `joining` (which action and case a reading belongs to; pure), `owing` (who is told)
- `rereading`: stored documents read again, silently, and how far that has come; `cases`: joined and parted by an operator's hand
- `places` (a channel's row, and its audit); on it `subscriptions` (what channels follow), `channels` (settings, mutes, the
  life of a channel), `corrections` (verdicts, reviews); `owners`: who is told when a channel is paused; `silence`: what a
  channel is not told for the sake of mutes and verdicts; `remarks`: what of it stands on a card; `hours`: when a digest is
  due, when quiet hours end (pure)
- `workspaces`: installations, repeated requests, leases
- `search` and `figures`: answers to questions; `fulltext`: words in documents, cut as `words` says (pure); `loading`: loaders
  shared by rooms
- `outbox`: messages owed to channels: claim, settle; below it `claiming` (who gets what next), `turns` (whose turn it is, the pace;
  pure), `digests` (what a digest tells)
"""

from __future__ import annotations

from storage.base import StorageError
from storage.cases import CaseStore
from storage.channels import ChannelStore
from storage.corrections import CorrectionStore
from storage.curation import CurationStore
from storage.figures import FigureStore
from storage.firms import FirmStore
from storage.fulltext import FullTextStore, Unsearchable
from storage.ingest import IngestStore
from storage.outbox import OutboxStore
from storage.rereading import RereadingStore
from storage.search import SearchStore
from storage.subscriptions import SubscriptionStore
from storage.workspaces import WorkspaceStore

__all__ = ["StorageError", "Store", "Unsearchable"]


class Store(
    FirmStore,
    CurationStore,
    IngestStore,
    RereadingStore,
    CaseStore,
    SearchStore,
    FigureStore,
    FullTextStore,
    SubscriptionStore,
    ChannelStore,
    CorrectionStore,
    WorkspaceStore,
    OutboxStore,
):
    """Everything that Regwatch remembers."""
