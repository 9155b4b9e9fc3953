"""An Azure on loopback: Resource Manager and Log Analytics behind HTTPS, and a function app's identity endpoint."""

from devkit.simulator.estates import load_estate
from devkit.simulator.faults import Fault
from devkit.simulator.journal import Request
from devkit.simulator.logs_events import Event
from devkit.simulator.model import Estate, Lock, ManagementGroup, Resource, ResourceGroup, Subscription
from devkit.simulator.recordings import load_recordings
from devkit.simulator.simulator import Simulator
from devkit.simulator.throttling import Buckets

__all__ = [
    "Buckets",
    "Estate",
    "Event",
    "Fault",
    "Lock",
    "ManagementGroup",
    "Request",
    "Resource",
    "ResourceGroup",
    "Simulator",
    "Subscription",
    "load_estate",
    "load_recordings",
]
