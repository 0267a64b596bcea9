"""How files come into the airlock: what is made of one (`receiving`), and the door of the workspaces, a
socket beside the gateway's (`app`, `door`). The pages take files in by the same `receive`.
"""
