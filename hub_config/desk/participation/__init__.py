from hub_config.desk.participation.pages import router

__all__ = ["router"]
