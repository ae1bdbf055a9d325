"""Runs the emulator, with the patience that AWS has with what a function logs.

It looks for a run's lines for a twentieth of a second after the run's answer, and leaves what comes later to the function's next run, if there
is one. Our functions end each run with their metrics, and on a busy machine these take longer to come through the pipe.
"""

import queue
import sys

from ministack.app import main
from ministack.core.lambda_runtime import ProvidedWorker

PATIENCE = 5  # seconds
METRICS = '"_aws"'

drain = ProvidedWorker._drain_stderr_bounded


def drain_with_metrics(self, **bounds):
    lines = []
    # Where the emulator has bounds of its own in mind, no run has ended.
    while not bounds and not any(METRICS in line for line in lines):
        try:
            lines.append(self._stderr_queue.get(timeout=PATIENCE))
        except queue.Empty:
            break
    return "\n".join(filter(None, [*lines, drain(self, **bounds)]))


ProvidedWorker._drain_stderr_bounded = drain_with_metrics
sys.exit(main())
