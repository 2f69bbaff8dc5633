from __future__ import annotations

import pytest

from kiosque.bus.inline import InlineBus
from kiosque.testing.bus_contract import BusContract


class TestInlineBus(BusContract):
    @pytest.fixture
    def bus(self):
        bus = InlineBus(ack_wait=self.ack_wait, drain_seconds=1.0)
        yield bus
        bus.close()
