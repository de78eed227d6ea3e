from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DashboardsConfig(AppConfig):
    name = "dashboards"
    verbose_name = _("Dashboards")

    def ready(self) -> None:
        from dashboards import profile_work
        from machines.jobs import kinds
        from models.work import WorkKind

        kinds.register(WorkKind.PROFILING, profile_work.JOB)
        for kind in (WorkKind.READING, WorkKind.TRAINING):
            kinds.follow(kind, profile_work.profile_follow)
