"""The offline model's text: plain sentences about the subject of the prompt."""

import re
from collections.abc import Sequence

from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage

NOTICE = (
    "*This is the demo model: it follows fixed patterns and understands nothing. "
    "Configure a real model in `platform.toml`, under `[model]`.*"
)

GREETING = re.compile(
    r"(hi|hello|hey|hallo|good (morning|day|afternoon|evening))\b(\W*\w+){0,2}\W*", re.I
)

# Paragraphs of a marketing brief, by a word in the title of a section.
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
    "step steps": (
        "Collect what is known about {subject} and what is still open",
        "Agree on the date, the budget and who is responsible",
        "Carry it out and report the result",
    ),
    "task focus angle instruction": (
        "Say in plain words what {subject} changes",
        "Describe the people who will use it and what they do today",
        "Give three messages and a proof for each",
        "Choose the channels and say what each is for",
        "Name the next step and who takes it",
    ),
    "goal": ("A good result for {subject}",),
    "promise message": (
        "{Subject}: less effort, from the first day",
        "{Subject} shows its use within a week",
        "{Subject} is easy to leave, and hardly anyone does",
    ),
    "tone style": ("Plain and friendly",),
    "channel": ("Newsletter", "Trade fair", "Customer meetings"),
    "feedback reason comment rationale": (
        "It answers the request, and every sentence is about {subject}.",
    ),
    "subject": ("{Subject}",),
    "topic product theme": ("{subject}",),
    "body": (
        "Dear customer,\n\nThank you for writing to us. We are looking into this: {subject}. "
        "You will hear from us as soon as we know more.\n\nKind regards",
    ),
}
PROSE_FIELDS = {"text", "content", "draft", "paragraph", "summary", "description", "answer"}

ORDER = re.compile(
    # The first are followed by their subject, others by a text for or about it.
    r"^(?:(?:announce|introduce|launch|market|promote|sell)\s+"
    r"|(?:answer|ask|build|compare|compose|create|describe|develop|draft|explain|find|generate|give"
    r"|look|make|outline|plan|prepare|propose|research|reply|rewrite|send|show|summari[sz]e|tell"
    r"|write)\s+(?:.*?\s(?:for|about|on)\s+)?)",
    re.I,
)


def reply(messages: Sequence[BaseMessage], tools: Sequence[str] = ()) -> str:
    """The reply to a conversation with an agent that has `tools`."""
    if results := _tool_results(messages):
        return results
    request = last_request(messages)
    if heading := re.search(r"^#{1,3} ", request, re.M):
        # A document to edit: the demo model changes nothing.
        return request[heading.start() :].strip()
    if is_greeting(request):
        return "Hello! How can I help you? Ask a question or describe a task."
    if re.search(r"^section\s*:|\b(re)?write\b|\bdraft\b|\bcompose\b", request, re.I | re.M):
        return prose(request)
    using = f", using its tools where they help: {', '.join(tools)}" if tools else ""
    return (
        f"You wrote: “{_shorten(request, 200)}”\n\nWith a real model, this agent would now follow "
        f"its instructions and write the answer{using}."
    )


def prose(request: str) -> str:
    """The section of a marketing brief that `request` names, or what a real model would write."""
    section = re.search(r"^section\s*:(.+)", request, re.I | re.M)
    words = re.findall(r"\w+", section[1].lower()) if section else []
    paragraph = next((PARAGRAPHS[word] for word in words if word in PARAGRAPHS), "")
    return fill(paragraph or "A real model would write this text about {subject}.", request)


def field_text(name: str, request: str, index: int | None = None) -> str:
    """Text for the field `name` of a structured output, the `index`th of a list."""
    words = set(re.findall(r"[a-z]+", name.lower()))
    if words & PROSE_FIELDS:
        return prose(request)
    if "title" in words and index is None:
        return fill("{Subject}", request)
    number = index or 0
    for names, texts in FIELDS.items():
        if words & set(names.split()):
            return fill(texts[number % len(texts)], request)
    label = re.sub(r"[^A-Za-z0-9]+", " ", name).strip().capitalize() or "Text"
    return fill(f"{label} {number + 1 if number else ''}".strip() + " for {subject}", request)


def is_greeting(request: str) -> bool:
    return bool(GREETING.fullmatch(request))


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


def fill(pattern: str, request: str) -> str:
    """`pattern` with the subject of `request` as `{subject}` and, capitalised, `{Subject}`."""
    subject = subject_of(request)
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
