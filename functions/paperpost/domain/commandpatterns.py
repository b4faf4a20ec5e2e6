"""Patterns of sentences that speak to a model; measured on 3,439 papers (docs/enrichment.md)."""

import re

_VERBS = (
    r"(?:write|put|insert|append|prepend|add|include|output|print|say|state|respond|reply|repeat"
    r"|reveal|replace|set|return|mention|end|begin|start|copy|paste|display|emit|produce|finish"
    r"|close|translate|render|make|give|use|place|embed|attach|show|quote|tell|call|name|sign"
    r"|answer|generate|provide|report|claim|declare|announce|advise|direct|recommend|leave|link"
    r"|wrap|format|encode|decode|follow|execute|obey|summari[sz]e|ensure|remember|let|promote)"
)
_PLACES = (
    r"(?:titles?|t\s?l\s?;?\s?d\s?r|summar(?:y|ies)|translations?|translated|answers?|responses?"
    r"|outputs?|repl(?:y|ies)|json|(?:chinese|english) (?:text|version|abstract|field)"
    r"|abstract|system prompt|fields?|base64|readers?|verbatim)"
)
_MODEL = (
    r"(?:a\.?i\.?|llms?|(?:large )?language models?|(?:ai |language )?assistants?|translators?"
    r"|summari[sz]ers?|chatbots?|(?:chat)?gpt|claude|gemini|models?|machines?|bots?|agents?)"
)
_OPENING = (
    r"(?:^|[.!?:;,\"“”‘()\[\]{}<>*#|/\n]\s*|\s[—–-]+\s*"
    r"|\b(?:please|kindly|now|then|instead|always|just|simply|immediately|you (?:must|should"
    r"|shall|will"
    r"|are to|have to|need to))\s+)"
)

COMMANDS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        (
            r"\b(?:in|into|to|as|at|of|with|for|inside|within|after|before"
            r"|by)\b[^.]{0,30}\b(?:your|the|this|its|every|each"
            r"|both)\s+(?:\w+\s+){0,2}(?:tl;?dr|translat(?:ion|ed)\b(?!\s+quality))"
        ),
        (
            rf"\b{_MODEL}\s+(?:that|which|who|when|while)?\s*(?:is |are )?(?:reading|processing"
            rf"|translating|summari[sz]ing|read(?:s)?|translates?|summari[sz]es?)\s+(?:this"
            rf"|the present)\b"
        ),
        (
            r"\bwhen (?:producing|writing|generating|creating) (?:the |your |a )?(?:chinese"
            r"|translat|summary|tl;?dr)"
        ),
        (
            r"\b(?:when|while|before|after|if)\s+(?:you\s+(?:are\s+)?)?(?:translat"
            r"|summari[sz])\w*\s+(?:this|the (?:paper|abstract|title|text))\b"
        ),
        (
            rf"\b{_MODEL}\s+(?:must|shall|should|are|is)\s+(?:(?:required|asked|expected"
            rf"|requested|obliged|instructed|told|to)\s+)+(?:to\s+)?{_VERBS}\b(?:[^.!?\n]"
            rf"|[.!?](?!\s)){{0,120}}\b{_PLACES}\b"
        ),
        (
            rf"\b{_VERBS}\b(?:[^.!?\n]|[.!?](?!\s)){{0,120}}\bat the (?:very )?(?:end|start"
            rf"|beginning|top|bottom|front) of (?:the|your|this) (?:translated "
            rf"|chinese )?{_PLACES}\b"
        ),
        rf"\bif\s+you\s+are\s+(?:an?|the)\s+(?:\w+\s+)?{_MODEL}\b",
        (
            rf"(?:^|[.!?:\n\"“(\[{{*#>]\s*)(?:a |important )?(?:note|notice|message|instructions?"
            rf"|memo|reminder|hint)\s*(?:to|for)\s*(?:the |all |any |every )?(?:\w+ )?{_MODEL}\b"
        ),
        rf"(?:^|[.!?\n\"“(\[{{*#>]\s*)(?:dear|hey|hi|hello|attention)[ ,:]+(?:\w+ )?{_MODEL}\b",
        r"\byou are (?:now|no longer|hereby)\b",
        (
            r"\byou(?:'re| are) (?:a|an|the) (?:\w+ )?(?:translator|assistant|model|ai|bot|pirate"
            r"|dan)\b"
        ),
        (
            r"\byour (?:new |real |only |next |actual |first )?(?:task|job|instructions?"
            r"|system prompt|answer|output|response|reply|translation|summary|tl;?dr)\b"
        ),
        (
            r"(?:the |this |your )?(?:translation|translated title|chinese title|tl;?dr"
            r"|chinese (?:version|text|abstract)|zh title)\s+(?:must|should|shall|has to|needs to"
            r"|ought to|is to|will)\s+(?:also\s+|only\s+|always\s+)?(?:be|contain|include|begin"
            r"|start|end|mention|read|say|state|carry|link|point)\b"
        ),
        (
            r"\byou\s+(?:must|shall|have to|will (?:now|only|speak|act|respond|answer)"
            r"|are (?:obliged|required|hereby|instructed))\b"
        ),
        (
            r"\b(?:automated|automatic|ai|machine)\s+(?:\w+\s+){0,2}(?:systems?|readers?|tools?"
            r"|translations?|translators?|agents?)\b[^.]{0,60}\b(?:must|shall|should|are to|is to"
            r"|have to|has to)\s+(?:now |also |always |only )?(?:return|add|include|print|output"
            r"|write|say|copy|give|mention|use|put|end|begin|start|insert|respond|reply)\b"
        ),
        (
            r"\b(?:reading|translating|summari[sz]ing)\s+(?:this|it)\b[^.]{0,60}\b(?:must|shall"
            r"|should|has to|have to)\b"
        ),
        (
            r"\b(?:translator|translators|summari[sz]ers?)\b[^.]{0,60}\b(?:must|shall|should"
            r"|obliged|required|have to|has to|are asked)\b"
        ),
        (
            r"\b(?:the|a|correct|proper|official|its|your|this)\s+(?:tl;?dr|(?:chinese|translated"
            r"|zh) (?:title|translation|version|abstract|summary|text|name))\s*(?:of (?:this"
            r"|the) \w+\s*)?(?:is|are|reads?|=|:)"
        ),
        (
            r"\b(?:in|into|to|of|for)\s+(?:the |its |your )?(?:chinese|translated) (?:title"
            r"|version|abstract|translation|text|summary|output)\b"
        ),
        (
            r"\b(?:the )?abstract in chinese\b|\bwhatever (?:you|it) (?:generate|write|produce"
            r"|output)s?\b|\bnothing but\s+[\"“'A-Z]"
        ),
        (
            r"\bnew (?:instructions?|task|orders?|rules?)\s*(?:follow|:|below|begin|are)"
            r"|\bdebug mode\b|\bdeveloper mode\b|\bjailbreak mode\b|\bfrom (?:now|this point"
            r"|here) on\b[^.]{0,30}\byou\b|\byour prompt\b"
        ),
        (
            r"\b(?:llm|ai|model|translator|system|prompt)s?'?\s+(?:instructions?|directives?"
            r"|commands?|notes?|override)\s*[:>]"
        ),
        r"-{2,}\s*(?:end|begin|start)\b|={2,}\s*(?:end|begin|start)\b|\{\{#\w+",
        r"\b(?:read|tell|show|give)\b[^.]{0,20}\bthe system prompt\b",
        (
            r"\bmake sure (?:that )?(?:the |your |this )?(?:\w+\s){0,4}(?:mentions?|contains?"
            r"|includes?|says?|ends?|begins?)\b"
        ),
        (
            r"(?:只|仅)(?:需|要|能)?(?:输出|回复|回答|写|翻译)|译者|不要翻译|翻译(?:成|为|作|时)"
            r"|(?:文末|末尾|结尾|开头).{0,4}(?:加|附|写|注|须|必)|(?:把|将).{0,8}(?:翻译|译)(?:成"
            r"|为|作)"
        ),
        (
            r"(?:^|[.!?\n]\s*)(?:let the (?:summary|translation|title|output|answer|tl;?dr)\b"
            r"|tell (?:your|the) (?:users?|readers?)\b|do (?:what|as) i\b|sign off with\b"
            r"|(?:swap|exchange) the (?:tl;?dr|title|summary|abstract)\b"
            r"|(?:prefix|suffix|precede|follow) (?:each|every|all|the)\b"
            r"|(?:execute|run|obey) the following\b|imagine you are\b|act as\b)"
        ),
        (
            r"\bi (?:hereby )?(?:order|command|instruct|ask|want|need|authori[sz]e) (?:you"
            r"|the (?:ai|model))"
        ),
        (
            r"(?:^|[.!?\n]\s*)(?:(?:ai|reviewer|dear|note) )?(?:translators?|traduct\w+|traduttore"
            r"|übersetzer|tradutor"
            r"|reviewers?|bots?|summari[sz]ers?|llms?|models?|assistants?|ais?|override)\s*[:：]\s"
        ),
        (
            r"\b(?:assistants?|bots?|ai systems?|chatbots?|translators?"
            r"|summari[sz]ers?)\b[^.]{0,30}"
            r"\b(?:ought to|(?:kindly|hereby) |requested to|directives?)\b"
            r"|\b(?:directives?|orders?|instructions?) (?:to|for) (?:the )?(?:\w+ )?(?:bots?"
            r"|summari[sz]ers?|translators?|assistants?)\b|\bauthori[sz]e the (?:\w+ )?model\b"
        ),
        (
            r"\b(?:translated|derived|chinese|non-english|machine)\s+(?:versions?|renderings?"
            r"|summar(?:y|ies)|abstracts?|titles?)\b[^.]{0,40}\b(?:carry|carries|features?|belongs?"
            r"|mandatory|bears?|must|shows?)\b|\b(?:mandatory|required|belongs"
            r"|obligatory)\b[^.]{0,30}"
            r"\b(?:translated|derived|chinese|non-english|machine)\s+(?:version|rendering|summar"
            r"|abstract|title)"
        ),
        (
            r"\bonce (?:translated|summari[sz]ed)\b|\b(?:whoever|whatever|anyone who|who(?:so)?ever"
            r"|those who)\s+(?:translat|summari[sz])\w+\s+(?:this|it)\b"
            r"|\bthis (?:paper|work|article) is (?:titled|called|named|known)\b"
        ),
        r"中文(?:名称|名字|标题|译名|题目)|注明|(?:翻译系统|机器翻译|译文).{0,8}(?:应|须|必|请|要)",
        (
            r"\b(?:when|while|after|before|upon)\s+(?:you\s+)?(?:summari[sz]"
            r"|translat)\w*\b[^.]{0,20}"
            r"[,:]\s*(?:please |kindly |always |just |only )*(?:quote|append|add|write|say|mention"
            r"|print|insert|include|put|output|cite|link|end|begin|start|use)\b"
        ),
        (
            r"\b(?:language models?|llms?|assistants?|ais?)\s+(?:must|shall|should)\s+(?:now "
            r"|first "
            r"|always |also )?(?:print|append|mention|cite|advertise|insert|say|add|write)\b"
        ),
        (
            r"\b(?:ask|request|invite|urge|beg)s?\s+(?:all |any "
            r"|the )?(?:language models"
            r"|llms?|translators?|assistants?|summar(?:y|ies)|that (?:summar|translat))"
        ),
        r"\b(?:instead|in place) of (?:a|the|any|your) (?:summary|translation|title|tl;?dr)\b",
        (
            r"\byou should (?:now |also |always )?(?:rate|link|write|say|mention|print|add|append"
            r"|insert|put|output|cite|advertise|include|end|begin|start)\b"
            r"|\b(?:real|actual|true) task is to (?:write|print|say|output)\b|\bnew system prompt\b"
            r"|\bpaper ends here\b|\b(?:assistant|model|ai), (?:continue|proceed|go on|answer)\b"
        ),
        r"\b(?:preferred|official|recommended|correct|proper) (?:chinese|translated)\b",
        (
            r"</?\s*(?:paper|system|instructions?|user|assistant|prompt|admin|abstract|title|tldr"
            r"|answer)\s*/?>"
        ),
        r"\[/?(?:inst|system|sys|user|assistant)\]|<\|[a-z_]+\|>|<</?sys>>",
        (
            r"(?:^|[\n.!?\"'(\[]\s*)#*\s*(?:system|assistant|developer|admin|user)\s*(?:message"
            r"|note|prompt|override|update)?\s*[:>]\s"
        ),
        r"#{2,}\s*(?:instruction|system|response|task|new)",
        (
            r"(?:[.!?\n\"\])>=*-]\s*)(?:begin|end|start|stop) of (?:the )?(?:system|paper"
            r"|abstract|document|instructions?|untrusted|data|prompt|user input)\b\s*(?:prompt"
            r"|message|data|text)?\s*[.:\n=*\])<-]"
        ),
        (
            r"(?-i:\b(?:BEGIN|END|START|STOP) (?:SYSTEM|PAPER|ABSTRACT|DOCUMENT|INSTRUCTION|DATA"
            r"|PROMPT))"
        ),
        r"[{,]\s*[\"']?(?:title|abstract|tldr|zh|en)[\"']?\s*:\s*[\"']",
        (
            r"\b(?:title|tl;?dr|tldr|abstract|summary|translation)\s*(?:\(?(?:zh|chinese"
            r"|in chinese)\)?)?\s*[:=]\s*[\"“'‘「《]"
        ),
        (
            r"(?:忽略|无视|忘记|忘掉|不要理会|不用管).{0,20}(?:指令|指示|提示|要求|规则|命令|内容"
            r"|原文|任务)"
        ),
        (
            r"(?:标题|摘要|译文|翻译|总结|一句话|回答|输出|答案).{0,12}(?:写|输出|加|附|填|改"
            r"|替换|插入|必须|应当|应该|注明|包含|开头|结尾|末尾)"
        ),
        (
            r"(?:请|务必|必须|直接|改为).{0,12}(?:写|输出|插入|添加|加入|附上|回复|返回|翻译成"
            r"|翻译为|说|改成|填)"
        ),
        (
            r"(?:在|将|把|于).{0,10}(?:标题|摘要|译文|翻译|总结|一句话|结尾|末尾"
            r"|开头).{0,12}(?:写|插入|添加|替换|改|加|放|输出|填)"
        ),
        (
            r"\b(?:ignorez|ignoriere[nt]?|ignora|ignorad|ignoren|ignore as|vergiss|oubliez|olvida"
            r"|dimentica|negeer|zignoruj)\b"
        ),
        (
            r"\b(?:do not|don't|never|stop|without|instead of|rather than)\s+(?:translat"
            r"|summari[sz])\w*\s+(?:this|it|any|the (?:title|abstract|paper|text|rest|above"
            r"|following))"
        ),
        (
            r"\b(?:print|output|reveal|repeat|show|leak|display|translate|disclose|recite|copy"
            r"|quote)\b[^.]{0,40}\b(?:system prompt|your (?:prompt|instructions?|rules"
            r"|guidelines)|the (?:instructions|rules|text|words|prompt|message|lines?) (?:above"
            r"|you (?:were|got|received|have)))"
        ),
    )
)
# Letters that pass for Latin ones are not folded before these are looked for.
OTHER_LANGUAGES = re.compile(r"игнориру|забудь|無視|무시하|指示に従|تجاهل|अनदेखा", re.IGNORECASE)
# A sentence of an abstract tells; one that begins like this commands. Titles do begin so.
BARE_COMMAND = re.compile(
    r"(?:^|[.!?]\s+|\n\s*|[>}\]]\s*|-{3,}\s+|\bimportant[!:,]*\s+|\bnote[:,]\s+)"
    r"(?:(?:please|kindly|now|then|just|simply|instead)[,:]?\s+)*"
    r"(?:print|output|say|write|respond|reply|echo|repeat|insert|append|reveal|recite|mention"
    r"|copy|paste"
    r"|reproduce|include|add|end|begin|start|finish|stop|translate|replace|answer|return"
    r"|speak|pretend|act as"
    r"|make sure|use|give|put|refer|advertise|promote|visit|buy|subscribe|download|contact"
    r"|scan|follow|call|click (?:here|on|the|this)"
    r"|(?:ignore|disregard|forget)\s+(?:all|any|every|everything|the|your|previous|prior"
    r"|above|earlier|what))\b"
    r"(?!\s*(?:of|to)\b)(?=\s+\S|[.:!])",
    re.IGNORECASE,
)
IMPERATIVE = re.compile(
    rf"{_OPENING}{_VERBS}\b(?P<rest>(?:[^.!?\n]|[.!?](?!\s)){{0,200}}?)\b{_PLACES}\b", re.IGNORECASE
)
# What makes an imperative one to the reader of the text, not a sentence of science.
TO_THE_READER = re.compile(
    r"\b(?:please|kindly|your|this (?:paper|text|title|abstract|message)|tl;?dr"
    r"|in the (?:title|summary|translation|abstract|output|answer|json)"
    r"|(?:to|into|as|of|with) the (?:title|summary|translation|output|answer|tl;?dr)|exactly"
    r"|verbatim|literally|the (?:chinese|translated|following|words?|phrase|string|text|link"
    r"|url|marker|code|sentence|token)\b"
    r"|chinese|base64|only|nothing else|previous|above|instead)"
    r"|[\"“”‘「《<]|(?<![A-Za-z])['’]|https?:|[A-Z]{3,}-?\d",
    re.IGNORECASE,
)
MENTIONS = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass|overrule|discard|skip|drop|neglect"
    r"|cancel)\b[^.]{0,40}?"
    r"\b(?:instruct\w*|prompts?|rules?|guidelines?|directions?|messages?|orders?|constraints?"
    r"|told|said"
    r"|commands?|guardrails?|polic(?:y|ies)|everything|(?:the )?(?:above|rest)|abstract|paper"
    r"|task)\b"
    r"|\bas an? (?:ai|large )?\s?(?:language model|ai|assistant)\b"
    r"|\bi(?:'m| am) (?:sorry|unable)|\bi (?:can ?not|can't|won't)\b",
    re.IGNORECASE,
)
