"""What every answer tells the browser: everything from here, nothing inline, framed by nobody, kept
nowhere. Pure."""

from __future__ import annotations

from collections.abc import Mapping


def csp(*, inline_images: bool = False) -> str:
    """`inline_images`: a page that shows pictures it carries itself (`data:`) asks for that by name."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self'{' data:' if inline_images else ''}",
            "connect-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": csp(),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""An answer may say otherwise for itself; what it does not say is said so."""
