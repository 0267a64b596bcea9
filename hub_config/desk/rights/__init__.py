from hub_config.desk.rights.pages import router

__all__ = ["router"]
