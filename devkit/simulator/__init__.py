"""An Azure on loopback: Resource Manager, Resource Graph and Log Analytics behind HTTPS, and an identity endpoint."""

from devkit.simulator.deletions import Deletion
from devkit.simulator.estates import load_estate
from devkit.simulator.faults import Fault
from devkit.simulator.journal import Request
from devkit.simulator.logs_events import Event
from devkit.simulator.logs_telemetry import RequestRow, TraceRow
from devkit.simulator.model import (
    DenyAssignment,
    DeploymentStack,
    Estate,
    Lock,
    ManagementGroup,
    Resource,
    ResourceGroup,
    Subscription,
)
from devkit.simulator.recordings import load_recordings
from devkit.simulator.roles import OWNER, Assignment, Role
from devkit.simulator.simulator import Simulator
from devkit.simulator.throttling import Buckets

__all__ = [
    "OWNER",
    "Assignment",
    "Buckets",
    "Deletion",
    "DenyAssignment",
    "DeploymentStack",
    "Estate",
    "Event",
    "Fault",
    "Lock",
    "ManagementGroup",
    "Request",
    "RequestRow",
    "Resource",
    "ResourceGroup",
    "Role",
    "Simulator",
    "Subscription",
    "TraceRow",
    "load_estate",
    "load_recordings",
]
