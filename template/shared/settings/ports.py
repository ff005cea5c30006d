"""The table `[ports]`."""

from ipaddress import IPv4Address

from pydantic import BaseModel, Field

LOOPBACK = IPv4Address("127.0.0.1")


class Ports(BaseModel):
    """TCP ports of the services, and the address that `platform dev` listens on."""

    api: int = Field(9000, ge=1, le=65535)
    web: int = Field(9001, ge=1, le=65535)
    langgraph: int = Field(6200, ge=1, le=65535)
    bind: IPv4Address = LOOPBACK
    """Containers set 0.0.0.0; elsewhere it would open the services to the network."""

    @property
    def host(self) -> str:
        """The address at which programs of this machine reach the services."""
        return str(LOOPBACK if self.bind.is_unspecified else self.bind)

    def address(self, service: str) -> str:
        """The URL of a service for other programs of this machine."""
        return f"http://{self.host}:{getattr(self, service)}"
