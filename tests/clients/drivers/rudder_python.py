"""RudderStack's SDK for Python, with its defaults."""

import sys

from rudderstack.analytics import Client

from tests.clients.drivers.calls import HOST, KEY, fail, failed, start

client = Client(KEY, host=HOST, on_error=fail)
for type, arguments in start():
    getattr(client, type)(**arguments)
client.flush()
client.join()
sys.exit(len(failed))
