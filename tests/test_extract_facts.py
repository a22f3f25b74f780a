"""Sums, dates, counts and numbers as printed: never more precise than the text, nothing converted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.explain import reading_json
from bot.extract import dates, facts, money
from storage.models import AmountKind, AmountScope
from storage.records import Register
from storage.text import fold
from tests.reading import read

ON = date(2021, 3, 19)


@pytest.mark.parametrize(
    ("text", "low", "high", "currency"),
    [
        pytest.param("US$34 billion", 34 * 10**9, None, "USD", id="code with a sign"),
        pytest.param("34億美元", 34 * 10**8, None, "USD", id="Chinese scale, Traditional"),
        pytest.param("182.28亿元", 18_228_000_000, None, "元", id="decimal before a scale"),
        pytest.param("新台幣3,000萬元", 30_000_000, None, "TWD", id="group before a scale"),
        pytest.param("£23.5 million", 23_500_000, None, "GBP", id="pounds"),
        pytest.param("€1.2 bn", 1_200_000_000, None, "EUR", id="short scale"),
        pytest.param("$1.5bn", 1_500_000_000, None, "$", id="glued scale, bare dollar"),
        pytest.param("EUR 1,2 Mio.", 1_200_000, None, "EUR", id="decimal comma"),
        pytest.param("EUR 750.000", 750_000, None, "EUR", id="point as group mark"),
        pytest.param("120 000 EUR", 120_000, None, "EUR", id="space as group mark"),
        pytest.param("96mila euro", 96_000, None, "EUR", id="Italian thousands"),
        pytest.param("27,8 milioni di euro", 27_800_000, None, "EUR", id="Italian millions"),
        pytest.param("60 millions d'euros", 60_000_000, None, "EUR", id="French millions"),
        pytest.param("$107,691.30", Decimal("107691.30"), None, "$", id="cents"),
        pytest.param("US$5-10 million", 5_000_000, 10_000_000, "USD", id="a range shares its scale"),
        pytest.param("€3 million to €4 million", 3_000_000, 4_000_000, "EUR", id="a range with two signs"),
        pytest.param("3.3 million yuan", 3_300_000, None, "CNY", id="unit after"),
        pytest.param("50至100万元", 500_000, 1_000_000, "元", id="a Chinese range"),
        pytest.param("三千万元", 30_000_000, None, "元", id="Chinese digits"),
        pytest.param("1亿2000万元", 120_000_000, None, "元", id="two Chinese scales"),
        pytest.param("罚款106万！", 1_060_000, None, "元", id="a unit left out after 罚款"),
        pytest.param("人民幣20萬元", 200_000, None, "CNY", id="a unit said twice"),
        pytest.param("¥500,000", 500_000, None, "¥", id="a sign of two countries"),
        pytest.param("$2 million and $3 million", 2_000_000, None, "$", id="and is no range"),
    ],
)
def test_sums(text: str, low: int | Decimal, high: int | None, currency: str) -> None:
    one = money.sums(fold(text), 0, len(text))[0]
    assert (one.minimum, one.maximum, one.currency) == (low, high or low, currency)


@pytest.mark.parametrize(
    ("text", "currencies"),
    [
        pytest.param("a fine of €10 million ($11.7 million) for delays", ["EUR"], id="in brackets"),
        pytest.param("罚款50万元（约7.7万美元）", ["元"], id="in brackets, Chinese"),
        pytest.param("新臺幣1,000萬元（約合35萬美元）", ["TWD"], id="in brackets, Traditional"),
        pytest.param("£10 million (about $13 million; €11.5 million)", ["GBP"], id="two conversions"),
        pytest.param("€10 million, or about $11.7 million, for delays", ["EUR"], id="with or"),
        pytest.param("$5 million (HK$39 million) and €2 million ($2.3 million)", ["$", "EUR"], id="two sums, each converted"),
        pytest.param("€10 million (including $2 million in costs)", ["EUR", "$"], id="a part in another currency"),
        pytest.param("€10 million (€4 million for the parent)", ["EUR", "EUR"], id="a part in the same currency"),
        pytest.param("€10 million and $3 million", ["EUR", "$"], id="two sums"),
        pytest.param("EUR 5 EUR", ["EUR"], id="a code on both sides"),
        pytest.param("€5罚款3万元", ["EUR", "元"], id="two scripts"),
    ],
)
def test_a_converted_sum_is_the_same_sum(text: str, currencies: list[str]) -> None:
    assert [one.currency for one in money.sums(fold(text), 0, len(text))] == currencies


@pytest.mark.parametrize(
    "text", ["106万家企业", "1500字节", "section 5 of 2010", "5,000 customers", "亿元", "2021年", "第3万号", "ranked 3"]
)
def test_no_sums(text: str) -> None:
    assert not money.sums(fold(text), 0, len(text))


@given(st.text(alphabet="0123456789,. €$万亿元a-", max_size=30))
def test_sums_never_raise_and_stay_inside(text: str) -> None:
    for one in money.sums(text, 0, len(text)):
        assert 0 <= one.start < one.end <= len(text)
        assert one.minimum <= one.maximum


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param("The agency fined Google $5 million.", AmountKind.IMPOSED, id="imposed"),
        pytest.param("The agency proposed a fine of $5 million on Google LLC.", AmountKind.PROPOSED, id="proposed"),
        pytest.param("Google agreed to pay $5 million.", AmountKind.FINAL, id="final"),
        pytest.param("The agency halted a $5 million listing of Google.", AmountKind.DEAL_VALUE, id="deal"),
        pytest.param("The agency fined Google, which had sales of $5 million.", AmountKind.TURNOVER, id="turnover"),
        pytest.param("The agency fined Google; the fine on Google was reduced to $5 million.", AmountKind.REDUCED, id="reduced"),
        pytest.param("The agency halted Google's takeover for $5 million.", AmountKind.DEAL_VALUE, id="deal, the word before"),
        pytest.param("监管部门对谷歌罚款500万美元。", AmountKind.IMPOSED, id="imposed, zh"),
        pytest.param("监管部门叫停谷歌500万美元收购。", AmountKind.DEAL_VALUE, id="deal, zh"),
    ],
)
def test_what_a_sum_is(text: str, kind: AmountKind) -> None:
    assert kind in [amount.kind for action in read(text).actions for amount in action.amounts]


@pytest.mark.parametrize(
    "text",
    [
        "The agency summoned Google over €5 million.",
        "The agency fined Google for a scheme worth $5 million.",
        "The agency fined Google after customers lost $5 million.",
        "The agency fined Google; the maximum is up to $5 million.",
        "监管部门对谷歌处以罚款，涉案500万元。",
    ],
)
def test_sums_that_are_no_penalty(text: str) -> None:
    assert [amount for action in read(text).actions for amount in action.amounts] == []


def test_each_and_whole() -> None:
    (each,) = read("The agency fined Google and Meta €5 million each.").actions[0].amounts
    (whole,) = read("The agency fined Google and Meta a total of €5 million.").actions[0].amounts
    assert (each.scope, whole.scope) == (AmountScope.EACH, AmountScope.WHOLE)


@pytest.mark.parametrize(
    ("text", "regulator", "currency"),
    [
        pytest.param("Google LLC was fined $5 million.", "ca-opc", "CAD", id="the source's country"),
        pytest.param("The Securities and Futures Commission of Hong Kong fined HSBC $5 million.", None, "HKD", id="the body's country"),
        pytest.param("谷歌被罚款500万元。", None, "CNY", id="yuan in Simplified text"),
        pytest.param("金管會對某銀行罰款500萬元。", None, "TWD", id="Taiwan's body"),
        pytest.param("騰訊遭開罰500萬元。", None, "CNY", id="the firm's country"),
        pytest.param("Orbit Labs plc was fined $5 million.", None, None, id="a dollar that nothing places"),
    ],
)
def test_currency_by_jurisdiction(text: str, regulator: str | None, currency: str | None) -> None:
    assert {amount.currency for action in read(text, regulator=regulator).actions for amount in action.amounts} == {currency}


@pytest.mark.parametrize(
    ("text", "iso", "is_inferred"),
    [
        pytest.param("on 18 March 2021", "2021-03-18", False, id="day month year"),
        pytest.param("on March 18, 2021", "2021-03-18", False, id="month day year"),
        pytest.param("on 18 March", "2021-03-18", True, id="a year left out is the last one that fits"),
        pytest.param("on December 24", "2020-12-24", True, id="and may be the year before"),
        pytest.param("in March 2020", "2020-03", False, id="a month"),
        pytest.param("in 2019, rules", "2019", False, id="a year"),
        pytest.param("2021年3月18日", "2021-03-18", False, id="Chinese"),
        pytest.param("2020年11月", "2020-11", False, id="Chinese month"),
        pytest.param("2020年", "2020", False, id="Chinese year"),
        pytest.param("二〇二一年三月十八日", "2021-03-18", False, id="Chinese digits"),
        pytest.param("3月18日", "2021-03-18", True, id="Chinese day without a year"),
        pytest.param("民國110年3月18日", "2021-03-18", False, id="the Republic's years"),
        pytest.param("令和3年3月18日", "2021-03-18", False, id="Reiwa"),
        pytest.param("令和元年", "2019", False, id="a first year"),
        pytest.param("2021-03-18", "2021-03-18", False, id="ISO"),
        pytest.param("le 18 mars 2021", "2021-03-18", False, id="French"),
        pytest.param("am 18. März 2021", "2021-03-18", False, id="German"),
        pytest.param("yesterday", "2021-03-18", True, id="yesterday"),
        pytest.param("前天", "2021-03-17", True, id="two days ago"),
        pytest.param("today", "2021-03-19", True, id="today"),
        pytest.param("on Monday", "2021-03-15", True, id="a weekday is the last one"),
        pytest.param("on Friday", "2021-03-19", True, id="and may be today"),
        pytest.param("last year", "2020", True, id="last year is a year"),
        pytest.param("今年", "2021", True, id="this year"),
        pytest.param("last month", "2021-02", True, id="last month"),
        pytest.param("本月", "2021-03", True, id="this month"),
    ],
)
def test_dates(text: str, iso: str, is_inferred: bool) -> None:
    folded = fold(text)
    (one,) = dates.dates(folded, 0, len(folded), ON)
    assert (str(one.value), one.is_inferred) == (iso, is_inferred)


@pytest.mark.parametrize(
    "text",
    [
        "between May 2019 and June 2020",
        "since 2018",
        "by 30 June 2021",
        "the Companies Act 2006",
        "from 2 May 2019 to 3 June 2019",
        "自2019年5月起至今",
        "2019年至",
        "31 February 2021",
        "99年",
        "3 March 2250",
        "no date at all",
    ],
)
def test_periods_laws_and_nonsense_are_no_dates(text: str) -> None:
    assert not dates.dates(fold(text), 0, len(text), ON)


def test_without_a_day_of_publication_nothing_is_counted_back() -> None:
    assert not dates.dates("yesterday, on 3 may and 3月4日", 0, 30, None)


@pytest.mark.parametrize(
    ("text", "decided", "is_inferred"),
    [
        pytest.param("市场监管总局近日对腾讯罚款50万元。", "None", False, id="recently is no date"),
        pytest.param("发布时间：2021年3月18日 市场监管总局近日对腾讯罚款50万元。", "None", False, id="the day of publication"),
        pytest.param("新华社北京3月18日电 市场监管总局日前约谈腾讯。", "None", False, id="a dateline"),
        pytest.param("The decision, published 18 March 2021, says the agency recently fined Google.", "None", False, id="published"),
        pytest.param("网信办昨日约谈腾讯。", "2021-03-18", True, id="yesterday is inferred"),
        pytest.param("The agency fined Google yesterday.", "2021-03-18", True, id="yesterday, English"),
        pytest.param("市场监管总局3月12日发布决定，对腾讯处以罚款。", "2021-03-12", True, id="a day without a year is inferred"),
        pytest.param("市场监管总局2021年3月12日对腾讯处以罚款。", "2021-03-12", False, id="a whole date"),
    ],
)
def test_when_it_was_decided(text: str, decided: str, is_inferred: bool) -> None:
    (action,) = read(text, on="2021-03-19").actions
    assert (str(action.decided_on), action.is_decided_inferred) == (decided, is_inferred)


@pytest.mark.parametrize(
    ("text", "decided"),
    [
        pytest.param("On 3 May 2024 the agency fined Google €5 million.", "2024-05-03", id="before the act"),
        pytest.param("The agency fined Google on 3 May 2024 for delays.", "2024-05-03", id="after the act"),
        pytest.param("The agency said on 3 May 2024 that it had fined Google.", "2024-05-03", id="said on a day that"),
        pytest.param("The agency fined Google in 2023.", "2023", id="a year"),
        pytest.param("The agency fined Google for exports made in May 2021.", "None", id="what it is for"),
        pytest.param("Google agreed to pay $5 to settle a claim that occurred on or about 3 May 2021.", "None", id="on or about"),
        pytest.param("In March 2021, Google exported goods; the agency fined Google.", "None", id="another clause"),
        pytest.param("The agency found that Google violated its rule on 3 May 2021.", "None", id="a violation's day"),
        pytest.param("The agency fined Google. Google shipped goods on 3 May 2021.", "None", id="another sentence"),
        pytest.param("Google was fined by the agency, which had received a report on 3 May 2021.", "None", id="a report's day"),
        pytest.param("The agency fined Google. Date of final decision: 27 November 2023 Decision: fine.", "2023-11-27", id="a field"),
        pytest.param("The agency fined Google. Date of decision: unknown.", "None", id="a field without a day"),
    ],
)
def test_a_date_is_the_acts_only_where_it_stands_with_it(text: str, decided: str) -> None:
    assert {str(action.decided_on) for action in read(text).actions} == {decided}


def test_a_captions_day_is_the_documents() -> None:
    reading = read(
        "A civil penalty.\nSanctions: $5,000 Civil Penalty.",
        title="In re Acme Power, 130 FERC ¶ 61,001 (Jan. 25, 2013)",
        regulator="us-ferc",
    )
    assert [str(action.decided_on) for action in reading.actions] == ["2013-01-25"]


@pytest.mark.parametrize(
    ("text", "sums"),
    [
        pytest.param("The agency fined Google SEK 300,000 (EUR 29,500).", [("300000", "SEK", ["29500"])], id="converted"),
        pytest.param("The agency fined Google two fines of €10 and €5.", [("10", "EUR", []), ("5", "EUR", [])], id="two fines"),
        pytest.param("The agency cut the fine on Google from €10,000 to €6,000.", [("6000", "EUR", [])], id="reduced from, to"),
        pytest.param("The agency cut the fine on Google from 10,000 to 6,000 euros.", [("6000", "EUR", [])], id="one currency for both"),
        pytest.param(
            "The agency fined Google €20. The original fine of €20 was reduced to €12 for payment.",
            [("12", "EUR", [])],
            id="reduced later",
        ),
        pytest.param(
            "The agency fined Google €20. The original fine of €20 was reduced for payment and acknowledgement of debt by each 20% to €12.",
            [("12", "EUR", [])],
            id="a debt on the way to what it was reduced to",
        ),
        pytest.param("Google sent a bill. A fine of €75 was threatened, but was reduced to €60.", [("60", "EUR", [])], id="threatened"),
        pytest.param(
            "The agency fined Google €75. The court reduced the fine from a total of SEK 80 (approx. €7) to SEK 50 (approx. €5).",
            [("75", "EUR", []), ("50", "SEK", ["5"])],
            id="a point on the way",
        ),
        pytest.param(
            "The agency fined Google €15 for delays and €5 for spam, a total of €20.",
            [("20", "EUR", []), ("15", "EUR", []), ("5", "EUR", [])],
            id="the total comes first",
        ),
        pytest.param(
            "Three fines of €70, €10 and €2 were imposed for this.",
            [("70", "EUR", []), ("10", "EUR", []), ("2", "EUR", [])],
            id="all three",
        ),
        pytest.param("The agency fined Orbit Labs S.A. EUR 600 for spam.", [("600", "EUR", [])], id="no sentence begins with such a sum"),
        pytest.param(
            "The agency intends to fine Orbit Labs Ltd £183. The final fine imposed on the company has been set at £20.",
            [("183", "GBP", []), ("20", "GBP", [])],
            id="proposed, then final",
        ),
        pytest.param(
            "Orbit Labs Ltd agreed to a settlement. The total value of the three sales settled with the agency was $33.",
            [],
            id="what it is about",
        ),
        pytest.param(
            "The agency found a breach. It may impose a fine of up to €25,000 and may additionally impose a daily fine of €25.",
            [],
            id="what the law allows",
        ),
        pytest.param("A fine of €5 was mulled.", [], id="a fine that nobody tells"),
        pytest.param(
            "The agency fined Google. Disgorgement of €5 was ordered. A civil penalty of €7.",
            [("5", "EUR", []), ("7", "EUR", [])],
            id="each its own",
        ),
        pytest.param("The agency fined Google €20. The fine consists of €15 and €5.", [("20", "EUR", [])], id="parts are not added"),
        pytest.param("A court ordered Google to pay over €5 million in forex fraud.", [("5E+6", "EUR", [])], id="to pay in fraud"),
        pytest.param("A court fined Google; it had lost €5 million in forex fraud.", [], id="lost in fraud"),
        pytest.param("The agency imposed a fine of PLN 2,800 (approx. €644) on Google.", [("2800", "PLN", ["644"])], id="approx."),
        pytest.param("The agency fined Google for goods with a nominal value of €20.", [], id="a value"),
        pytest.param("A fine of up to €20 on Google was seen, the agency said.", [], id="at most"),
    ],
)
def test_which_sums_are_penalties(text: str, sums: list[tuple[str, str, list[str]]]) -> None:
    amounts = [amount for action in read(text).actions for amount in action.amounts]
    assert [(str(one.maximum), one.currency, [str(other.maximum) for other in one.converted]) for one in amounts] == sums


def test_a_converted_sum_is_shown_beside_its_own() -> None:
    reading = read("The agency fined Google SEK 300,000 (EUR 29,500).")
    told: Any = reading_json("1", reading, Register("", (), (), (), ()))
    (action,) = told["actions"]
    assert [(one["surface"], one["currency"], one["kind"]) for one in action["amounts"]] == [
        ("SEK 300,000", "SEK", "imposed"),
        ("EUR 29,500", "EUR", "imposed"),
    ]


def test_a_bare_dollar_is_the_only_dollar_of_the_text() -> None:
    (american,) = read("Orbit Labs plc was fined $5 million in the United States.").actions[0].amounts
    (unknown,) = read("Orbit Labs plc was fined $5 million in the United States and Canada.").actions[0].amounts
    assert (american.currency, unknown.currency) == ("USD", None)


def test_effective_dates_are_told_apart() -> None:
    (action,) = read("On 2 May 2024 the agency banned Google, with effect from 10 May 2024.").actions
    assert (str(action.decided_on), action.effective_on) == ("2024-05-02", date(2024, 5, 10))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("11 companies", 11),
        ("eleven tech companies", 11),
        ("十一家企业", 11),
        ("等11家", 11),
        ("12 fast-growing internet companies", 12),
        ("129款APP", 129),
        ("两家银行", 2),
        ("一百二十家公司", 120),
    ],
)
def test_counts(text: str, value: int) -> None:
    assert [one.value for one in facts.counts(fold(text), 0, len(text))] == [value]


@pytest.mark.parametrize("text", ["one company", "一家公司", "$12 companies", "三国家", "12 percent of companies", "12个月"])
def test_no_counts(text: str) -> None:
    assert not facts.counts(fold(text), 0, len(text))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("国市监处〔2021〕14号", "国市监处〔2021〕14号"),
        ("見金管銀控字第10901234567號", "金管銀控字第10901234567號"),
        ("针对国市监处罚〔2021〕28号", "国市监处罚〔2021〕28号"),
        ("某公司不服沪银罚决字〔2023〕12号", "沪银罚决字〔2023〕12号"),
        ("判決撤銷京朝市監處罰〔2024〕5號", "京朝市監處罰〔2024〕5號"),
        ("依金管保產字第11004920351號", "金管保產字第11004920351號"),
        ("青即市监处罚〔2024〕5号", "青即市监处罚〔2024〕5号"),  # of Jimo
        ("Release LR-26018 of June", "LR-26018"),
        ("in Case M.10078 the", "M.10078"),
        ("Case AT.40099", "AT.40099"),
        ("Docket No. IN07-26-000", "Docket No. IN07-26-000"),
        ("File No. 3-20000", "File No. 3-20000"),
    ],
)
def test_numbers(text: str, number: str) -> None:
    ((start, end),) = facts.numbers(fold(text), 0, len(text))
    assert text[start:end] == number


def test_the_signs_of_an_office_are_no_name() -> None:
    (told,) = read("市场监管总局：国市监处罚〔2021〕28号 阿里巴巴集团控股有限公司 罚款182.28亿元").actions
    assert [(firm.firm_id, firm.surface) for firm in told.firms] == [("alibaba", "阿里巴巴集团控股有限公司")]


def test_a_number_without_its_office_is_none() -> None:
    assert facts.numbers("〔2021〕14号", 0, 9) == []


def test_the_number_of_the_document_and_what_it_cites() -> None:
    reading = read("The agency fined Google. See Case AT.40099 and https://example.org/a?b=1.", title="LR-26018: agency fines Google")
    assert reading.actions[0].number == "LR-26018"
    assert reading.cited_numbers == ("LR-26018", "AT.40099")
    assert reading.cited_urls == ("https://example.org/a?b=1",)


@pytest.mark.parametrize(
    ("text", "value"),
    [("十", 10), ("二十", 20), ("一百零五", 105), ("二〇二一", 2021), ("7", 7), ("x", None), ("", None), ("一x", None), ("百x", None)],
)
def test_han_numbers(text: str, value: int | None) -> None:
    assert money.han_number(text) == value
