"""What models say instead of a translation, and what strangers would have them say."""

import re
from dataclasses import dataclass

from paperpost.domain.lookalikes import lookalike
from paperpost.enrich import prompt
from paperpost.enrich.checks.case import Case, Field

_ECHOED_WORDS = 6
_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class Phrase:
    """What gives an answer away, unless the paper's own text speaks of it."""

    said: re.Pattern[str]
    unless: re.Pattern[str] | None = None


def _phrase(said: str, unless: str = "") -> Phrase:
    excuse = re.compile(unless, re.IGNORECASE) if unless else None
    return Phrase(re.compile(said, re.IGNORECASE), excuse)


_REFUSALS = (
    _phrase(
        r"抱歉|对不起|很遗憾，?我|请(?:您)?(?:原谅|谅解)|i(?:'m| am) (?:very |so )?sorry"
        r"|\bmy apologies\b",
        r"sorry|apolog|regret|refus|polite|excuse",
    ),
    _phrase(
        r"作为(?:一个|一名|一款)?(?:人工智能|AI|大?型?语言)(?:语言)?(?:模型|助手|助理)，?我"
        r"|我是(?:一个|一名)?(?:由.{0,12})?(?:AI|人工智能|大?语言模型)"
        r"|\bas an? (?:ai|large language|language)(?: language)? (?:model|assistant),? i\b"
        r"|\bi(?:'m| am) an ai\b",
        r"as an ai|i am an ai|i'm an ai|persona|role-?play|refus",
    ),
    _phrase(
        r"我(?:无法|不能|没法|不会)|(?:无法|不能|拒绝)(?:翻译|总结|概括)(?:该|此|这|本|您|你)"
        r"|无法(?:满足|完成|回答|处理)(?:您|你|该请求|此请求|这个请求|这一请求)"
        r"|\bi (?:can ?not|can't|am unable|won't|will not)\b|\bi'm unable\b|\bi must decline\b",
        r"\bi (?:can ?not|can't|am unable)|refus",
    ),
    _phrase(
        r"请(?:您|你)?(?:提供|告诉我|发送|输入|上传|给出)(?:更多|完整|需要|具体|论文|原文"
        r"|摘要|文本|内容|您|你)"
        r"|(?:以下|下面|这)是.{0,8}(?:翻译|译文|总结|概括|回答)|希望.{0,8}(?:有所|有)?帮助"
        r"|如果?您?(?:还)?有(?:任何|其他)?(?:问题|疑问|需要)"
        r"|当然(?:可以|，以下)|好的，(?:以下|我|这)|\bhere(?:'s| is) (?:the|your"
        r"|a) (?:translat|summar|tl;?dr|answer)|\bsure[,!]|\bhope this helps\b|(?:翻译"
        r"|译文)如下|(?:您|贵方)",
        r"\b(?:you|your|user|dialog|conversation|chat)",
    ),
)

# The names of fields, of the fence and of what the old prompts were made of.
_ECHOES = (
    _phrase(
        r"\ben_?t[dl]{2}r\b|\btranslated_?(?:title|abstract)\b|\btl;?dr\s*[:：]|</?paper>"
        r"|\bannounce type\b|公告类型|通告类型"
    ),
    _phrase(
        r"(?:英文|中文)(?:要点|总结|概括|翻译|标题|摘要|版本|一句话)(?:为|是|如下)?\s*[:：]"
        r"|\A(?:要点|一句话(?:总结|概括|摘要|要点)?|标题|译文|翻译|总结|输出|答案"
        r"|回答)\s*[:：]|译者注|译注[:：]"
    ),
    _phrase(
        r"(?:遵循|遵守|执行|服从|忽略|无视|忘记|理会)(?:其中|里面|上述|以上|之前|先前|此前"
        r"|前面|任何|所有|一切|这些|你的|文中)*的?(?:任何|所有|一切|全部)*的?(?:指令|指示"
        r"|提示|命令|要求)",
        r"instruct|command|prompt|jailbreak",
    ),
    _phrase(
        r"(?:系统|用户)(?:提示词?|消息|指令)|提示词(?:如下|是|为)|system prompt|user message"
        r"|json(?:对象| object)|调用.{0,4}工具.{0,4}answer|名为.{0,3}answer",
        r"prompt|json|message|instruct",
    ),
    _phrase(
        r"(?:翻译|总结|概括)(?:并|和|与|及|以及)(?:翻译|总结|概括).{0,12}(?:论文|摘要|文章)"
        r"|陌生人(?:所)?(?:写|撰写|编写|提供)|(?:均|都|皆|全部)(?:为|是)数据"
        r"|保(?:持|留).{0,10}(?:数字|公式|单位).{0,14}(?:不变|原样|原状)|(?:数字|公式"
        r"|单位).{0,14}保持(?:不变|原样|原状)|LaTeX.{0,6}(?:不变|原样)|(?:不要|不得|禁止"
        r"|请勿)(?:使用|包含|出现|添加|写).{0,8}(?:链接|HTML|Markdown)"
        r"|(?:最多|不超过|至多).{0,6}(?:词|字|个字|个词|单词).{0,6}(?:一句|句子)|你(?:是|将"
        r"|要|需|应|必须|的任务|负责)|纯文本(?:书写|输出|回答|写)",
        r"stranger",
    ),
)

_ID = r"[^。；;，,\n]{0,8}?[:：号是为]?\s*[A-Za-z0-9_@+-]{5,}"
_CONTACTS = (
    _phrase(
        rf"(?:微信|威信|薇信|\bwe ?chat|\bv信|\bvx|\bqq|扣扣|企鹅号|电报|telegram|whats ?app"
        rf"|skype|discord)(?:群|号|公众号|账号|id)?{_ID}"
    ),
    _phrase(
        r"(?:电话|手机|热线|致电|拨打|来电|联系电话|\btel\b|\bphone\b|\bcall\b"
        r"|短信)[^。；\n]{0,8}?[+\d][\d\s()-]{5,}|[一幺][三四五六七八九][零〇幺一二三四五六七八九]{9}"
        r"|(?<![\d.])1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)|(?<!\d)400[\s-]\d{3}[\s-]\d{4}"
    ),
    _phrase(
        r"(?:点击|点这|戳这|点此|单击|轻触|轻点)(?:里|此|此处|这里|链接|下方|下面|以下|上方"
        r"|查看|下载|进入|领取|了解|阅读)|click (?:here|this|the link|below)",
        r"\bclick (?!here|this|the link|below)\w|clickbait|click-through",
    ),
    _phrase(
        r"扫(?:一扫|码|描(?:下方|上方|以下|此|该)?的?(?:二维码|条码))|二维码",
        r"\bqr\b|bar ?code|\bscan",
    ),
    _phrase(
        r"加(?:我|微|[vV薇威])(?:信|为好友|好友|[:：]|[A-Za-z0-9])|(?:关注|搜索"
        r"|订阅)[^。，]{0,6}(?:公众号|频道)|(?:扫码|点击|欢迎|请|速|邀您)(?:进|入|加)群"
        r"|请私信|私信我",
        r"wechat|social media|channel",
    ),
    _phrase(
        r"(?:请|欢迎|立即|马上|赶快|务必|前往|登录|登陆)(?:访问|打开|浏览|登录|前往|光临|下载"
        r"|注册|购买|订购|咨询|联系)|(?:访问|打开|浏览|光临)[^。，]{0,12}(?:网站|网址|链接"
        r"|官网|主页|页面)",
        r"https?:|website|web ?site|web ?page|\bpage\b|\bvisit|available|project|\bgithub\b"
        r"|\bonline\b|\bapp\b|homepage",
    ),
    _phrase(
        r"(?:免费|限时|点击|立即)(?:领取|获取|下载|试用|赠送|优惠|购买)|优惠码|折扣码|返利"
        r"|博彩|赌场|赌博网|棋牌|代写|代发论文|包过(?!程)|贷款办理|加盟热线|稳赚",
        r"gambl|casino|bett|wager|discount|coupon|rebate|lotter",
    ),
)

# What may be said of a paper only if it says so itself: models make it up, strangers have it said.
_CLAIMS = (
    _phrase(
        r"撤稿|撤回|被撤|勘误",
        r"withdr|retract|errat|corrig|revo[kc]|recall|undo|rescind|roll",
    ),
    _phrase(
        r"最佳论文|获奖|荣获|斩获|获.{0,6}奖(?!励)",
        r"award|best[- ]paper|prize|winn|\bwon\b|medal|hono",
    ),
    _phrase(
        r"审稿|评审专家|满分|强烈(?:推荐|建议)",
        r"review|referee|scor|recommend|suggest|advis|peer|perfect",
    ),
    _phrase(
        r"骗子|造假|抄袭|剽窃|学术不端|伪造",
        r"fraud|fak|forg|plagiar|fabricat|dece|mislead|scam|misconduct|counterfeit|spoof|synthe"
        r"|hallucin|adversar|manipul|spurious|copy",
    ),
    _phrase(
        r"广告|限时(?:特价|优惠|折扣|抢购|免费)|特价|促销|赞助|点赞|转发",
        r"advert|\bads?\b|sponsor|promot|marketing|click|commerc|\bsales?\b|like|share|tweet"
        r"|forward|post|relay",
    ),
    _phrase(
        r"公众号|淘宝|抖音|小红书|微博|百度",
        r"wechat|account|taobao|douyin|tiktok|weibo|xiaohongshu|rednote|social|baidu|alibaba"
        r"|commerce",
    ),
    _phrase(
        r"编者按|编辑注|本站|小编|读者|转载|译者",
        r"editor|reader|website|post|audience|station|reprint",
    ),
    _phrase(
        r"(?<![申邀聘延恳])请(?![求教愿示柬客假问])",
        r"please|request|\bask|invit|appl|quer|\bcall|refer|visit|\bread\b",
    ),
)


def is_no_refusal(case: Case) -> bool:
    """No apology, no words about itself or to a user: a model speaks of the paper alone."""
    return not _says(case, _REFUSALS, by_title=True)


def echoes_no_prompt(case: Case) -> bool:
    """No words of the prompt, no field names or labels: what we tell the model is not the paper."""
    ours = {part for piece in prompt.TOLD for part in _parts(piece)}
    if any(part in ours for field in case.texts for part in _parts(field.plain)):
        return False
    return not _says(case, _ECHOES)


def invites_nowhere(case: Case) -> bool:
    """No telephone number, account or invitation: an abstract is read, it does not advertise."""
    return not _says(case, _CONTACTS)


def _parts(text: str) -> list[tuple[str, ...]]:
    """The runs of so many words in *text*; of a shorter text all of it."""
    words = _WORD.findall(text.lower())
    starts = range(max(len(words) - _ECHOED_WORDS, 0) + 1) if words else ()
    return [tuple(words[i : i + _ECHOED_WORDS]) for i in starts]


def claims_nothing_more(case: Case) -> bool:
    """No withdrawal, prize, fraud, review, advertisement or request but what the paper tells."""
    return not _says(case, _CLAIMS)


def _says(case: Case, phrases: tuple[Phrase, ...], *, by_title: bool = False) -> bool:
    """Whether a text has one of *phrases* and no excuse for it; *by_title*: in the title alone."""
    return any(
        phrase.said.search(field.plain)
        and not (phrase.unless and phrase.unless.search(_excuse(field, case, by_title=by_title)))
        for phrase in phrases
        for field in case.texts
    )


def _excuse(field: Field, case: Case, *, by_title: bool) -> str:
    if not by_title:
        return lookalike(case.evidence)
    return lookalike(field.source if field.name == "abstract" else case.paper.title)
