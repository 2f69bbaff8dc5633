from __future__ import annotations

from uuid import uuid4

import pytest

from kiosque.bus.jetstream import JetStreamBus
from kiosque.bus.stream import StreamSettings
from kiosque.testing.bus_contract import BusContract


class TestJetStreamBus(BusContract):
    @pytest.fixture
    def bus(self, nats):
        stream = StreamSettings(name=f"test-{uuid4().hex}", ack_wait=self.ack_wait)
        bus = JetStreamBus(nats.url, stream=stream)
        yield bus
        bus.close()
