"""The commands in `docs/customer/agents.md` work, in their order."""

import re

from tests.authoring.workshop import Workshop


def test_every_command_works(workshop: Workshop) -> None:
    document = (workshop.root / "docs/customer/agents.md").read_text()
    printed = []
    for block in re.findall(r"^```bash\n(.*?)^```", document, re.M | re.S):
        commands = block.replace("127.0.0.1:6200", f"127.0.0.1:{workshop.port}")
        # `--fail-with-body`: an error response is a failure here.
        commands = commands.replace("curl ", "curl --silent --fail-with-body ")
        before = workshop.log.read_text().count("order-desk")
        printed.append(workshop.run("bash", "-euc", commands))
        if ("cat >" in block and "tests/" not in block) or "platform new" in block:
            workshop.await_that(
                lambda count=before: workshop.log.read_text().count("order-desk") > count
            )
    everything = "\n".join(printed)
    assert "current_time" in everything
    assert "Order A-1042 is on its way." in everything
    assert '"status":"interrupted"' in everything
    assert "Order A-1043 is cancelled." in everything
    assert "2 passed" in everything
    assert 'agent_runs_total{agent="order-desk",status="success"}' in everything
