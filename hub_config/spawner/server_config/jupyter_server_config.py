"""Configuration of the Jupyter server of a workspace.

Lies read-only in the box; nothing of the user's is read before it.
"""

import base64
import hashlib
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

c = get_config()  # type: ignore[name-defined]  # noqa: F821

LAB = Path(sys.prefix) / "share" / "jupyter"


def hash_of_inline_script() -> str:
    """JupyterLab's page has one small script of its own in it; this names it to the browser, and no other."""
    page = (LAB / "lab" / "static" / "index.html").read_text(encoding="utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    return " ".join(f"'sha256-{digest}'" for digest in hashes)


# What a page may load and where it may send: this server and nothing else. JupyterLab compiles its settings'
# schemas ('unsafe-eval') and styles itself inline.
POLICY = {
    "default-src": "'none'",
    "script-src": f"'self' 'unsafe-eval' {hash_of_inline_script()}",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "data: blob:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
    "frame-src": "'self' blob:",
    "frame-ancestors": "'self'",
    "form-action": "'self'",
    "base-uri": "'self'",
    "object-src": "'none'",
}

c.ServerApp.root_dir = str(Path.home())
c.ServerApp.authorizer_class = "p4dp_exits.P4DPAuthorizer"
c.ServerApp.contents_manager_class = "p4dp_exits.P4DPContents"
c.ServerApp.terminals_enabled = False
c.ServerApp.allow_external_kernels = False
c.ServerApp.max_body_size = 32 * 1024**2  # of one request; what is saved of it is less (`p4dp_exits`)
c.ServerApp.jpserver_extensions = {
    "jupyterlab": True,
    "jupyter_lsp": False,
    "jupyter_server_terminals": False,
    "notebook_shim": False,
}
c.ServerApp.tornado_settings = {
    "headers": {
        "Content-Security-Policy": "; ".join(f"{what} {where}" for what, where in POLICY.items()),
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
}
c.KernelManager.transport = "ipc"
c.ZMQChannelsWebsocketConnection.limit_rate = True  # text that pours out of a cell is cut, and says so
c.ZMQChannelsWebsocketConnection.iopub_data_rate_limit = 1_000_000
c.ContentsManager.files_handler_class = None
c.FileContentsManager.delete_to_trash = False
c.LabApp.extension_manager = "readonly"
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.labextensions_path = [str(LAB / "labextensions")]
c.LabApp.extra_labextensions_path = []
