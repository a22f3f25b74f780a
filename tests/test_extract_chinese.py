"""Chinese texts: short names by exclusion, headlines without a break, who is the subject, both scripts alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opencc import OpenCC

from bot.extract import FirmIndex, extract
from bot.extract.short_names import Look, begins_predicate, is_object, look
from bot.feeds.catalog import load_catalogue
from storage.firms import shipped_register
from storage.lists import with_list
from storage.models import AmountKind, Role
from storage.records import DocumentText
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
        pytest.param("其对社交软件", Look.NONE, id="a pronoun begins it"),
        pytest.param("其士国际", Look.CERTAIN, id="a name that begins like one"),
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
        pytest.param("远山开店、京东IPO、美团等再获整改通知", {"meituan"}, id="what a known firm does, joined like a list"),
        pytest.param(
            "警方明确定性的有远山爱家、美团、天天青禾等多家，均因涉嫌集资诈骗被立案",
            {"远山爱家", "meituan", "天天青禾"},
            id="a list in the part before",
        ),
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
    ("title", "found"),
    [
        pytest.param("宜家法国分公司被罚款5万元", {"宜家法国分公司"}, id="a branch of a known firm"),
        pytest.param("腾讯公司被罚款5万元", {"腾讯公司"}, id="公司 behind a known name"),
        pytest.param("招商银行公司业务违规被罚款5万元", {"招商银行"}, id="not when a compound goes on"),
        pytest.param("股价大跌基金抛售远山化(600123)因信披违规被证监会调查", {"远山化"}, id="behind what is sold"),
        pytest.param("他在银行待了24年远山化(600123)因虚假陈述遭立案调查", {"远山化"}, id="behind a count of years"),
        pytest.param("法院裁定批准重整计划远山化(600123)因财务造假被罚822万元", {"远山化"}, id="behind a plan"),
        pytest.param("出让46.4%股权众和股份(600123)因信披违规遭证监局责令改正", {"众和股份"}, id="a letter that joins, inside a name"),
        pytest.param("远山青禾人寿保险(02999.HK)因信披违规被证监会立案调查", {"远山青禾人寿保险"}, id="a long name in Hong Kong"),
        pytest.param("辞去职务远山科技(600123)因信披违规被证监会立案调查", {"远山科技"}, id="but not on the mainland"),
        pytest.param("S*ST远山(600123)虚假陈述遭证监会处罚", {"S*ST远山"}, id="two marks of special treatment"),
        pytest.param("远山人寿首吃监管函", {"远山人寿"}, id="an adverb before the mark"),
        pytest.param("2012年远山青禾公司被法院以非法吸收公众存款罪罚款5万元", {"远山青禾公司"}, id="a year before X公司"),
        pytest.param("对于远山信通涉嫌传销的行为，市场监管局已立案调查", {"远山信通"}, id="对于"),
        pytest.param(
            "被告因以案外人青禾投资有限公司的名义，非法吸收资金，被法院并处罚金30万元", {"青禾投资有限公司"}, id="whose name is used"
        ),
    ],
)
def test_borders(title: str, found: set[str]) -> None:
    assert {firm.surface for action in read("", title=title).actions for firm in action.targets} == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(
            "市公安局对远山资产管理有限公司（“青禾财富”平台）、云杉网络有限公司（“云杉”平台）涉嫌非法吸收公众存款罪立案侦查。",
            {"远山资产管理有限公司", "青禾财富", "云杉网络有限公司", "云杉"},
            id="their platforms in brackets",
        ),
        pytest.param(
            "市公安局查明，张某等人利用远山资产管理有限公司吸收资金，涉嫌集资诈骗。",
            {"远山资产管理有限公司"},
            id="who use a firm of their own",
        ),
        pytest.param("市公安局查明，张某等人利用腾讯吸收资金，涉嫌集资诈骗。", set(), id="but no known one"),
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


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("银保监局：远山银行审查不审慎，罚款50万元", {"远山银行"}, id="its own ending ends a name"),
        pytest.param("银保监局：远山银行卡业务不审慎，罚款50万元", set(), id="but not inside a compound"),
        pytest.param("市场监管局处罚远山直播平台", {"远山直播"}, id="平台 is what it is called"),
        pytest.param("金管会开罚远山信通3000万", {"远山信通"}, id="a sum right behind a name"),
        pytest.param("年薪33万的财务总监被罚250万", set(), id="a sum before 的 describes"),
        pytest.param("前岭人寿被银保监会罚款50万元", {"前岭人寿"}, id="a letter that begins other words too"),
        pytest.param("证监局决定对该公司罚款50万元", set(), id="该公司 names nobody"),
        pytest.param("上交所对远山信通及有关责任人予以公开谴责", {"远山信通"}, id="a firm and its officers"),
        pytest.param("深交所：给予远山锂业公开谴责处分", {"远山锂业"}, id="给予 takes the firm"),
        pytest.param("关于对远山锂业给予公开谴责处分的公告", {"远山锂业"}, id="对 before 给予 takes it"),
        pytest.param("公平会处远山信通50万元罚锾", {"远山信通"}, id="处 parts from what it imposes"),
        pytest.param("网信办通报远山相机违法收集个人信息", {"远山相机"}, id="通报 with a wrong behind the name"),
        pytest.param("央行再次通报拒收现金", set(), id="通报 of a wrong alone"),
        pytest.param("工信部通报：鼎芽被点名", {"鼎芽"}, id="two letters where only firms are hit"),
        pytest.param("芽米遭市场监管总局罚款50万元", {"芽米"}, id="two letters before who acts"),
        pytest.param("店员遭市场监管总局罚款50万元", set(), id="two letters that call a person"),
        pytest.param("安小花被银保监会通报", {"安小花"}, id="a likely person where only firms are hit"),
        pytest.param("安小花被证监会处罚", set(), id="a likely person where persons are hit too"),
        pytest.param("市场监管局对远芽、青梨作出行政处罚", {"远芽", "青梨"}, id="two members under an act"),
        pytest.param("市场监管局对张伟、李娜作出行政处罚", set(), id="two persons"),
        pytest.param("工信部通报侵权应用，远山记账、青禾相机在列", {"远山记账", "青禾相机"}, id="the list at the end"),
        pytest.param("网信办约谈腾讯旗下远山科技", {"远山科技"}, id="the unlisted child of a known firm"),
        pytest.param("网信办约谈青禾集团旗下远山科技", {"远山科技"}, id="the child of an unlisted firm"),
        pytest.param("银保监会对青禾信通旗下远山科技罚款50万元", {"远山科技"}, id="the same behind 对"),
        pytest.param("网信办约谈远山科技负责人", {"远山科技"}, id="who speaks for an unlisted firm"),
        pytest.param("证监会处罚远山科技负责人", set(), id="but the fine is the officer's"),
        pytest.param("涉嫌违规被立案调查 远山股份(600123)跌停", {"远山股份"}, id="the subject behind its act"),
        pytest.param("涉嫌违规被立案调查 远山集团称不知情", {"远山集团"}, id="an unlisted one"),
        pytest.param("涉嫌违规被立案调查 远山集团收到通知被罚5万", {"远山集团"}, id="one with an act of its own"),
        pytest.param("被罚5亿元！腾讯作出回应", {"tencent"}, id="the firm that answers"),
        pytest.param("被立案调查！腾讯发布新品", set(), id="a firm that does something else"),
        pytest.param("某代工厂被责令停产 有关部门：涉事企业为远山制药", set(), id="a factory"),
        pytest.param("一公司因排污被责令停产 涉事企业为远山制药", {"远山制药"}, id="who it was is told behind"),
        pytest.param("远山信通因垄断可能被罚100亿元", {"远山信通"}, id="a sum that is reckoned"),
        pytest.param("远山信通因垄断可能被罚", set(), id="no sum"),
        pytest.param("被点名的《远山》下架", set(), id="what an act describes"),
        pytest.param("腾讯视频整改，被点名的节目停播", set(), id="the part before is not what 的 describes"),
        pytest.param("男子在腾讯购物被骗 警方立案侦查", set(), id="where it happened"),
        pytest.param("腾讯骑手被市场监管局罚款50元", set(), id="who works for it"),
        pytest.param("腾讯成接盘侠，11亿贷款诈骗案中多名“内鬼”被重罚", set(), id="a sum begins the part of the persons hit"),
        pytest.param("腾讯供应商被环保局罚款50万元", set(), id="who sells to it"),
        pytest.param("腾讯举报同行 市场监管局立案调查", set(), id="who complains"),
        pytest.param("青禾科技举报同行 市场监管局立案调查", set(), id="an unlisted one"),
        pytest.param("网传腾讯被立案 公司辟谣", set(), id="a rumour"),
        pytest.param("腾讯：力争零处罚", set(), id="none at all"),
        pytest.param("特斯拉法务部：已警告自媒体", set(), id="a department of the firm"),
        pytest.param("资料显示，远山股份(600123)子公司因违规减持青禾股份(600456)被证监会立案调查", set(), id="what the subject sold"),
        pytest.param("证监会对涉嫌操纵远山股份等股票行为立案调查", set(), id="whose shares were rigged"),
        pytest.param("远山信通被处罚未及时披露", {"远山信通"}, id="what is said of firms follows"),
        pytest.param("远山特钢:未及时披露定期报告遭证监会立案调查", {"远山特钢"}, id="a report is no firm"),
        pytest.param("宁波远山(600857)追损未被立案 又因信披违规遭调查", {"宁波远山"}, id="a part denied, the next not"),
    ],
)
def test_more_subjects(text: str, found: set[str]) -> None:
    assert targets(read("", title=text)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("进驻远山集团的联合调查组已开展工作。", {"远山集团"}, id="who acts stands behind"),
        pytest.param("进驻远山集团的志愿者已开展工作。", set(), id="nobody official"),
        pytest.param(
            "警方对远山资产管理有限公司（“青梨网”平台）立案侦查。", {"远山资产管理有限公司", "青梨网"}, id="a platform in brackets"
        ),
        pytest.param("警方对远山资产管理有限公司（以下简称“远山资产”）立案侦查。", {"远山资产管理有限公司"}, id="a short form in brackets"),
        pytest.param("公安局通报：远山公司特大网络传销案已破获。", {"远山公司"}, id="whose case"),
        pytest.param("公安局通报：青禾财富特大传销案告破。", {"青禾财富"}, id="whose case, unlisted"),
        pytest.param("“远山系”集资诈骗案由警方侦办。", {"远山系"}, id="whose case, quoted"),
        pytest.param("腾讯助力警方破获一起传销案。", set(), id="who helped"),
        pytest.param("法院宣判被告单位远山有限公司集资诈骗一案。", {"远山有限公司"}, id="before a criminal court"),
        pytest.param("警方证实远山财富采用“线上”、“线下”模式非法吸收公众存款。", {"远山财富"}, id="quotes joined by 、"),
        pytest.param("资金链断裂，该平台于5月被警方以涉嫌集资诈骗立案侦查。", set(), id="该平台 of nobody"),
        pytest.param("远山财富资金链断裂，该平台于5月被警方以涉嫌集资诈骗立案侦查。", {"远山财富"}, id="该平台 of an unlisted firm"),
        pytest.param(
            "市监局对远山贸易有限公司立案调查。当事人销售不合格玩具，依据《产品质量法》，罚款8万元。",
            {"远山贸易有限公司"},
            id="当事人 goes on about it",
        ),
        pytest.param("网信办约谈远山信通，要求其对社交软件开展安全评估。", {"远山信通"}, id="what they are to look at"),
        pytest.param("市监局对远山贸易有限公司立案调查。当地依据新规，罚款8万元。", {"远山贸易有限公司"}, id="a sentence of its own"),
    ],
)
def test_more_notices(text: str, found: set[str]) -> None:
    assert targets(read(text)) == found


def test_the_party_of_a_notice_is_the_firm_named_before() -> None:
    (action,) = read("市监局对远山贸易有限公司立案调查。当事人销售不合格玩具，依据《产品质量法》，罚款8万元。").actions[-1:]
    assert (action.kind.value, [firm.surface for firm in action.targets]) == ("fine", ["远山贸易有限公司"])
    several = read("市监局对远山科技有限公司、青禾科技有限公司立案调查。该公司销售不合格玩具，罚款8万元。").actions
    assert not [firm for action in several if action.kind.value == "fine" for firm in action.targets]


def test_stories_in_brackets_are_apart() -> None:
    (action,) = read("", title="【充电宝每小时10元】【腾讯被罚5亿元】").actions
    assert [one.surface for one in action.amounts] == ["5亿元"]


@pytest.mark.parametrize("title", ["一周监管动态：证监会罚没合计2.3亿元", "银保监会：上半年罚没合计27亿元", "资料要求，规范经营"])
def test_reports_are_no_acts(title: str) -> None:
    assert not read("", title=title).actions


def test_a_list_of_the_users_own_makes_weak_names_subjects(tmp_path: Path) -> None:
    """A name that could be a word or a person counts where a firm is hit, cut exactly out of glued headlines."""
    path = tmp_path / "own.csv"
    path.write_text(
        "name,aliases,tickers\n安诺其,,300067.SZ\n太阳能,,000591.SZ\n环保,,000730.SZ\n*ST仰帆,仰帆,600421.SH\n*ST毅达,毅达,600610.SH\n",
        encoding="utf-8",
    )
    own = FirmIndex(with_list(shipped_register(load_catalogue().regulators), path))

    def hit(title: str) -> set[str]:
        return {firm.name for action in extract(DocumentText(title, ""), own).actions for firm in action.targets}

    assert hit("远山股份大股东减持300万股安诺其因信披违规被罚50万元") == {"安诺其"}
    assert hit("网信办约谈太阳能负责人") == {"太阳能"}
    assert hit("安诺其股东被证监会立案调查") == set()
    assert hit("证监会责令远山股份(600123)披露环保问题") == {"远山股份"}
    assert hit("拉杆箱不合格仰帆控股(600421)涉嫌信披违规 遭证监会立案调查") == {"*ST仰帆"}
    assert hit("中毅达虚增利润被罚5万元") == {"中毅达"}
    assert hit("毅达虚增利润被罚5万元") == {"*ST毅达"}
    assert hit("太阳能产业扶持政策发布 市场监管局罚款50万元的旧规废止") == set()


@pytest.mark.parametrize(
    ("simplified", "traditional"),
    [
        ("警方对“e租宝”平台涉嫌非法集资立案侦查。", "警方對「e租寶」平台涉嫌非法集資立案偵查。"),
        ("金岭科技(837000)就信批问题回复江北监管局问询函", "金嶺科技(837000)就信批問題回覆江北監管局問詢函"),
    ],
    ids=["a name of Latin letters and characters", "a word whose two scripts are not one to one"],
)
def test_what_the_fold_alone_does_not_join(simplified: str, traditional: str) -> None:
    """Both scripts are read alike."""
    one, other = read(simplified), read(traditional)
    assert [(action.kind, {firm.firm_id or fold(firm.surface) for firm in action.targets}) for action in one.actions] == [
        (action.kind, {firm.firm_id or fold(firm.surface) for firm in action.targets}) for action in other.actions
    ]
    assert one.actions


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("私隐专员公署就远山旅行社资料外泄展开调查", {"远山旅行社"}, id="就 takes the firm"),
        pytest.param("警方就市民投诉展开调查", set(), id="就 takes no firm"),
        pytest.param("消委会就押金问题向广州中院提起公益诉讼，被告为远山科技有限公司。", {"远山科技有限公司"}, id="向 takes a court"),
        pytest.param("深交所向远山股份下发监管函", {"远山股份"}, id="向 takes the firm"),
        pytest.param("证监会就远山资本有限公司的缺失，谴责该公司并罚款500万元", {"远山资本有限公司"}, id="该公司 behind the word"),
        pytest.param("食药署：远山生技保健食品下架回收", {"远山生技"}, id="behind a body and a colon"),
        pytest.param("远山生技：保健食品下架回收", set(), id="no body speaks"),
        pytest.param("网信办：腾讯下架违规视频300万条", set(), id="it does so itself: the word has an object"),
        pytest.param("通信管理局：远山相机未完成整改 予以下架", {"远山相机"}, id="in the next part"),
        pytest.param(
            "通信管理局今日通报，仍有“远山听书”“青禾外卖”2款App未整改，现予以下架。", {"远山听书", "青禾外卖"}, id="done to a list"
        ),
        pytest.param("远山科技再遭证监会立案，曾因造假被罚50万元", {"远山科技"}, id="an act and what was before it"),
        pytest.param("调查认定，远山建设有限公司对事故负有责任，被罚款500万元。", {"远山建设有限公司"}, id="to blame in an earlier part"),
        pytest.param("远山银行因向关系人放贷，被罚款35万元", {"远山银行"}, id="向 stands behind 因"),
        pytest.param("远山医院骨科主任被调查", set(), id="an officer some words behind"),
        pytest.param("远山建设及6名责任人被证监局警示", {"远山建设"}, id="the firm and its people"),
        pytest.param("曾用名“远山贷”的青禾融被警方立案侦查", {"青禾融"}, id="a former name in quotation marks"),
        pytest.param("通信管理局通报45款App 涉及“远山行”“青禾单车”", {"远山行", "青禾单车"}, id="a list in the next part"),
        pytest.param("外汇局通报：远山银行等6家机构违规案例", {"远山银行"}, id="a list behind a colon"),
        pytest.param("股转公司对挂牌公司远山农业、主办券商青禾证券采取自律监管措施。", {"远山农业", "青禾证券"}, id="what members are"),
        pytest.param("竞委会控告远山工程等四间公司围标", {"远山工程"}, id="counted in 间"),
        pytest.param("腾讯、百度小程序被网信办责令整改", {"tencent", "baidu"}, id="what of a list's firms is hit"),
        pytest.param("网信办约谈远山拼车App运营企业", {"远山拼车"}, id="what it is called, in two words"),
        pytest.param("劳动部对foodpanda罚款100万元", {"delivery-hero"}, id="a brand in small letters"),
        pytest.param("数发部开罚momo 200万元", {"momo"}, id="an unlisted one that an authority hits"),
        pytest.param("数发部开罚app 200万元", set(), id="a short word is none"),
        pytest.param("京东将对违规商家处以5万元罚款", set(), id="a platform and who uses it"),
        pytest.param("腾讯公告，对虚假宣传商家处以扣除保证金的处罚", set(), id="the same in a later part"),
        pytest.param("圆通快递员李某被罚款200元", set(), id="a name's last letter begins a word"),
        pytest.param("法院查明，张某骗取工商银行贷款，判处罚金20万元。", set(), id="a person without a given name"),
        pytest.param("央行表示，对严重违规机构可注销牌照。", set(), id="what the law allows"),
        pytest.param("腾讯子公司获处罚豁免", set(), id="spared"),
        pytest.param("会计师事务所被罚", set(), id="a trade alone"),
        pytest.param("网信办约谈了“远山优选”运营企业负责人", {"远山优选"}, id="in quotation marks, what it is called behind"),
        pytest.param("网信办约谈了“远山优选”网红", set(), id="a person behind the quotation marks"),
        pytest.param("交通银行理财经理飞单被警方调查", set(), id="who works for it, some words behind"),
        pytest.param("腾讯加盟店被罚", set(), id="who trades under its name"),
        pytest.param("宜家因监视区域经理被罚100万欧元", {"ikea"}, id="whom it wronged"),
        pytest.param("银监局行政处罚信息显示，远山银行被罚款50万元", {"远山银行"}, id="a form's heading is no act"),
        pytest.param("星空航空、青禾航空各罚30万元", {"星空航空", "青禾航空"}, id="各 closes a list"),
    ],
)
def test_whom_fresh_texts_hit(text: str, found: set[str]) -> None:
    assert targets(read("", title=text)) == found


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("网信办对远山科技启动调查，公司曾被罚款5万元", ["investigation", "fine"]),
        ("法院撤销对远山水务的80万元罚款", ["annulment"]),
        ("环保局撤销对远山水务的处罚", []),
        ("普天医药收到《行政处罚告知书》", ["proposed_penalty"]),
        ("远山证券资格被暂停", ["suspension"]),
        ("金管会对远山证券祭出停业一个月处分", ["suspension"]),
        ("工信部通报第3批侵权App", ["warning"]),
        ("金融监管总局：去年处罚机构120家次", []),
        ("市场监管局查明，陈某在淘宝开店售假，罚款8万元。", []),
    ],
)
def test_kinds_of_fresh_texts(text: str, kinds: list[str]) -> None:
    assert [action.kind.value for action in read(text).actions] == kinds


@pytest.mark.parametrize(
    ("text", "parties"),
    [
        ("市场监管总局禁止虎牙与斗鱼合并", {"huya", "douyu"}),
        ("市场监管总局附条件批准远山美收购青禾湃股权案", {"远山美", "青禾湃"}),
        ("NCC今日通过远传与青禾电信合并案", {"fetnet", "青禾电信"}),
        ("公平会表示，远山收购青禾结合案已收件", set()),
        ("市场监管总局禁止平台收取佣金", set()),
        ("证监会批准腾讯发行债券", set()),
    ],
)
def test_parties_of_mergers(text: str, parties: set[str]) -> None:
    assert targets(read(text)) == parties


def test_each_firm_of_a_sentence_has_its_own_sum() -> None:
    told = read("远山付因违规被罚款126万元，青禾宝因未尽义务被罚款87万元。").actions
    assert [[int(one.maximum) for one in action.amounts] for action in told] == [[1260000], [870000]]


def test_a_sum_is_the_firms_too_where_its_people_only_share_it() -> None:
    def sums(text: str) -> list[int]:
        return [int(one.maximum) for action in read("", title=text).actions for one in action.amounts]

    assert sums("远山股份及时任高管合计被罚1330万元") == [13300000]
    assert sums("证监会对远山股份罚款60万元，对董事长罚款30万元") == [600000]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("金管会113年5月3日对远山证券罚款50万元。", "2024-05-03"),
        ("5月10日，远山股份公告，当日收到证监会立案告知书。", "2024-05-10"),
        ("全长113年代的项目被证监会对远山股份罚款50万元。", "None"),
    ],
)
def test_days_of_acts(text: str, day: str) -> None:
    assert [str(action.decided_on) for action in read(text).actions] == [day]
