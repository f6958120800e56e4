"""Snapshots as JSON documents; `kho_console/schemas` holds their schemas.

Keys are snake_case, addresses and sizes integers, names escaped. A value that is not known is
null, and the key with `_reason` behind it says why.
"""
