"""The front: between the network and Django's threads.

In: granian's RSGI requests, one coroutine each, on the process's event loop. Out: complete, bounded
requests, each run by one thread through the WSGI application.
"""
