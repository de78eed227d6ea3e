from django.apps import AppConfig
from django.contrib import admin


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from allauth.account.decorators import secure_admin_login

        from accounts import events
        from accounts.services import export
        from machines.jobs import kinds
        from models.work import WorkKind

        events.connect()
        kinds.register(WorkKind.EXPORT, export.JOB)
        # One door: the administration's own sign-in page has no limit of attempts
        admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
