"""What only Slack can tell about people and channels, and the posts that are made outside the outbox.

`Reach()` without a client is the command line's: there everything may be posted and changed.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.blocks import Attachment, Message

log = logging.getLogger("regwatch.slack")

_UNSEEN = frozenset({"channel_not_found", "missing_scope", "not_in_channel"})
_PAGES = 10  # of a thousand members or channels
CANNOT_SEE = "Regwatch cannot see this conversation, so nothing was saved. In a private channel type /invite @Regwatch first."
NOT_IN = "Regwatch is not in this channel yet, so nothing was saved. Type /invite @Regwatch first."
ARCHIVED = "This channel is archived, so nothing was saved."


class Unposted(Exception):
    """A message is not in its channel, or not all of it; one line says why."""


class Reach:
    """Slack, asked with the client of the request. Raises SlackApiError for what it does not expect."""

    def __init__(self, client: AsyncWebClient | None = None) -> None:
        self._client = client

    async def refusal(self, channel_id: str) -> str | None:
        """None when Regwatch can post to the channel, or words that say what to do first."""
        if self._client is None:
            return None
        try:
            channel = (await self._client.conversations_info(channel=channel_id))["channel"]
        except SlackApiError as error:
            if _code(error) in _UNSEEN:
                return CANNOT_SEE
            raise
        if channel.get("is_archived"):
            return ARCHIVED
        return None if channel.get("is_im") or channel.get("is_member") else NOT_IN

    async def zone_of(self, user_id: str) -> str | None:
        """A person's time zone, where it may be known."""
        zone = (await self._person(user_id)).get("tz")
        return str(zone) if zone else None

    async def is_admin(self, user_id: str) -> bool:
        """Whether Slack says that the person is an admin or owner of the workspace. False where that may not be read."""
        person = await self._person(user_id)
        return bool(person.get("is_admin") or person.get("is_owner"))

    async def _person(self, user_id: str) -> dict[str, Any]:
        if self._client is None:
            return {}
        try:
            found: dict[str, Any] = (await self._client.users_info(user=user_id))["user"]
        except SlackApiError as error:
            # users:read is optional: without it the default zone is used, and the reply shows it
            log.info("person user=%s unknown why=%s", user_id, _code(error))
            return {}
        return found

    async def is_member(self, channel_id: str, user_id: str) -> bool:
        """Whether the person is in the channel; a direct message is its own person's."""
        if self._client is None or channel_id.startswith("D"):
            return True
        cursor = ""
        for _ in range(_PAGES):
            page = await self._client.conversations_members(channel=channel_id, limit=1_000, cursor=cursor)
            if user_id in page["members"]:
                return True
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
        return False

    async def may_see(self, channel_id: str, user_id: str) -> bool:
        """Whether the person may know what another conversation follows: a public channel, or one that they are in."""
        if self._client is None:
            return True
        if channel_id.startswith("D"):
            return False  # somebody else's
        try:
            channel = (await self._client.conversations_info(channel=channel_id))["channel"]
        except SlackApiError as error:
            if _code(error) in _UNSEEN:
                return False
            raise
        return not channel.get("is_private") or await self.is_member(channel_id, user_id)

    async def channels_of(self, user_id: str) -> frozenset[str] | None:
        """The channels that both the person and Regwatch can see, their direct messages among them; None where that may not be read."""
        if self._client is None:
            return None
        found: set[str] = set()
        cursor = ""
        try:
            for _ in range(_PAGES):
                page = await self._client.users_conversations(
                    user=user_id, types="public_channel,private_channel,im", exclude_archived=True, limit=999, cursor=cursor
                )
                found.update(channel["id"] for channel in page["channels"])
                cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
                if not cursor:
                    break
        except SlackApiError as error:
            log.info("channels user=%s unknown why=%s", user_id, _code(error))
            return None
        return frozenset(found)

    async def post(self, channel_id: str, message: Message, thread_ts: str | None = None) -> str:
        """Posts a message, what belongs in its thread, and its file; the time stamp of the first."""
        assert self._client is not None  # noqa: S101  # nobody posts from the command line
        first = ""
        for part in (message, *message.thread):
            sent = await self._client.chat_postMessage(
                channel=channel_id, thread_ts=thread_ts, text=part.text, blocks=part.blocks, unfurl_links=False, unfurl_media=False
            )
            first = first or str(sent["ts"])
            thread_ts = thread_ts or first
        if message.file is not None:
            await self.upload(channel_id, message.file, thread_ts)
        return first

    async def post_or_tell(self, channel_id: str, message: Message) -> str:
        """As `post`, for who has no log to look at. Raises Unposted."""
        try:
            return await self.post(channel_id, message)
        except SlackApiError as error:
            raise Unposted(f"Slack refuses it ({_code(error)}): regwatch doctor looks at the token and its scopes") from error
        except (SlackClientError, OSError, TimeoutError) as error:
            raise Unposted(f"Slack cannot be reached: {error}") from error

    async def upload(self, channel_id: str, file: Attachment, thread_ts: str | None = None) -> str | None:
        """Uploads a file into a channel; None when it is there, or why it is not and what to do."""
        if self._client is None:
            return "There is no Slack to upload to."
        try:
            await self._client.files_upload_v2(
                channel=channel_id, thread_ts=thread_ts, content=file.content, filename=file.name, title=file.title, alt_txt=file.alt
            )
        except SlackApiError as error:
            if _code(error) == "missing_scope":
                return "The file needs the scope `files:write`: add it under OAuth & Permissions and install the app again."
            if _code(error) in _UNSEEN:
                return NOT_IN
            raise
        return None

    async def redraw(self, channel_id: str, ts: str, message: Message) -> bool:
        """Edits a post of ours to the present state; False when it cannot be edited any more."""
        assert self._client is not None  # noqa: S101
        try:
            await self._client.chat_update(channel=channel_id, ts=ts, text=message.text, blocks=message.blocks)
        except SlackApiError as error:
            log.warning("card channel=%s ts=%s cannot be redrawn why=%s", channel_id, ts, _code(error))
            return False
        return True


def _code(error: SlackApiError) -> str:
    """Slack's word for what went wrong; a status where there is no word."""
    data = getattr(error.response, "data", None)
    return str(data.get("error") or "") if isinstance(data, dict) else f"HTTP {getattr(error.response, 'status_code', '?')}"


# --- requests and their answers ---


async def tell(respond: Callable[..., Awaitable[Any]], message: Message, **more: Any) -> None:
    """Answers by response_url, which takes five messages: the answer, then what belongs in its thread."""
    for part in (message, *message.thread[:3]):
        await respond(
            text=part.text, blocks=part.blocks, response_type=message.response_type, unfurl_links=False, unfurl_media=False, **more
        )


def workspace_of(body: dict[str, Any]) -> str:
    """The workspace that a request comes from; the organisation's id where the app is installed for all of it."""
    team = body.get("team") or {}
    user = body.get("user")
    own = user.get("team_id") if isinstance(user, dict) else None
    return str(body.get("team_id") or team.get("id") or own or body.get("enterprise_id") or (body.get("enterprise") or {})["id"])


def channel_name(name: str | None) -> str:
    """Slack calls every private channel `privategroup` and every direct message `directmessage`."""
    return "" if name in (None, "privategroup", "directmessage") else str(name)
