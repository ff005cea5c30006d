"""What the agent does after a person's approval."""

from .state import Plan


async def carry_out(plan: Plan) -> str:
    """Do what was approved and return what came of it: connect your own system here."""
    steps = "\n".join(f"{number}. {step}" for number, step in enumerate(plan.steps, start=1))
    return f"Approved: **{plan.title}**\n\n{steps}"
