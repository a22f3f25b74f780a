"""Chinese texts: short names by exclusion, headlines without a break, who is the subject, both scripts alike."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opencc import OpenCC

from bot.extract.short_names import Look, begins_predicate, is_object, look
from storage.models import AmountKind, Role
from storage.text import fold
from tests.reading import read, targets


@pytest.mark.parametrize(
    ("body", "found"),
    [
        pytest.param("青禾股份", Look.CERTAIN, id="an ending of firms"),
        pytest.param("上海银行", Look.CERTAIN, id="a place before 银行 is a bank"),
        pytest.param("青禾证券深圳分公司", Look.CERTAIN, id="a branch is the firm"),
        pytest.param("x青禾", Look.CERTAIN, id="Latin and Han letters"),
        pytest.param("天泽信", Look.POSSIBLE, id="no surname, no ending"),
        pytest.param("远山信通", Look.POSSIBLE, id="four letters"),
        pytest.param("王小网", Look.POSSIBLE, id="a surname, but no given name ends so"),
        pytest.param("王小明", Look.NONE, id="a person"),
        pytest.param("青禾", Look.NONE, id="two letters alone"),
        pytest.param("上海公司", Look.NONE, id="a place before 公司 names nobody"),
        pytest.param("旗下公司", Look.NONE, id="nor does whose it is"),
        pytest.param("深圳科技公司", Look.NONE, id="nor does what it is"),
        pytest.param("广东省", Look.NONE, id="a place"),
        pytest.param("市教育局", Look.NONE, id="an office"),
        pytest.param("消费者", Look.NONE, id="common people"),
        pytest.param("三家企业", Look.NONE, id="a count"),
        pytest.param("湖南一棋牌公司", Look.NONE, id="one of its kind in a place"),
        pytest.param("虚假宣传", Look.NONE, id="a wrong"),
        pytest.param("科技", Look.NONE, id="an ending without a stem"),
        pytest.param("3公司", Look.NONE, id="a number"),
        pytest.param("青", Look.NONE, id="one letter"),
        pytest.param("青禾，远山", Look.NONE, id="a mark"),
    ],
)
def test_what_looks_like_a_firm(body: str, found: Look) -> None:
    assert look(body) is found


def test_what_is_said_of_firms_only_makes_a_firm_of_a_likely_person() -> None:
    assert look("王小明", is_corporate=True) is Look.POSSIBLE
    assert look("青禾", is_corporate=True) is Look.POSSIBLE
    assert look("王明", is_corporate=True) is Look.NONE


def test_where_predicates_begin_and_objects_stand() -> None:
    assert begins_predicate("因违规")
    assert not begins_predicate("未来科技因违规")
    assert not begins_predicate("、因违规")
    assert is_object("股东减持青禾股份", 4)
    assert not is_object("股价青禾股份", 2)


@pytest.mark.parametrize(
    ("title", "found"),
    [
        pytest.param("远山股份(600123)拟出售资产青禾股份(600456)收监管函", {"青禾股份"}, id="a code begins a headline"),
        pytest.param(
            "证监会立案调查青禾股份(600456) 远山股份(600123)拟出售资产", {"青禾股份"}, id="an active verb takes it for its object"
        ),
        pytest.param("远山股份遭证监会立案调查青禾股份(600456)拟出售资产", {"远山股份"}, id="a passive leaves none"),
        pytest.param("远山股份董事长辞职青禾股份:信披违规 遭责令改正", {"青禾股份"}, id="a name before a colon"),
        pytest.param("远山股份(600123)股东减持300万股青禾科技因信披违规收警示函", {"青禾科技"}, id="behind a number of shares"),
        pytest.param("远山股份：股东减持200万股 公司收到监管函", {"远山股份"}, id="a space parts no headlines"),
        pytest.param("股东减持远山股份(600123)青禾信通未披露年报被出具警示函", {"青禾信通"}, id="behind a coded object"),
        pytest.param("股东减持远山股份(600123)公告 青禾信通被罚5万元", {"青禾信通"}, id="a predicate behind a coded object"),
        pytest.param("上市公司远山股份(600123)收监管函", {"远山股份"}, id="what the firm is called joins its name"),
        pytest.param("远山控股收监管函腾讯发布新品", {"远山控股"}, id="a known name behind a letter"),
        pytest.param("*ST远山收警示函", {"*ST远山"}, id="one headline"),
        pytest.param("163万科技股民索赔", set(), id="a number's letter is no name"),
    ],
)
def test_glued_headlines(title: str, found: set[str]) -> None:
    assert targets(read("", title=title)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("远山信通涉嫌信披违规 遭证监会立案调查", {"远山信通"}, id="the part before"),
        pytest.param("远山信通:年报有误 收到问询函", {"远山信通"}, id="the part before last"),
        pytest.param("远山信通财务造假，公司及董事长被证监会罚款50万元", {"远山信通"}, id="公司及 speaks of it"),
        pytest.param("远山信通信披违规 证监会决定对公司进行立案调查", {"远山信通"}, id="对公司"),
        pytest.param("远山信通污染物超标 生产车间被责令停产", {"远山信通"}, id="what it owns"),
        pytest.param("远山信通信披违规 董事长收到监管函", set(), id="an officer is hit"),
        pytest.param("远山信通控股股东因短线交易被证监会罚款50万元", set(), id="a shareholder is hit"),
        pytest.param("远山信通：两名高管被证监会处罚", set(), id="two officers are hit"),
        pytest.param("张伟被证监会处罚", set(), id="a person"),
        pytest.param("网贷平台远山信通被立案调查", {"远山信通"}, id="behind what it is called"),
        pytest.param("3月5日，远山信通被证监会处罚", {"远山信通"}, id="behind a date"),
        pytest.param("社交电商“远山信通”2017年因传销被罚款50万元", {"远山信通"}, id="in quotation marks, a date behind"),
        pytest.param("“并购教父”张三丰遭上交所通报批评", set(), id="a person's nickname"),
        pytest.param("爬山摘杏被处罚", set(), id="no authority and no sum"),
        pytest.param("市场监管局认定远山信通虚假宣传，罚款50万元", {"远山信通"}, id="behind a finding"),
        pytest.param("远山信通信披违规证监局采取监管措施", {"远山信通"}, id="wrong, body, act"),
        pytest.param("远山信通处罚决定书公布", {"远山信通"}, id="its decision"),
        pytest.param("远山信通等3家公司合计罚没1.2亿元", {"远山信通"}, id="a sum without a passive"),
        pytest.param("对远山科技和青禾科技两家机构，均处以罚款50万元", {"远山科技", "青禾科技"}, id="a coverb in the part before"),
        pytest.param("合肥两家机构被立案调查", set(), id="a count without names"),
        pytest.param("警方对“远山财行”和“青禾财行”立案侦查", {"远山财行", "青禾财行"}, id="quoted, joined by 和"),
        pytest.param("阿里推新、远山信通开店、青禾被罚", set(), id="clauses joined like a list"),
        pytest.param("腾讯推出新产品、远山信通被市场监管局罚款5万元", {"远山信通"}, id="a clause before the subject"),
        pytest.param("证监会对冒充腾讯的远山理财处以罚款", {"远山理财"}, id="behind whom it impersonates"),
        pytest.param("贝因信(600123)收监管函", {"贝因信"}, id="a letter that is also a coverb"),
        pytest.param("短线交易远山股份(600123)被交易所通报批评", {"远山股份"}, id="a coded name that is an object, alone"),
        pytest.param("青禾股份(600456)短线交易远山股份(600123)被深交所通报批评", {"青禾股份"}, id="a coded name that is an object"),
        pytest.param("腾讯警告用户", set(), id="it does so itself"),
        pytest.param("远山信通因虚假宣传罚款50万元", {"远山信通"}, id="因 and a sum, no passive"),
        pytest.param("因虚假宣传约谈远山信通", {"远山信通"}, id="因 tells only why"),
        pytest.param("远山信通 董事长内幕交易 被罚款50万元", set(), id="an officer in the part before"),
        pytest.param("远山信通：股东会召开 公司收到监管函", {"远山信通"}, id="what a holder does without a wrong is passed over"),
        pytest.param("腾讯用户刷单 被罚款5万元", set(), id="the firm's users in the part before"),
        pytest.param("远山股份(600123)公告:因信披违规收到监管函", {"远山股份"}, id="公告 before a colon is no name"),
    ],
)
def test_subjects(text: str, found: set[str]) -> None:
    assert targets(read("", title=text)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("警方通报，远山财富涉嫌非法吸收公众存款。", {"远山财富"}, id="police say so"),
        pytest.param("市公安局以远山公司涉嫌集资诈骗罪立案侦查。", {"远山公司"}, id="a firm called X公司"),
        pytest.param("调查组查明，腾讯涉嫌组织传销。", {"tencent"}, id="a known name"),
        pytest.param("调查组进驻远山公司后查明，该公司涉嫌传销。", {"远山公司"}, id="该公司"),
        pytest.param("“远山事件”后调查组走访了远山公司，公安对其涉嫌传销立案侦查。", {"远山公司"}, id="the stem stands elsewhere too"),
        pytest.param("网友称远山财富涉嫌传销。", set(), id="nobody official says so"),
        pytest.param("警方抓获一批涉嫌诈骗的嫌犯。", set(), id="no firm"),
        pytest.param("警方通报，使用腾讯的骗子涉嫌诈骗。", set(), id="the firm's users"),
        pytest.param("警方称某公司涉嫌诈骗，多家集团公司受害。", set(), id="firms that are not named"),
        pytest.param("原告诉被告远山财富涉嫌欺诈一案，本院立案。", set(), id="a private suit"),
    ],
)
def test_accused(text: str, found: set[str]) -> None:
    assert targets(read(text)) == found


def test_a_subsidiary_that_is_not_named_makes_its_owner_group() -> None:
    (action,) = read("", title="腾讯：子公司被罚款12万元").actions
    assert [(firm.firm_id, firm.role) for firm in action.firms] == [("tencent", Role.GROUP)]
    assert not targets(read("", title="远山信通：子公司被罚款12万元"))


def test_talks_with_those_who_speak_for_a_firm_are_talks_with_the_firm() -> None:
    assert targets(read("网信办约谈腾讯相关负责人。")) == {"tencent"}
    assert targets(read("证监会处罚腾讯相关负责人。")) == set()


@pytest.mark.parametrize(
    ("title", "kinds"),
    [
        pytest.param("某公司涉虚假宣传被立案调查", ["investigation"], id="a firm that is not named"),
        pytest.param("涉事企业罚165万元", ["fine"], id="a firm and a sum"),
        pytest.param("央行注销一张支付牌照", ["ban"], id="a licence"),
        pytest.param("今年银行业罚款已超5亿元", [], id="sums of a whole trade"),
        pytest.param("男子酒驾被罚款", [], id="a man"),
    ],
)
def test_acts_that_name_nobody(title: str, kinds: list[str]) -> None:
    reading = read("", title=title)
    assert [action.kind.value for action in reading.actions] == kinds
    assert not targets(reading)


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        pytest.param("每家罚250万！北京罚款“远山帮”“青禾帮”", [("250万", "each")], id="the sum in the sentence before"),
        pytest.param("对百度、美团分别处以50万元罚款。", [("50万元", "each")], id="分别"),
        pytest.param("百度被罚没合计1.2亿元。", [("1.2亿元", "whole")], id="合计"),
        pytest.param("对百度处50万元至100万元罚款。", [("50万元至100万元", "whole")], id="a range, the unit said twice"),
        pytest.param("没收百度违法所得12万元，并处罚款36万元。", [("12万元", "whole"), ("36万元", "whole")], id="taken and fined"),
        pytest.param("百度非法获利30万元，被罚60万元。", [("60万元", "whole")], id="a gain is no penalty"),
        pytest.param("证监会对募资30亿元的百度处以60万元罚款。", [("60万元", "whole")], id="nor is what was raised"),
        pytest.param("银保监会对百度罚款200万元，相关责任人罚款30万元。", [("200万元", "whole")], id="nor an officer's fine"),
    ],
)
def test_sums(text: str, amounts: list[tuple[str, str]]) -> None:
    (action,) = read("", title=text).actions
    told = [(one.surface, one.scope.value) for one in action.amounts if one.kind not in (AmountKind.DEAL_VALUE, AmountKind.TURNOVER)]
    assert told == amounts


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("北京市場監管局對青禾科技罰款50萬元。", "CNY"),
        ("高雄市環保局對青禾科技開罰50萬元。", "TWD"),
        ("青禾科技遭開罰50萬元。", None),
    ],
)
def test_a_yuan_in_traditional_characters_needs_a_place(text: str, currency: str | None) -> None:
    assert [one.currency for one in read(text).actions[0].amounts] == [currency]


TEXTS = [
    "网信办约谈腾讯、青禾直播、小麦音乐等11家企业，责令限期整改。",
    "证监会对远山股份立案调查，并拟罚款60万元。",
    "上交所公开谴责青禾股份，董事长李建国收到警示函。",
    "远山股份(600123)信披违规收监管函青禾股份(600456)拟出售资产",
    "警方通报：远山财富公司涉嫌非法吸收公众存款。",
    "市场监管总局对阿里巴巴处以182.28亿元罚款，没收违法所得12万元。",
    "银保监局对远山银行上海分行罚款50万元。",
    "深交所向云川科技下发关注函，要求说明业绩预告。",
    "工信部通报下架小麦日历、青蛙相机等46款应用。",
    "百度否认被处罚；美团主动召回头盔；京东达成和解。",
]
CONVERTED = [OpenCC(rule) for rule in ("s2t", "s2tw", "s2hk")]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=4), st.sampled_from(range(len(CONVERTED))))
def test_both_scripts_read_alike(texts: list[str], rule: int) -> None:
    text = "".join(texts)
    other = CONVERTED[rule].convert(text)
    told = [
        [
            (action.kind, action.status, action.stated_count, [(firm.firm_id, fold(firm.surface)) for firm in action.firms])
            for action in actions
        ]
        for actions in (read(text).actions, read(other).actions)
    ]
    assert told[0] == told[1]
