"""Re-contact: practices' keys, what projects ask for, and the sealed lists for practices."""

from hub_config.desk.recontact.keys import router
from hub_config.desk.recontact.pages import router as pages

router.include_router(pages)  # behind: an address of keys is never the number of a request

__all__ = ["router"]
