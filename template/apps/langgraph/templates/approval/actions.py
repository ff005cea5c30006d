"""The agent's action after a person's approval."""

from .state import Plan


async def carry_out(plan: Plan) -> str:
    """Carry out the plan and return the result: connect your system here."""
    steps = "\n".join(f"{number}. {step}" for number, step in enumerate(plan.steps, start=1))
    return f"Approved: **{plan.title}**\n\n{steps}"
