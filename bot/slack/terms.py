"""What the values of our enums, countries and zones are called, in English and in Chinese. Pure tables.

`term(value, language)` is the one door. Chinese is written in Traditional characters; `bot.slack.labels` turns it
into Simplified ones. English is the value itself with spaces, unless the table says otherwise. A kind has a second,
Chinese label in English cards too (`bot.slack.text.kind_label`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from bot.slack.labels import in_script
from storage.models import AmountKind, FirmKind, Health, Kind, Mode, OwnershipKind, Role, Status, Strength
from storage.tenancy import Verdict

Term = Kind | Status | Role | AmountKind | Health | Mode | OwnershipKind | FirmKind | Strength | Verdict

_CHINESE: Mapping[type[StrEnum], Mapping[StrEnum, str]] = {
    Kind: {
        Kind.SPEECH: "講話",
        Kind.GUIDANCE: "指引",
        Kind.CONSULTATION: "徵求意見",
        Kind.RULE: "法規",
        Kind.TALKS: "約談",
        Kind.INFORMATION_REQUEST: "問詢",
        Kind.INVESTIGATION: "立案調查",
        Kind.WARNING: "警示",
        Kind.RECTIFICATION: "責令整改",
        Kind.RECALL: "召回",
        Kind.LAWSUIT: "起訴",
        Kind.PROPOSED_PENALTY: "擬處罰",
        Kind.SETTLEMENT: "和解",
        Kind.CONSENT_ORDER: "同意令",
        Kind.FINE: "罰款",
        Kind.CONFISCATION: "沒收",
        Kind.SUSPENSION: "暫停",
        Kind.REMOVAL: "下架",
        Kind.BAN: "禁令",
        Kind.MERGER_DECISION: "併購審查",
        Kind.APPROVAL: "核准",
        Kind.APPEAL: "上訴",
        Kind.ANNULMENT: "撤銷",
        Kind.CLOSED: "結案",
        Kind.OTHER: "其他",
    },
    Status: {
        Status.PROPOSED: "擬議中",
        Status.IN_FORCE: "生效中",
        Status.FINAL: "已確定",
        Status.REDUCED: "已減輕",
        Status.APPEALED: "上訴中",
        Status.ANNULLED: "已撤銷",
        Status.CLOSED: "已結案",
    },
    Role: {
        Role.TARGET: "對象",
        Role.GROUP: "集團關聯",
        Role.COMPLAINANT: "投訴方",
        Role.COUNTERPARTY: "交易相對方",
        Role.VENUE: "交易場所",
        Role.IMPERSONATED: "遭冒名",
        Role.REGULATOR: "監管方",
        Role.MENTIONED: "提及",
    },
    AmountKind: {
        AmountKind.PROPOSED: "擬處",
        AmountKind.IMPOSED: "已裁處",
        AmountKind.FINAL: "最終確定",
        AmountKind.REDUCED: "減輕後",
        AmountKind.COLLECTED: "已繳收",
        AmountKind.DEAL_VALUE: "交易金額，非處罰",
        AmountKind.TURNOVER: "營業額，非處罰",
    },
    Health: {
        Health.OK: "正常",
        Health.LATE: "逾期無更新",
        Health.EMPTY: "內容為空",
        Health.BLOCKED: "遭封鎖",
        Health.CHANGED_LAYOUT: "版面已變更",
        Health.EXPIRED_CERTIFICATE: "證書過期",
        Health.ERROR: "讀取失敗",
    },
    Mode: {Mode.LIVE: "正式", Mode.SHADOW: "只讀取、不通報", Mode.HELD: "暫停通報", Mode.OFF: "停用"},
    OwnershipKind: {
        OwnershipKind.OWNED_BY: "子公司",
        OwnershipKind.BRAND_OF: "品牌",
        OwnershipKind.AFFILIATE_OF: "關聯公司",
        OwnershipKind.SUCCESSOR_OF: "承繼公司",
    },
    FirmKind: {FirmKind.GROUP: "集團", FirmKind.COMPANY: "公司", FirmKind.BRAND: "品牌", FirmKind.FUND: "基金"},
    Strength: {Strength.STRONG: "強", Strength.WEAK: "弱"},
    Verdict: {Verdict.WRONG_FIRM: "公司有誤", Verdict.NOT_RELEVANT: "無關", Verdict.DUPLICATE: "重複"},
}

_ENGLISH: Mapping[type[StrEnum], Mapping[StrEnum, str]] = {
    AmountKind: {
        AmountKind.DEAL_VALUE: "deal value, not a penalty",
        AmountKind.TURNOVER: "turnover, not a penalty",
    },
    Health: {
        Health.CHANGED_LAYOUT: "layout changed",
        Health.EXPIRED_CERTIFICATE: "certificate expired",
        Health.ERROR: "failing",
    },
    OwnershipKind: {
        OwnershipKind.OWNED_BY: "subsidiary",
        OwnershipKind.BRAND_OF: "brand",
        OwnershipKind.AFFILIATE_OF: "affiliate",
        OwnershipKind.SUCCESSOR_OF: "successor",
    },
}

_COUNTRIES = {
    "CN": "中國",
    "US": "美國",
    "GB": "英國",
    "EU": "歐盟",
    "HK": "香港",
    "MO": "澳門",
    "TW": "台灣",
    "JP": "日本",
    "KR": "韓國",
    "SG": "新加坡",
    "IN": "印度",
    "AU": "澳大利亞",
    "CA": "加拿大",
    "DE": "德國",
    "FR": "法國",
    "IT": "意大利",
    "ES": "西班牙",
    "NL": "荷蘭",
    "CH": "瑞士",
    "IE": "愛爾蘭",
    "INT": "國際組織",
}

_SPOKEN = {
    "en": "英文",
    "zh": "中文",
    "zh-hans": "簡體中文",
    "zh-hant": "繁體中文",
    "ja": "日文",
    "ko": "韓文",
    "de": "德文",
    "fr": "法文",
    "es": "西班牙文",
}

_CITIES = {
    "Asia/Taipei": "台北",
    "Asia/Hong_Kong": "香港",
    "Asia/Macau": "澳門",
    "Asia/Shanghai": "上海",
    "Asia/Singapore": "新加坡",
    "Asia/Tokyo": "東京",
    "Asia/Seoul": "首爾",
    "Europe/London": "倫敦",
    "Europe/Paris": "巴黎",
    "Europe/Berlin": "柏林",
    "Europe/Zurich": "蘇黎世",
    "America/New_York": "紐約",
    "America/Los_Angeles": "洛杉磯",
    "America/Chicago": "芝加哥",
}


def term(value: Term, language: str = "en") -> str:
    """What a value is called: proposed penalty, 擬處罰, 拟处罚."""
    kind = type(value)
    if language == "en":
        return _ENGLISH.get(kind, {}).get(value, value.value.replace("_", " "))
    return in_script(language, _CHINESE[kind][value])


def country(code: str, language: str = "en") -> str:
    """A country by its code; the code itself in English, and where no name is known."""
    return _named(code, _COUNTRIES.get(code.upper()), language)


def spoken(code: str, language: str = "en") -> str:
    """A language by its code, likewise."""
    return _named(code, _SPOKEN.get(code.casefold()), language)


def city(zone: str, language: str = "en") -> str:
    """Taipei for Asia/Taipei, 台北 in Chinese where the city is known."""
    return _named(zone.rpartition("/")[2].replace("_", " "), _CITIES.get(zone), language)


def _named(english: str, chinese: str | None, language: str) -> str:
    return english if language == "en" or chinese is None else in_script(language, chinese)
