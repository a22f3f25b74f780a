"""Cards in a Chinese channel: our words in its script, names in Chinese first, what strangers wrote as they wrote it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given

from bot.slack import answers, cards, digests
from bot.slack import text as t
from bot.slack.blocks import Look, Message
from bot.slack.grammar import Actions
from bot.slack.notices import notice
from storage.filters import Filter
from storage.models import (
    AliasKind,
    AmountKind,
    AmountScope,
    Broadcast,
    Deliver,
    DeliveryKind,
    FirmKind,
    Followed,
    Health,
    Kind,
    OwnershipKind,
    Precision,
    Role,
    Status,
    Strength,
    Tier,
)
from storage.records import PartialDate
from storage.tenancy import Verdict
from storage.views import (
    ActionDetail,
    ActionFirmView,
    ActionPage,
    ActionView,
    AliasView,
    AmountView,
    ChangeView,
    CorrectionView,
    Coverage,
    EvidenceView,
    FirmMatch,
    FirmView,
    RegulatorView,
    ReviewView,
    RollupView,
    SourceProblem,
    WhyLine,
    WhyView,
)
from tests.fakes.blocks import check_message, controls, seen, strings
from tests.test_cards import CAC, NOON, RULES, TITLES, a_channel, a_delivery, a_digest, a_document, a_firm, a_subscription, an_action

HANT, HANS = "zh-Hant", "zh-Hans"
LOOK = Look(zone="Asia/Taipei", watched=frozenset({"tencent"}), now=NOON, language=HANT)


def a_chinese_firm(slug: str, hant: str, hans: str, role: Role = Role.TARGET, via: str | None = None) -> ActionFirmView:
    return ActionFirmView(slug, slug.capitalize(), hans, hant, hans, role, via)


FIRMS = (
    a_chinese_firm("tencent", "騰訊", "腾讯"),
    a_chinese_firm("bytedance", "字節跳動", "字节跳动"),
    a_chinese_firm("alibaba", "阿里巴巴", "阿里巴巴", Role.GROUP, "淘宝, brand of Alibaba"),
)


def a_chinese_action(id_: int = 1001, **more: object) -> ActionView:
    """All that strangers wrote is Chinese, so that every Latin word on the card is ours."""
    values = {
        "title": "约谈11家企业",
        "firms": FIRMS,
        "documents": (
            a_document(title="约谈11家企业", publisher="国家通讯社"),
            a_document(2, Tier.PRIMARY, title="公告", publisher=CAC.name),
        ),
        "quote": EvidenceView("kind", "约谈了11家企业。", 1),
        "amounts": (AmountView("50万元", Decimal(1), Decimal(1), "CNY", AmountKind.IMPOSED, AmountScope.EACH),),
        "status": Status.APPEALED,
        "is_decided_inferred": True,
        "effective_on": date(2021, 4, 1),
    }
    return an_action(id_, **(values | more))


CHANGES = tuple(
    ChangeView(NOON, "regwatch", what, before, after, 2)
    for what, before, after in [
        ("kind", "talks", "fine"),
        ("status", "in_force", "appealed"),
        ("target", "美团", "滴滴"),
        ("count", "", "11"),
        ("confirmed", "reported", "official"),
        ("confirmed", "official", "reported"),
        ("amount", "", "50万元"),
        ("date", "2021-03", "2021-03-18"),
        ("effective", "", "2021-04-01"),
    ]
)
PROBLEMS = tuple(SourceProblem(f"s{at}", "证监会", health, NOON - timedelta(days=9)) for at, health in enumerate(Health))
COVERAGES = [
    Coverage(0, 0),
    Coverage(1, 1),
    Coverage(9, 2, PROBLEMS[:3]),
    Coverage(9, 2, PROBLEMS),
    Coverage(9, 2, (SourceProblem("s", "证监会", Health.OK, None),) * 2),
    Coverage(9, 2, (*PROBLEMS[:2], *(SourceProblem(str(at), "证监会", Health.OK, None) for at in range(5)))),
]
TENCENT = FirmView(
    "tencent",
    "腾讯",
    "腾讯",
    "騰訊",
    FirmKind.GROUP,
    "CN",
    ("0700",),
    tuple(AliasView("腾讯", AliasKind.LEGAL, Strength.STRONG, mentions, 0) for mentions in (0, 1, 2)),
    tuple(("x", "控股", edge) for edge in OwnershipKind),
    tuple(("x", "子公司", edge) for edge in OwnershipKind),
    3,
    1,
)


def messages(look: Look) -> list[Message]:
    """Every screen of this room, with everything on it."""
    channel, action = a_channel(language=look.language), a_chinese_action()
    verdicts = tuple(
        CorrectionView(at, verdict, "U0ASKER", NOON, "不是", "腾讯", 990, action_id=1001) for at, verdict in enumerate(Verdict)
    )
    reviews = tuple(ReviewView("U0ASKER", NOON, version, 1001) for version in (0, 1, 1))
    due = a_delivery(channel=channel, action=action, case=(a_chinese_action(990, first_seen_at=NOON - timedelta(days=3)),))
    struck = replace(due, corrections=(*verdicts, *verdicts), reviews=reviews, muted_until=NOON)
    update = replace(due, kind=DeliveryKind.UPDATE)
    unnamed = a_chinese_action(1002, firms=(), stated_count=12, decided_on=None)
    rest = a_chinese_action(1003, firms=(a_firm("甲公司", is_known=False), a_firm("乙公司", Role.VENUE)), documents=(), regulators=())
    view = a_digest(
        moved=((action, CHANGES[:4]), (rest, ())),
        new=(unnamed,) * 9,
        is_late=True,
        quiet_firms=("小米",),
        coverage=COVERAGES[3],
    )
    detail = ActionDetail(rest, (EvidenceView("stated_count", "11家", 1),), (action,), CHANGES, COVERAGES[3])
    span = t.span(Filter.parse("since:90d"), language=look.language)
    page = ActionPage((action, unnamed, rest), 23, 1, 1, False, COVERAGES[4])
    lines = tuple(WhyLine(subject, "是", passed) for subject in ("name", "role", "filter", "delivery") for passed in (True, False, None))
    return [
        cards.alert(due.card),
        cards.alert(struck.card),
        cards.alert(replace(due, action=unnamed, case=()).card),
        cards.alert(replace(due, action=rest, case=()).card),
        cards.development(replace(update, changes=CHANGES)),
        cards.development(update),
        *digests.digest(replace(due, digest=view)),
        *(message for quiet in (False, True) for message in digests.rollup(replace(due, rollup=RollupView((unnamed,) * 14, quiet, NOON)))),
        digests.rollup(replace(due, rollup=RollupView((rest,), False, NOON)))[0],
        digests.digest_of(replace(view, moved=(), new=(), is_late=False), channel, is_preview=True),
        *(
            notice(replace(due, notice={"source": "1", "health": health.value, "since": since, "detail": "无法读取"}))
            for health in Health
            for since in ("", NOON.isoformat())
        ),
        notice(replace(due, notice={"text": "请检查"})),
        notice(replace(due, notice=dict.fromkeys(("reread", "changed", "opened", "moved", "unsaid", "unreadable", "firms"), "1"))),
        answers.actions(page, Actions("1", page=2), TENCENT, span=span, limit=3, look=look),
        answers.actions(replace(page, is_older=True), Actions("1"), None, span="", limit=3, look=look),
        answers.actions(replace(page, actions=()), Actions("1", page=3), None, span="", limit=3, look=look),
        answers.action(detail, look),
        answers.action(replace(detail, action=action), look),
        answers.firm(TENCENT, COVERAGES[5], look, is_followed=True),
        answers.why(WhyView(action, channel, lines * 4), COVERAGES[0], look),
        answers.why(WhyView(action, None, lines), COVERAGES[1], look),
    ]


_NAMES = re.compile(r"RW-\d+|Regwatch|Tencent|Bytedance|legal|limit:|U0ASKER|\[|tencent")
"""What may stand in Latin letters on these screens: our name, names of firms, an action's number, a key of the command."""


@pytest.mark.parametrize("language", [HANT, HANS])
def test_no_word_of_ours_stays_english(language: str) -> None:
    """Over whole screens: blocks, buttons, questions, and what is read aloud."""
    for message in messages(replace(LOOK, language=language)):
        check_message(message)
        said = [message.text, *(text for kind, text in strings(message.blocks) if kind not in ("value", "url"))]
        for text in said:
            shown = re.sub(r"<!date\^[^|]*\|([^>]*)>|<[^|>]*\|([^>]*)>", r"\1\2", text)
            assert not re.findall("[A-Za-z]{2,}", _NAMES.sub("", shown)), (text, message.text[:60])


def test_simplified_has_no_traditional_character_of_ours() -> None:
    """The two scripts are told apart on the same screen."""
    traditional, simplified = (messages(replace(LOOK, language=language))[0] for language in (HANT, HANS))
    assert traditional.blocks[0]["text"]["text"] == "約談：騰訊、字節跳動，另有 9 家"
    assert simplified.blocks[0]["text"]["text"] == "约谈：腾讯、字节跳动，另有 9 家"
    assert list(controls(traditional.blocks)) == [
        *("詳情", "時間軸", "標記為已審閱", "開啟原文"),
        *("靜音 1 天", "靜音 7 天", "公司有誤", "無關", "重複"),
    ]
    assert not re.search("[約談騰訊報導詳開啟條監機構]", seen(simplified).replace("国家互联网信息办公室", ""))


def test_the_card_in_chinese() -> None:
    """The watched firm in bold with its English name, the regulator by its own name, dates in words, a space beside what is bold."""
    said = seen(messages(LOOK)[0])
    assert "*監管機構*\n国家互联网信息办公室" in said
    assert "*日期*\n2021年3月18日（推定），3月19日 報道" in said
    assert "*金額*\n50万元（已裁處，每家公司）" in said
    assert "文件稱涉及 11 家公司，此處列出 2 家，另有 9 家未在這些文件中列名： *騰訊* Tencent、字節跳動；集團關聯" in said
    assert "集團關聯：阿里巴巴（經由 淘宝）" in said
    assert "“约谈了11家企业。”" in said
    assert "首次發現於 2021年3月19日 12:00（台北）" in said
    assert "同一案件：RW-990 約談（2021年3月18日）" in said


def test_a_struck_card_in_chinese() -> None:
    """Likewise."""
    message = messages(LOOK)[1]
    assert message.blocks[0]["text"]["text"].startswith("已判定：公司有誤 · 約談：騰訊")
    assert "*已判定：公司有誤（腾讯）* · <@U0ASKER> · 2021年3月19日 12:00（台北） · “不是”" in seen(message)
    assert "靜音至 2021年3月19日 12:00（台北）" in seen(message)


REGULATORS: list[tuple[str, RegulatorView, str, str]] = [
    ("one of the mainland", RegulatorView("cn-x", "Bureau", "中国局;国家局", "CN"), "中国局", "中国局"),
    ("one of Hong Kong in both scripts", RegulatorView("hk-x", "Bureau", "證監會;证监会", "HK"), "證監會", "证监会"),
    (
        "one of Taiwan in its own script alone",
        RegulatorView("tw-x", "Bureau", "金管會", "TW"),
        "金管會",
        "金管會",
    ),
    ("one of Japan", RegulatorView("jp-x", "Bureau", "金融庁", "JP"), "Bureau", "Bureau"),
    ("one without a native name", RegulatorView("hk-y", "Bureau", "", "HK"), "Bureau", "Bureau"),
]


@pytest.mark.parametrize(("regulator", "hant", "hans"), [case[1:] for case in REGULATORS], ids=[case[0] for case in REGULATORS])
def test_a_regulator_by_the_name_that_the_reader_knows(regulator: RegulatorView, hant: str, hans: str) -> None:
    """A Chinese one by its Chinese name, as it writes it; English channels see English."""
    assert cards.regulator_name(regulator, LOOK) == hant
    assert cards.regulator_name(regulator, replace(LOOK, language=HANS)) == hans
    assert cards.regulator_name(regulator, replace(LOOK, language="en")) == "Bureau"


def test_a_firm_by_the_name_that_the_reader_knows() -> None:
    """A missing script is made from the other one; without a Chinese name the English stays."""
    view = replace(TENCENT, name="Tencent", owners=())
    assert cards.firm_title(view, LOOK) == "*騰訊* · Tencent · 0700"
    assert cards.firm_title(replace(view, name_zh_hans=""), replace(LOOK, language=HANS)) == "*腾讯* · Tencent · 0700"
    assert cards.firm_title(replace(view, name_zh_hant=""), LOOK) == "*腾讯* · Tencent · 0700"
    assert cards.firm_title(replace(view, name_zh_hant="", name_zh_hans=""), LOOK) == "*Tencent* · 0700"
    match = FirmMatch("tencent", "Tencent", ("騰訊", "腾讯"), ("0700",), "x", 100)
    assert cards.match_name(match, language=HANT) == "*騰訊* (Tencent, 0700)"
    assert cards.match_name(match, language=HANS) == "*腾讯* (Tencent, 0700)"
    assert cards.match_name(replace(match, names_zh=()), language=HANS) == "*Tencent* (0700)"
    assert cards.match_name(match) == "*Tencent* (騰訊, 腾讯, 0700)"


def test_dates_in_chinese() -> None:
    """As exact as they are known."""
    for precision, words in ((Precision.YEAR, "2021年"), (Precision.MONTH, "2021年3月"), (Precision.DAY, "2021年3月18日")):
        assert t.partial(PartialDate(date(2021, 3, 18), precision), language=HANT) == words
    assert t.published(NOON, Precision.MONTH, "UTC", language=HANT) == "2021年3月"
    assert t.published(NOON, Precision.DAY, "UTC", date(2021, 1, 1), language=HANT) == "3月19日"
    assert t.published(NOON, Precision.MINUTE, "Asia/Taipei", language=HANS) == (
        "<!date^1616126400^{date_short}, {time}|2021年3月19日 12:00（台北）>"
    )
    assert t.since(NOON, "Asia/Taipei", NOON, language=HANS) == "周五 12:00"
    assert t.since(NOON, "Asia/Taipei", None, language=HANT) == "週五 2021年3月19日 12:00"
    assert t.since(NOON, "UTC", datetime(2023, 1, 1, tzinfo=UTC), language=HANT) == "2021年3月19日 04:00"


RULE_WORDS = {
    "the default": "所有類型的監管行動，限該公司為對象或其集團成員為對象",
    "kinds": "罰款、立案調查或暫停，限該公司為對象或其集團成員為對象",
    "a kind left out": "所有類型的監管行動，不含講話",
    "any firm's group": "所有類型的監管行動，不含任一公司的集團成員為對象的情形",
    "severity": "所有類型的監管行動，罰款或更嚴厲",
    "regulator and country": "所有類型的監管行動，由 cn-cac 作出，由中國或香港的監管機構作出",
    "money": "所有類型的監管行動，金額至少 USD 1,500,000（其他幣別或未載明金額者亦視為符合）",
    "days": "所有類型的監管行動，日期在最近 90 天內",
    "language and status": "所有類型的監管行動，狀態為生效中，文件語言為中文",
}


@pytest.mark.parametrize("name", RULE_WORDS)
def test_a_rule_in_chinese_words(name: str) -> None:
    """As a person would say it."""
    _, typed, followed, _ = next(case for case in RULES if case[0] == name)
    assert t.rule(followed, Filter.parse(typed), language=HANT) == RULE_WORDS[name]


def test_every_role_can_be_said_in_a_rule() -> None:
    """No English is left in any of them."""
    for role in Role:
        for followed in (Followed.FIRM, Followed.ALL):
            words = t.rule(followed, Filter.parse(f"role:{role} -role:group"), language=HANT)
            assert not re.search("[A-Za-z]", words), words
    for deliver, broadcast in ((Deliver.NOW, Broadcast.NEVER), (Deliver.DIGEST, Broadcast.ALL)):
        assert not re.search("[A-Za-z]", t.delivery(a_subscription(Filter(), deliver=deliver, broadcast=broadcast), language=HANT))
    for typed in ("since:2021", "until:2021", "until:90d", "since:90d", ""):
        assert not re.search("[A-Za-z]", t.span(Filter.parse(typed), language=HANT))


SPACED: list[tuple[str, str, str]] = [
    ("bold between Chinese", "中*粗*文", "中 *粗* 文"),
    ("bold after a full-width mark", "：*粗*、", "： *粗* 、"),
    ("bold in English", "a *b*, c", "a *b*, c"),
    ("code", "將`limit:`調小", "將 `limit:` 調小"),
    ("several", "中*一*中*二*中", "中 *一* 中 *二* 中"),
    ("a stranger's star", "中\u2060*\u2060粗\u2060*\u2060文", "中\u2060*\u2060粗\u2060*\u2060文"),
    ("a stranger's star within", "中*a\u2060*\u2060b*文", "中 *a\u2060*\u2060b* 文"),
    ("at the edges", "*粗*", "*粗*"),
    ("a star in an address", "<https://x.example/a*b|中>文*粗*文", "<https://x.example/a*b|中>文 *粗* 文"),
    ("around a link", "中*a <https://x.example/|中> b*文", "中 *a <https://x.example/|中> b* 文"),
]


@pytest.mark.parametrize(("text", "apart"), [case[1:] for case in SPACED], ids=[case[0] for case in SPACED])
def test_what_is_marked_stands_apart_from_chinese(text: str, apart: str) -> None:
    """Slack shows the stars of a bold word that touches another character."""
    assert t.spaced(t.Mrkdwn(text)) == apart


@given(TITLES)
def test_a_strangers_text_is_never_spaced(text: str) -> None:
    """It has no marker of ours in it."""
    assert t.spaced(t.escape(text)) == t.escape(text)


def test_every_kind_has_one_label_a_language() -> None:
    """Both languages in English, one in Chinese."""
    assert t.kind_label(Kind.TALKS) == "TALKS 约谈"
    assert t.kind_label(Kind.TALKS, language=HANT) == "約談"
    assert t.kind_label(Kind.PROPOSED_PENALTY, language=HANS) == "拟处罚"
