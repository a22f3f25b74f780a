"""The commands about cases: what a case is made of, two that are one, an action that is of none.

Imports stand inside the commands, so that `--help` is quick.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli_base import AsJson, Db, fail, out, settings, with_store

if TYPE_CHECKING:
    from storage import Store
    from storage.cases import CaseOutcome, CaseView

cases_app = typer.Typer(help="Actions that belong together over time: probe, proposed fine, fine, appeal.", no_args_is_help=True)

Ref = Annotated[str, typer.Argument(metavar="RW-ID", help="An action, such as RW-1002; its case is meant.")]

_SILENT = "Nobody is alerted; channels see it on the card with the case's next move."


def _action_id(ref: str) -> int:
    match = re.fullmatch(r"(?:RW-?)?(\d{1,18})", ref.strip(), re.IGNORECASE)
    if match is None:
        fail(f"{ref!r} is no action: give its number, such as RW-1001")
    return int(match[1])


@cases_app.command()
def show(action: Ref, as_json: AsJson = False, db: Db = None) -> None:
    """A case: its actions, why each belongs to it, what people said, how many channels show it. Exit 1 when there is no such action."""
    action_id = _action_id(action)

    async def work(store: Store) -> int:
        from storage.records import action_ref

        found = await store.case(action_id)
        if as_json:
            out(None if found is None else _json(found))
        elif found is None:
            print(f"There is no action {action_ref(action_id)}. Look for it: regwatch ask 'actions FIRM'")  # noqa: T201
        else:
            from bot.report import show_case

            show_case(found)
        return int(found is None)

    with_store(settings(db), work)


@cases_app.command()
def join(
    action: Ref,
    to: Annotated[str, typer.Argument(metavar="RW-ID", help="An action of the case that it is to belong to.")],
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Let an action, with all of its case, belong to the case of another one. Nobody is alerted."""
    action_id, other_id = _action_id(action), _action_id(to)

    async def work(store: Store) -> int:
        told = await store.join_cases(action_id, other_id, "operator")
        if as_json:
            out(asdict(told))
        elif not told.is_new:
            print(f"They are one case already: {_refs(told.case)}.")  # noqa: T201
        else:
            doubled = f" {told.doubled} had cards of both: the older one stands." if told.doubled else ""
            print(  # noqa: T201
                f"One case now: {_refs(told.case)}; {_refs(told.moved)} came to it.{_statuses(told)} "
                f"It is shown in {_channels(told.channels)}.{doubled} {_SILENT}"
            )
        return 0

    with_store(settings(db), work)


@cases_app.command()
def part(action: Ref, as_json: AsJson = False, db: Db = None) -> None:
    """Give an action a case of its own; no later document leads into the old one by it. Nobody is alerted."""
    action_id = _action_id(action)

    async def work(store: Store) -> int:
        from storage.records import action_ref

        told = await store.part_case(action_id, "operator")
        if as_json:
            out(asdict(told))
        elif not told.is_new:
            print(f"{action_ref(action_id)} is alone in its case already.")  # noqa: T201
        else:
            print(  # noqa: T201
                f"{action_ref(action_id)} has a case of its own now; left together: {_refs(told.left)}.{_statuses(told)} {_SILENT}"
            )
        return 0

    with_store(settings(db), work)


def _refs(ids: tuple[int, ...]) -> str:
    from storage.records import action_ref

    return ", ".join(action_ref(one) for one in ids)


def _channels(count: int) -> str:
    return "1 channel" if count == 1 else f"{count} channels"


def _statuses(told: CaseOutcome) -> str:
    from storage.records import action_ref

    moved = ", ".join(f"{action_ref(one)} {before.value} → {after.value}" for one, before, after in told.statuses)
    return f" Statuses that moved with it: {moved}." if moved else ""


def _json(found: CaseView) -> dict[str, object]:
    return {
        "actions": [{**asdict(view), "ref": view.ref, "case_reason": reason} for view, reason in found.actions],
        "changes": [asdict(change) for change in found.changes],
        "channels": found.channels,
    }
