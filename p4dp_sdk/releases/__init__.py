"""Asking for results to leave the enclave: `ws.request_release([table, figure], title="…")`, `ws.releases`.

What a reviewer will see is shown before anything is sent. Nothing leaves from here: physicians read the
request, and released files are downloaded from its page in the browser.
"""
