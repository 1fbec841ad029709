"""The wire of the SDKs that people already have: Segment's, RudderStack's and Jitsu's.

Source: what the packages send, seen by running them, and Segment's page "HTTP Tracking API".
"""
