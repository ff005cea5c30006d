"""The offline model's text: plain sentences about the subject of the prompt."""

import re
from collections.abc import Sequence
from hashlib import sha256

from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage

NOTICE = (
    "*This is the demo model: it follows fixed patterns and understands nothing. "
    "Configure a real model in `platform.toml`, under `[model]`.*"
)

# Paragraphs by a word in the title of a section; for other titles one of them is chosen by a hash.
PARAGRAPHS = {
    "why": (
        "{Subject} takes away a small daily annoyance, and small annoyances are what people change "
        "their habits for. Start with that moment, in the words that customers use for it. Then "
        "show the same moment with {subject}."
    ),
    "who": (
        "The first buyers already look for something like {subject} and are tired of the "
        "alternatives. They decide quickly, ask about price and delivery, and tell others. Write "
        "for them; everyone else can follow."
    ),
    "say": (
        "Say what {subject} changes, give one number, and stop. Compare it with doing nothing, "
        "because that is what most people do today. Proof matters more than praise: quote someone "
        "who uses it, with name and place."
    ),
    "where": (
        "Begin where people already ask about {subject}: the newsletter, customer meetings and one "
        "trade fair. Each channel gets one job and one link. Add another channel only when the "
        "first ones have paid for themselves."
    ),
    "next": (
        "Put {subject} in front of ten customers this month and write down what they ask. Answer "
        "the three questions that come up most on one page. Decide on the budget after that, not "
        "before."
    ),
}

# Text for fields of structured output, by words in their names; lists have several values.
FIELDS: dict[str, tuple[str, ...]] = {
    "audience": (
        "People who have put up with the alternative to {subject} for too long",
        "Those who decide on {subject} together with a colleague",
        "Customers who already know the company",
    ),
    "title heading headline name section": (
        "Why {subject}",
        "Who it is for",
        "What to say",
        "Where to say it",
        "What to do next",
    ),
    "task focus angle instruction step": (
        "Say in plain words what {subject} changes",
        "Describe the people who will use it and what they do today",
        "Give three messages and a proof for each",
        "Choose the channels and say what each is for",
        "Name the next step and who takes it",
    ),
    "promise message goal": (
        "{Subject}: less effort, from the first day",
        "{Subject} shows its use within a week",
        "{Subject} is easy to leave, and hardly anyone does",
    ),
    "tone style": ("Plain and friendly",),
    "channel": ("Newsletter", "Trade fair", "Customer meetings"),
    "feedback reason comment rationale": (
        "It answers the request, and every sentence is about {subject}.",
    ),
    "subject topic product theme": ("{subject}",),
}
PROSE_FIELDS = {"text", "body", "content", "draft", "paragraph", "summary", "description", "answer"}

ORDER = re.compile(
    r"^(announce|answer|ask|build|compare|compose|create|describe|develop|draft|explain|find|generate"
    r"|give|introduce|launch|look|make|market|outline|plan|prepare|promote|propose|research|reply"
    r"|rewrite|sell|send|show|summari[sz]e|tell|write)\s+(?:.*?\s(?:for|about|on|of)\s+)?",
    re.I,
)


def reply(messages: Sequence[BaseMessage]) -> str:
    """The reply to a conversation."""
    if results := _tool_results(messages):
        return results
    request = last_request(messages)
    if heading := re.search(r"^#{1,3} ", request, re.M):
        # A document to edit: the demo model changes nothing.
        return request[heading.start() :].strip()
    task = " ".join(message.text for message in messages if message.type in ("system", "human"))
    if re.search(r"\b(re)?writ(e|er|ing)\b|\bdraft|\bcompose", task, re.I):
        return prose(request)
    return f"You wrote: “{_shorten(request, 200)}”\n\n{prose(request)}"


def prose(request: str) -> str:
    """A paragraph about the subject of `request`."""
    section = re.search(r"^section\s*:(.+)", request, re.I | re.M)
    words = re.findall(r"\w+", (section[1] if section else request).lower())
    known = [word for word in words if word in PARAGRAPHS]
    other = sha256(request.encode()).digest()[0] % len(PARAGRAPHS)
    paragraph = PARAGRAPHS[known[0] if known else list(PARAGRAPHS)[other]]
    return fill(paragraph, subject_of(request))


def field_text(name: str, request: str, index: int = 0) -> str:
    """Text for the field `name` of a structured output, the `index`th of a list."""
    words = set(re.findall(r"[a-z]+", name.lower()))
    subject = subject_of(request)
    if words & PROSE_FIELDS:
        return prose(f"{request} {index}" if index else request)
    for names, texts in FIELDS.items():
        if words & set(names.split()):
            return fill(texts[index % len(texts)], subject)
    label = re.sub(r"[^A-Za-z0-9]+", " ", name).strip().capitalize() or "Text"
    return f"{label} {index + 1} for {subject}" if index else f"{label} for {subject}"


def last_request(messages: Sequence[BaseMessage]) -> str:
    """The text of the newest human message."""
    texts = [message.text for message in messages if isinstance(message, HumanMessage)]
    return texts[-1].strip() if texts else ""


def subject_of(request: str) -> str:
    """The subject of a prompt: "Write a brief for a travel mug." gives "a travel mug"."""
    labelled = re.search(r"^(?:request|topic|product|question)\s*:\s*(.+)", request, re.I | re.M)
    line = labelled[1] if labelled else request.strip().partition("\n")[0]
    line = re.split(r"[.!?](?:\s|$)", line)[0].strip(" \"'“”`*#>-")
    words = ORDER.sub("", re.sub(r"^(please|can you|could you)\s+", "", line, flags=re.I), count=1)
    return _shorten(words or line, 80) or "this request"


def fill(pattern: str, subject: str) -> str:
    """`pattern` with `{subject}` and, capitalised, `{Subject}` filled in."""
    capital = subject[:1].upper() + subject[1:]
    return pattern.replace("{subject}", subject).replace("{Subject}", capital)


def _tool_results(messages: Sequence[BaseMessage]) -> str:
    """The results of tools since the newest human message."""
    results: list[str] = []
    for message in messages:
        if isinstance(message, HumanMessage):
            results = []
        elif isinstance(message, ToolMessage):
            results.append(f"**{message.name or 'tool'}**: {message.text.strip()}")
    if not results:
        return ""
    if len(results) == 1:
        return f"The tool {results[0]}"
    return "The tools say:\n\n" + "\n\n".join(results)


def _shorten(text: str, length: int) -> str:
    if len(text) <= length:
        return text
    return text[:length].rpartition(" ")[0] + "…"
