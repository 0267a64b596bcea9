"""What leaves the enclave, on record: requests of release, their files, reviews and downloads; the pool of
reviewers; the notices to send.

The airlock alone writes here, by its actions. Others read: `facts` and `findings` are the words they share,
`reading` the questions they may ask.
"""
