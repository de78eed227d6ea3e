from django.apps import AppConfig
from django.contrib import admin


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from allauth.account.decorators import secure_admin_login

        from accounts import events

        events.connect()
        # One door: the administration's own sign-in page has no limit of attempts
        admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
