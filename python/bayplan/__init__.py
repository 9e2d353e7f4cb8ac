"""bayplan decides where pods go as kube-scheduler v1.34 does, and says why.

Example:
    >>> import bayplan
    >>> cluster = bayplan.Cluster.example()
    >>> decisions = cluster.simulate()
    >>> decisions["data/warehouse-0"].reason
    '0/9 nodes are available: ..., 6 Insufficient cpu, 6 Insufficient memory.'
"""

import logging

from bayplan._native import __version__
from bayplan.decisions import Decision, Decisions, Outcome, Pending, Placements, Preemption
from bayplan.exceptions import (
    ArgumentError,
    BayplanError,
    CaptureError,
    ConfigurationError,
    InternalError,
    NotFoundError,
    ObjectError,
    SourceError,
    UnsupportedError,
)
from bayplan.scheduling import Cluster, Fork, Scheduler
from bayplan.trace import Trace

__all__ = [
    "ArgumentError",
    "BayplanError",
    "CaptureError",
    "Cluster",
    "ConfigurationError",
    "Decision",
    "Decisions",
    "Fork",
    "InternalError",
    "NotFoundError",
    "ObjectError",
    "Outcome",
    "Pending",
    "Placements",
    "Preemption",
    "Scheduler",
    "SourceError",
    "Trace",
    "UnsupportedError",
    "__version__",
]

logging.getLogger("bayplan").addHandler(logging.NullHandler())
