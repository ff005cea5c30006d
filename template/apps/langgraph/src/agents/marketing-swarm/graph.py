"""A marketing brief: a planner, writers who work at the same time, and an editor.

planner -> writer (one for each section) -> editor -> publisher
             ^                                |
             +------- revisions, at most -----+  MAX_ROUNDS times
"""

from typing import Any, Literal, cast

from langchain_core.messages import HumanMessage, SystemMessage
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send

from apps.langgraph.src.core.authoring import get_llm, load_prompt

from .state import Assignment, Input, Job, Output, Plan, Review, State

MAX_ROUNDS = 1

# "nostream": only the publisher's text is part of the reply.
llm = get_llm(__file__)
planner_llm = llm.with_structured_output(Plan).with_config(tags=["nostream"])
writer_llm = llm.with_config(tags=["nostream"])
editor_llm = llm.with_structured_output(Review).with_config(tags=["nostream"])


async def planner(state: State) -> Command[Literal["writer"]]:
    """Outline the brief and give every section to a writer."""
    prompt = SystemMessage(load_prompt(__file__, "planner"))
    plan = cast(Plan, await planner_llm.ainvoke([prompt, *state["messages"]]))
    jobs = [
        Job(plan=plan, assignment=assignment, draft="", instruction="")
        for assignment in plan.sections
    ]
    return Command(update={"plan": plan, "rounds": 0}, goto=[Send("writer", job) for job in jobs])


async def writer(state: Job) -> dict[str, Any]:
    """Write one section, or rewrite it by the editor's instruction."""
    plan, assignment = state["plan"], state["assignment"]
    lines = [
        f"Product: {plan.product}",
        f"Audience: {plan.audience}",
        f"Promise: {plan.promise}",
        f"Section: {assignment.title}",
        f"Task: {assignment.task}",
    ]
    if state["instruction"]:
        lines += [f"Draft: {state['draft']}", f"Change: {state['instruction']}"]
    prompt = SystemMessage(load_prompt(__file__, "writer"))
    section = await writer_llm.ainvoke([prompt, HumanMessage("\n".join(lines))])
    return {"drafts": {assignment.title: section.text}}


async def editor(state: State) -> Command[Literal["writer", "publisher"]]:
    """Return sections to their writers, or pass the brief on to the publisher."""
    if state["rounds"] >= MAX_ROUNDS:
        return Command(goto="publisher")
    prompt = SystemMessage(load_prompt(__file__, "editor"))
    review = cast(Review, await editor_llm.ainvoke([prompt, HumanMessage(document(state))]))
    plan, drafts = state["plan"], state["drafts"]
    sections = {assignment.title: assignment for assignment in plan.sections}
    jobs = [
        Job(
            plan=plan,
            assignment=sections[revision.section],
            draft=drafts[revision.section],
            instruction=revision.instruction,
        )
        for revision in review.revisions
        if revision.section in sections
    ]
    return Command(
        update={"rounds": state["rounds"] + 1},
        goto=[Send("writer", job) for job in jobs] or "publisher",
    )


async def publisher(state: State) -> dict[str, Any]:
    """Give the brief its final form: the reply and the deliverable."""
    prompt = SystemMessage(load_prompt(__file__, "publisher"))
    reply = await llm.ainvoke([prompt, HumanMessage(document(state))])
    return {"messages": [reply], "brief": reply.text}


def document(state: State) -> str:
    """The brief as it stands, in Markdown."""
    plan, drafts = state["plan"], state["drafts"]

    def section(assignment: Assignment) -> str:
        return f"## {assignment.title}\n\n{drafts[assignment.title]}"

    head = [
        f"# Marketing brief: {plan.product}",
        f"**Audience:** {plan.audience}\\\n**Promise:** {plan.promise}",
    ]
    return "\n\n".join([*head, *map(section, plan.sections)])


graph = (
    StateGraph(State, input_schema=Input, output_schema=Output)
    .add_node(planner)
    .add_node(writer)
    .add_node(editor)
    .add_node(publisher)
    .add_edge(START, "planner")
    .add_edge("writer", "editor")
)
